import { parsePrefix, prefixContains, type Ted } from '@waymark/topology';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tedFromDocument } from '../defaults.js';
import { parseTopology } from '../parse-topology.js';
import { arbitraryTed } from '../testing/arbitrary-ted.js';
import { refusal } from '../testing/refusal.js';
import type { SidPlan, TopologyDocument } from '../topology-document.js';
import { applySidPlan } from './apply-sid-plan.js';
import { defaultSidPlan } from './sid-plan.js';

const nextCSidPlan: SidPlan = { ...defaultSidPlan, flavors: ['NEXT-C-SID', 'PSP'], services: ['End.DT46'] };

/** Documents that declare some of their SIDs, all of them or none. */
const arbitraryDocument: fc.Arbitrary<TopologyDocument> = fc
  .tuple(arbitraryTed, fc.infiniteStream(fc.boolean()))
  .map(([ted, keep]) => ({
    nodes: ted.nodes.map((node) => (keep.next().value === true ? node : { ...node, locators: [], sids: [] })),
    links: ted.links,
    sidPlan: null,
  }));

const plans = fc.constantFrom(defaultSidPlan, nextCSidPlan);

/** Planned values by what they are for. */
function plannedValues(ted: Ted): ReadonlyMap<string, string> {
  return new Map(
    ted.nodes.flatMap((node) => [
      ...node.locators.filter(isPlanned).map((locator) => [`${node.id} locator`, locator.prefix] as const),
      ...node.sids.filter(isPlanned).map((sid) => [`${node.id} ${sid.behavior} ${sid.linkId ?? ''}`, sid.sid] as const),
    ]),
  );
}

const isPlanned = ({ origin }: { readonly origin: string }): boolean => origin === 'planned';

/** The same document with nothing that calls itself planned, so that whatever is planned afterwards is the plan's. */
function discovered(document: TopologyDocument): TopologyDocument {
  const declare = <T extends object>(entry: T): T => ({ ...entry, origin: 'discovered' });
  return {
    ...document,
    nodes: document.nodes.map((node) => ({
      ...node,
      locators: (node.locators ?? []).map(declare),
      sids: (node.sids ?? []).map(declare),
    })),
  };
}

