import { describe, expect, it } from 'vitest';
import type { Locator, Ted, TedLink } from '../model/ted.js';
import { buildTed } from '../testing/build-ted.js';
import { toGraph } from './to-graph.js';

const sound = buildTed(['a', 'b', 'h1', 'h2'], [{ between: 'a-b' }, { between: 'a-b#2' }, { between: 'h1-a' }]);

function withLinks(change: (links: readonly TedLink[]) => readonly TedLink[]): Ted {
  return { ...sound, links: change(sound.links) };
}

function changed(id: string, attributes: Partial<TedLink>): Ted {
  return withLinks((links) => links.map((link) => (link.id === id ? { ...link, ...attributes } : link)));
}

/** Locators of that algorithm, of nodes that take part in 128; the SIDs say 0. */
function withAlgorithm(algorithm: number): Ted {
  const nodes = sound.nodes.map((node) => ({
    ...node,
    flexAlgorithms: [{ algorithm: 128, definition: null }],
    locators: node.locators.map((locator) => ({ ...locator, algorithm })),
  }));
  return { ...sound, nodes };
}

/** Each node has a longer locator inside its own. */
function withNestedLocators(attributes: Partial<Locator>): Ted {
  const nodes = sound.nodes.map((node) => ({
    ...node,
    flexAlgorithms: [{ algorithm: 128, definition: null }],
    locators: node.locators.flatMap((locator) => [
      locator,
      { ...locator, ...attributes, prefix: locator.prefix.replace('::/48', ':f000::/64') },
    ]),
  }));
  return { ...sound, nodes };
}

describe('a TED as a graph', () => {
  it('keeps every link under its own id, parallel ones too', () => {
    const { graph, findings } = toGraph(sound);
    expect(findings).toEqual([]);
    expect(graph.order).toBe(4);
    expect(
      graph
        .edges('a', 'b')
        .filter((id) => graph.source(id) === 'a')
        .sort(),
    ).toEqual(['a:b', 'a:b:2']);
    expect(graph.getEdgeAttribute('b:a:2', 'igpMetric')).toBe(10);
  });

  it('lets several nodes own an anycast SID', () => {
    const [first] = sound.nodes;
    const shared = (first?.locators ?? []).map((locator) => ({ ...locator, anycast: true }));
    const sids = (first?.sids ?? []).filter(({ behavior }) => behavior === 'End');
    const nodes = sound.nodes.map((node) => ({ ...node, locators: shared, sids }));
    expect(toGraph({ ...sound, nodes }).findings).toEqual([]);
  });

  it('lets locators of a node nest that are routed alike', () => {
    expect(toGraph(withNestedLocators({})).findings).toEqual([]);
  });

  it.each<[string, Ted, string]>([
    ['a node given twice', { ...sound, nodes: [...sound.nodes, ...sound.nodes.slice(0, 1)] }, 'duplicate-node'],
    ['a link given twice', withLinks((links) => [...links, ...links.slice(0, 1)]), 'duplicate-link'],
    ['an end that is unknown', changed('a:b', { to: 'z' }), 'dangling-link'],
    ['a link to itself', changed('a:b', { to: 'a' }), 'self-loop'],
    ['a link between hosts', buildTed(['h1', 'h2'], [{ between: 'h1-h2' }]), 'host-to-host'],
    ['no reverse', withLinks((links) => links.filter((link) => link.id !== 'b:a')), 'missing-reverse'],
    ['a cycle of reverse ids', changed('a:b', { reverseId: 'b:a:2' }), 'reverse-mismatch'],
    [
      'a SID of two nodes',
      { ...sound, nodes: sound.nodes.map((node) => ({ ...node, sids: sound.nodes[0]?.sids ?? [] })) },
      'duplicate-sid',
    ],
    ['a SID that says another algorithm than its locator', withAlgorithm(128), 'sid-algorithm-mismatch'],
    ['a locator of an algorithm in which its node takes no part', withAlgorithm(129), 'algorithm-without-node'],
    [
      'a locator of another algorithm inside one of the same node',
      withNestedLocators({ algorithm: 128 }),
      'nested-locators',
    ],
    [
      'a locator of another scope inside one of the same node',
      withNestedLocators({ scope: 'attachment' }),
      'nested-locators',
    ],
    ['End.X over a link that is gone', withLinks((links) => links.slice(2)), 'adjacency-sid-mismatch'],
  ])('lists %s', (_, ted, kind) => {
    expect(toGraph(ted).findings.map((finding) => finding.kind)).toContain(kind);
  });
});
