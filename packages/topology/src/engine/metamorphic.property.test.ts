import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PathAnswer, PathsFound } from '../model/path-answer.js';
import type { PathRequest } from '../model/path-request.js';
import type { Ted, TedLink } from '../model/ted.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { arbitraryRequest } from '../testing/arbitrary-request.js';
import { arbitraryTed } from '../testing/arbitrary-ted.js';
import { computePaths } from './compute-paths.js';
import { constraintsOf, withoutConstraints } from './constraint-set.js';

/*
 * What must hold between two answers, whatever is right for each: on networks with zero metrics, ties, parallel links, links
 * that are down in one direction, disconnected parts, unknown values, missing SIDs and hosts that split their traffic.
 */
const cases = fc
  .record({ bounds: fc.boolean(), include: fc.boolean(), healthy: fc.boolean(), endpointLimits: fc.boolean() })
  .chain(({ healthy, endpointLimits, ...shape }) =>
    arbitraryTed({ maxRouters: 5, maxLinks: 8, healthy, endpointLimits, narrowLinks: true }).chain((ted) =>
      fc.record({
        ted: fc.constant(ted),
        request: arbitraryRequest(ted, shape),
        maxSegments: fc.option(fc.integer({ min: 1, max: 3 })),
        seed: fc.nat(),
      }),
    ),
  )
  .map(({ request, maxSegments, ...rest }) => ({
    ...rest,
    request: maxSegments === null ? request : { ...request, maxSegments },
  }));

function ask(ted: Ted, request: PathRequest): PathAnswer {
  return computePaths(freezeSnapshot(ted), request, { skipConflict: true });
}

/** Infinity when there is no path. */
function value(answer: PathAnswer): number {
  if (answer.status === 'no-path') return Infinity;
  expect(answer.optimality).toBe('optimal');
  return answer.lowerBound;
}

describe('relaxing a constraint', () => {
  it('never worsens the optimum, whichever is left out', () => {
    let compared = 0;
    fc.assert(
      fc.property(cases, ({ ted, request }) => {
        const asked = value(ask(ted, request));
        for (const pointer of constraintsOf(request)) {
          expect(value(ask(ted, withoutConstraints(request, new Set([pointer]))))).toBeLessThanOrEqual(asked);
          compared++;
        }
      }),
      { numRuns: 200 },
    );
    expect(compared).toBeGreaterThan(200);
  });

  it('never worsens it by degrees either', () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: 1, max: 5 }), ({ ted, request }, more) => {
        const { bounds, bandwidthBps } = request.constraints;
        const relaxed: PathRequest = {
          ...request,
          ...(request.maxSegments === undefined ? {} : { maxSegments: request.maxSegments + 1 }),
          constraints: {
            ...request.constraints,
            ...(bounds && { bounds: bounds.map((bound) => ({ ...bound, max: bound.max + more })) }),
            ...(bandwidthBps === undefined ? {} : { bandwidthBps: Math.max(1, bandwidthBps - more) }),
          },
        };
        expect(value(ask(ted, relaxed))).toBeLessThanOrEqual(value(ask(ted, request)));
      }),
      { numRuns: 200 },
    );
  });
});

describe('adding a link', () => {
  it('that no router prefers never worsens the optimum', () => {
    let better = 0;
    fc.assert(
      fc.property(cases, ({ ted, request, seed }) => {
        const after = withLink(ted, seed);
        const [asked, added] = [value(ask(ted, request)), value(ask(after, request))];
        expect(added).toBeLessThanOrEqual(asked);
        if (added < asked) better++;
      }),
      { numRuns: 200 },
    );
    expect(better).toBeGreaterThan(2);
  });
});

describe('other names', () => {
  it('change nothing but the ids', () => {
    let found = 0;
    fc.assert(
      fc.property(cases, ({ ted, request, seed }) => {
        const name = renaming(ted, seed);
        const [one, other] = [ask(ted, request), ask(renamed(ted, name), renamedRequest(request, name))];
        expect(value(other)).toBe(value(one));
        if (one.status === 'no-path') {
          expect(other).toMatchObject({ status: 'no-path', isProved: one.isProved });
          return;
        }
        found++;
        expect(shape(other as PathsFound)).toEqual(shape(one));
      }),
      { numRuns: 200 },
    );
    expect(found).toBeGreaterThan(20);
  });
});