describe('a SID plan', () => {
  it('gives every router an End SID and one per link, and every host its services', () => {
    fc.assert(
      fc.property(arbitraryDocument, (document) => {
        const { nodes } = applySidPlan(document, null, defaultSidPlan).document;
        const routers = new Set(nodes.filter(({ kind }) => kind === 'router').map(({ id }) => id));
        for (const { id, kind, sids = [] } of nodes) {
          const behaviors = sids.filter(({ algorithm }) => algorithm === 0).map(({ behavior }) => behavior);
          expect(behaviors).toEqual(expect.arrayContaining(kind === 'host' ? ['End.DT4', 'End.DT6'] : ['End']));
          const adjacencies = document.links.filter(({ from, to }) => from === id && routers.has(to));
          if (kind === 'router') {
            expect(sids.map(({ linkId }) => linkId)).toEqual(
              expect.arrayContaining(adjacencies.map((link) => link.id)),
            );
          }
        }
      }),
    );
  });

  it('puts each planned SID into a locator of its node, and never gives a value twice', () => {
    fc.assert(
      fc.property(arbitraryDocument.map(discovered), plans, (document, plan) => {
        const { nodes } = applySidPlan(document, null, plan).document;
        const sids = nodes.flatMap((node) => (node.sids ?? []).filter(isPlanned).map((sid) => ({ node, sid })));
        for (const { node, sid } of sids) {
          const address = parsePrefix(`${sid.sid}/128`);
          const covers = node.locators?.some(({ prefix }) => prefixContains(parsePrefix(prefix), address));
          expect(covers).toBe(true);
        }
        const all = nodes.flatMap((node) => node.sids ?? []).map(({ sid }) => sid);
        for (const { sid } of sids) expect(all.filter((other) => other === sid.sid)).toHaveLength(1);
        const locators = nodes.flatMap((node) => (node.locators ?? []).map(({ prefix }) => prefix));
        expect(new Set(locators).size).toBe(locators.length);
      }),
    );
  });

  it('leaves what the file declares as it is, and counts what it adds', () => {
    fc.assert(
      fc.property(arbitraryDocument.map(discovered), plans, (document, plan) => {
        const { document: filled, planned } = applySidPlan(document, null, plan);
        filled.nodes.forEach((node, i) => {
          const before = document.nodes[i];
          expect({
            ...node,
            locators: node.locators?.filter((entry) => !isPlanned(entry)) ?? [],
            sids: node.sids?.filter((entry) => !isPlanned(entry)) ?? [],
          }).toEqual(before);
        });
        const values = filled.nodes.flatMap((node) => [...(node.locators ?? []), ...(node.sids ?? [])]);
        expect(values.filter(isPlanned)).toHaveLength(planned.locators + planned.sids);
      }),
    );
  });

  it('plans the same again, whatever the order of the file', () => {
    fc.assert(
      fc.property(arbitraryDocument, plans, fc.nat(), (document, plan, turn) => {
        const first = tedFromDocument(applySidPlan(document, null, plan).document);
        const turned: TopologyDocument = {
          ...document,
          nodes: [
            ...document.nodes.slice(turn % document.nodes.length),
            ...document.nodes.slice(0, turn % document.nodes.length),
          ],
          links: [...document.links].reverse(),
        };
        expect(tedFromDocument(applySidPlan(turned, null, plan).document)).toEqual(first);
        expect(tedFromDocument(applySidPlan(turned, first, plan).document)).toEqual(first);
      }),
    );
  });

  it('keeps the values of everything that stays, and gives away none of what has gone', () => {
    fc.assert(
      fc.property(
        arbitraryDocument.map(discovered),
        fc.infiniteStream(fc.boolean()),
        plans,
        (document, stays, plan) => {
          const gone = new Set(document.nodes.filter(() => stays.next().value === true).map(({ id }) => id));
          const part: TopologyDocument = {
            ...document,
            nodes: [
              { id: 'aaa-new', kind: 'router' as const },
              ...document.nodes.filter(({ id }) => !gone.has(id)),
              { id: 'zzz-new', kind: 'host' as const },
            ],
            links: document.links.filter(({ from, to }) => !gone.has(from) && !gone.has(to)),
          };
          const before = tedFromDocument(applySidPlan(document, null, plan).document);
          const after = plannedValues(tedFromDocument(applySidPlan(part, before, plan).document));
          const known = plannedValues(before);
          for (const [purpose, value] of after) {
            if (known.has(purpose)) expect(value).toBe(known.get(purpose));
            else expect([...known.values()]).not.toContain(value);
          }
        },
      ),
    );
  });
});

const document = (nodes: string, links = '[]'): TopologyDocument =>
  parseTopology(`waymark: 1\nnodes: ${nodes}\nlinks: ${links}\n`, 'native');

const sidsOf = (planned: TopologyDocument, id: string) =>
  planned.nodes.find((node) => node.id === id)?.sids?.map(({ behavior, sid }) => `${behavior} ${sid}`);

describe('the numbers of a plan', () => {
  it('start at 1 for nodes and functions', () => {
    const { document: planned } = applySidPlan(
      document('[{ id: b }, { id: a }]', '[{ between: [a, b] }]'),
      null,
      defaultSidPlan,
    );
    expect(planned.nodes.map(({ id, locators }) => [id, locators?.[0]?.prefix])).toEqual([
      ['b', 'fcbb:bb00:2::/48'],
      ['a', 'fcbb:bb00:1::/48'],
    ]);
    expect(sidsOf(planned, 'a')).toEqual(['End fcbb:bb00:1:1::', 'End.X fcbb:bb00:1:2::']);
  });

  it('leave room for a container with NEXT-C-SID: End is the locator, functions are local values', () => {
    const { document: planned } = applySidPlan(
      document('[{ id: a }, { id: b }, { id: h, kind: host }]', '[{ between: [a, b] }]'),
      null,
      nextCSidPlan,
    );
    expect(sidsOf(planned, 'a')).toEqual(['End fcbb:bb00:1::', 'End.X fcbb:bb00:1:e000::']);
    expect(sidsOf(planned, 'h')).toEqual(['End.DT46 fcbb:bb00:3:e000::']);
    expect(planned.nodes[0]?.sids?.map(({ structure }) => structure)).toEqual([
      { blockBits: 32, nodeBits: 16, functionBits: 0, argumentBits: 80 },
      { blockBits: 32, nodeBits: 16, functionBits: 16, argumentBits: 64 },
    ]);
  });

  it('avoid what the file uses in the block for anything', () => {
    const { document: planned } = applySidPlan(
      document(
        `[{ id: a }, { id: b, address: 'fcbb:bb00:1::9' }, { id: h, kind: host, podPrefixes: ['fcbb:bb00:2::/47'] }]`,
        `[{ between: [a, b], forward: { interfaceAddresses: ['fcbb:bb00:4::1'] } }]`,
      ),
      null,
      defaultSidPlan,
    );
    expect(planned.nodes.map(({ locators }) => locators?.[0]?.prefix)).toEqual([
      'fcbb:bb00:5::/48',
      'fcbb:bb00:6::/48',
      'fcbb:bb00:7::/48',
    ]);
  });

  it('fill the locator that the file declares, around what it has', () => {
    const { document: planned, planned: count } = applySidPlan(
      document(
        `[{ id: a, locators: [{ prefix: '2001:db8:a::/48' }], sids: [{ sid: '2001:db8:a:1::', behavior: End.X, linkId: 'a:b' }] }, { id: b }]`,
        '[{ between: [a, b] }]',
      ),
      null,
      defaultSidPlan,
    );
    expect(sidsOf(planned, 'a')).toEqual(['End.X 2001:db8:a:1::', 'End 2001:db8:a:2::']);
    expect(count).toEqual({ locators: 1, sids: 3 });
  });

  it('give a host only the families it lacks', () => {
    const planned = applySidPlan(
      document("[{ id: h, kind: host, sids: [{ sid: '2001:db8::4', behavior: End.DT4 }] }]"),
      null,
      nextCSidPlan,
    ).document;
    expect(sidsOf(planned, 'h')).toEqual(['End.DT4 2001:db8::4', 'End.DT6 fcbb:bb00:1:e000::']);
  });

  it('give End.X to links of a host that attaches twice, not to the one link of another', () => {
    const { document: planned } = applySidPlan(
      document(
        '[{ id: a }, { id: b }, { id: h, kind: host }, { id: k, kind: host }]',
        '[{ between: [a, h] }, { between: [b, h] }, { between: [b, k] }]',
      ),
      null,
      defaultSidPlan,
    );
    const links = planned.nodes.flatMap((node) => (node.sids ?? []).map(({ linkId }) => linkId));
    expect(links.filter((id) => id !== null)).toEqual(['a:h', 'b:h']);
  });

  it('change with the plan', () => {
    const nodes = document('[{ id: a }]');
    const before = tedFromDocument(applySidPlan(nodes, null, defaultSidPlan).document);
    const after = applySidPlan(nodes, before, { ...defaultSidPlan, block: 'fcbb:cc00::/32' }).document;
    expect(sidsOf(after, 'a')).toEqual(['End fcbb:cc00:1:1::']);
  });

  it('yield to a file that declares them for another node', () => {
    const before = tedFromDocument(applySidPlan(document('[{ id: a }]'), null, defaultSidPlan).document);
    const after = applySidPlan(
      document("[{ id: a }, { id: b, locators: [{ prefix: 'fcbb:bb00:1::/48' }] }]"),
      before,
      defaultSidPlan,
    ).document;
    expect(sidsOf(after, 'a')).toEqual(['End fcbb:bb00:2:1::']);
    expect(sidsOf(after, 'b')).toEqual(['End fcbb:bb00:1:2::']);
  });

  it('run out with a clear word', () => {
    const plan = { ...defaultSidPlan, nodeBits: 2 };
    applySidPlan(document('[{ id: a }, { id: b }, { id: c }]'), null, plan);
    const error = refusal(() => applySidPlan(document('[{ id: a }, { id: b }, { id: c }, { id: d }]'), null, plan));
    expect(error).toMatchObject({ field: '/sidPlan/nodeBits', line: null });
    expect(error.message).toContain('no number is left for d');

    const links = Array.from({ length: 15 }, () => '{ between: [a, b] }').join(', ');
    expect(
      refusal(() =>
        applySidPlan(document('[{ id: a }, { id: b }]', `[${links}]`), null, { ...defaultSidPlan, functionBits: 4 }),
      ),
    ).toMatchObject({ field: '/sidPlan/functionBits' });
  });
});