/** What does not depend on which of several equal paths is taken. */
function shape({ optimality, lowerBound, paths }: PathsFound) {
  return { optimality, lowerBound, sids: paths.map(({ transport }) => transport.length) };
}

/** With one more link between two routers, of a metric above every other path, and with SIDs of its own. */
function withLink(ted: Ted, seed: number): Ted {
  const routers = ted.nodes.filter((node) => node.kind === 'router');
  const a = routers[seed % routers.length]?.id ?? '';
  const b = routers[(seed + 1) % routers.length]?.id ?? '';
  const template = ted.links[seed % ted.links.length];
  if (template === undefined || a === b) return ted;
  const link = (from: string, to: string): TedLink => ({
    ...template,
    id: `new:${from}:${to}`,
    reverseId: `new:${to}:${from}`,
    from,
    to,
    igpMetric: 1000,
    teMetric: seed % 3,
    // Of no flexible algorithm but one that goes by IGP metric.
    advertised: { teMetric: null, delayMinUs: null, affinities: [], srlgs: [] },
    operationalState: 'up',
    adminState: 'up',
  });
  const sidOf = (from: string, to: string, owner: Ted['nodes'][number]) => ({
    sid: `${owner.locators[0]?.prefix.split('::')[0] ?? 'fd00'}:ee::`,
    behavior: 'End.X' as const,
    flavors: [],
    algorithm: 0,
    protected: false,
    linkId: `new:${from}:${to}`,
    structure: null,
    origin: 'discovered' as const,
  });
  const nodes = ted.nodes.map((node) => {
    if (node.id === a) return { ...node, sids: [...node.sids, sidOf(a, b, node)] };
    return node.id === b ? { ...node, sids: [...node.sids, sidOf(b, a, node)] } : node;
  });
  const links = [...ted.links, link(a, b), link(b, a)].sort((x, y) => (x.id < y.id ? -1 : 1));
  return { ...ted, nodes, links };
}

type Name = (id: string) => string;

/** New ids in another order. */
function renaming(ted: Ted, seed: number): Name {
  const ids = [...ted.nodes, ...ted.links].map(({ id }) => id);
  const place = (i: number) => (i * 7919 + seed) % 10_007;
  const names = new Map(ids.map((id, i) => [id, `n${String(place(i)).padStart(5, '0')}-${i}`]));
  return (id) => names.get(id) ?? id;
}

function renamed(ted: Ted, name: Name): Ted {
  const byId = (x: { readonly id: string }, y: { readonly id: string }) => (x.id < y.id ? -1 : 1);
  return {
    ...ted,
    nodes: ted.nodes
      .map((node) => ({
        ...node,
        id: name(node.id),
        sids: node.sids.map((sid) => ({ ...sid, linkId: sid.linkId && name(sid.linkId) })),
      }))
      .sort(byId),
    links: ted.links
      .map((link) => ({
        ...link,
        id: name(link.id),
        reverseId: name(link.reverseId),
        from: name(link.from),
        to: name(link.to),
      }))
      .sort(byId),
  };
}

function renamedRequest(request: PathRequest, name: Name): PathRequest {
  const { exclude, include } = request.constraints;
  return {
    ...request,
    source: name(request.source),
    destination: name(request.destination),
    constraints: {
      ...request.constraints,
      ...(exclude && {
        exclude: {
          ...exclude,
          ...(exclude.nodes && { nodes: exclude.nodes.map(name) }),
          ...(exclude.links && { links: exclude.links.map(name) }),
        },
      }),
      ...(include && {
        include: include.map((entry) =>
          'node' in entry ? { ...entry, node: name(entry.node) } : { ...entry, link: name(entry.link) },
        ),
      }),
    },
  };
}
