import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ringTopology } from '../testing/topology-text.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { TedService } from './ted-service.js';

const actor = { name: 'test' };

describe('importing a topology', () => {
  let database: TestDatabase;
  let topology: TedService;

  beforeEach(async () => {
    database = await createTestDatabase();
    topology = new TedService({ ...database, clock: () => new Date() });
  });

  afterEach(async () => {
    await database.drop();
  });

  const load = (text: string, source = 'ring', dryRun = false) =>
    topology.importTopology({ text, format: 'native', source, actor, dryRun });

  it('makes the TED', async () => {
    const result = await load(ringTopology());
    expect(result).toMatchObject({
      revision: 1,
      changed: true,
      nodes: { added: 6, changed: 0, removed: 0 },
      links: { added: 12, changed: 0, removed: 0 },
    });
    const ted = await topology.ted();
    expect(ted.revision).toBe(1);
    expect(ted.nodes.map((node) => node.id)).toEqual(['h1', 'h2', 'r1', 'r2', 'r3', 'r4']);
    expect(ted.links).toHaveLength(12);
    expect(ted.links.find((link) => link.id === 'r1:r2')).toMatchObject({
      from: 'r1',
      to: 'r2',
      igpMetric: 10,
      delayUs: 1_000,
    });
    expect(ted.nodes.every((node) => node.sids.length > 0)).toBe(true);
    expect(ted.nodes.flatMap((node) => node.sids).every((sid) => sid.origin === 'planned')).toBe(true);
  });

  it('a second time changes nothing', async () => {
    await load(ringTopology());
    const before = await topology.ted();
    const again = await load(ringTopology());
    expect(again).toMatchObject({ revision: 1, changed: false, nodes: { added: 0, changed: 0, removed: 0 } });
    expect(await topology.ted()).toBe(before);
    expect((await topology.head()).revision).toBe(1);
  });

  it('changes only what differs, and keeps the rest as the very same objects', async () => {
    await load(ringTopology());
    const before = await topology.ted();
    const text = ringTopology().replace('"between":["r1","r2"],"igpMetric":10', '"between":["r1","r2"],"igpMetric":11');
    expect(await load(text)).toMatchObject({ revision: 2, links: { added: 0, changed: 2, removed: 0 } });
    const after = await topology.ted();
    const changed = after.links.filter((link) => !before.links.includes(link)).map((link) => link.id);
    expect(changed).toEqual(['r1:r2', 'r2:r1']);
    expect(after.nodes.every((node) => before.nodes.includes(node))).toBe(true);
  });

  it('removes what the file no longer has, and only that', async () => {
    await load(ringTopology());
    await load(ringTopology({ withoutHost: true }));
    const ted = await topology.ted();
    expect(ted.nodes.map((node) => node.id)).toEqual(['h1', 'r1', 'r2', 'r3', 'r4']);
    expect(ted.links.filter((link) => link.from === 'h2' || link.to === 'h2')).toEqual([]);
  });

  it('leaves what another source and the operator said', async () => {
    await load(ringTopology());
    await topology.setLinkConstraints({
      changes: [{ link: 'r1:r2', constraints: { delayUs: 9_000, affinities: ['gold'] } }],
      mode: 'patch',
      actor,
    });
    await load(
      JSON.stringify({
        waymark: 1,
        nodes: [
          { id: 'x1', kind: 'router' },
          { id: 'x2', kind: 'router' },
        ],
        links: [{ between: ['x1', 'x2'] }],
      }),
      'other',
    );
    await load(ringTopology({ delayUs: 2_000 }));
    const ted = await topology.ted();
    expect(ted.nodes.map((node) => node.id)).toContain('x1');
    expect(ted.links.find((link) => link.id === 'r1:r2')).toMatchObject({ delayUs: 9_000, affinities: ['gold'] });
    expect(ted.links.find((link) => link.id === 'r2:r1')).toMatchObject({ delayUs: 2_000, affinities: [] });
  });

  it('in a dry run says what it would do, and does nothing', async () => {
    expect(await load(ringTopology(), 'ring', true)).toMatchObject({ revision: 0, changed: true, nodes: { added: 6 } });
    expect((await topology.ted()).nodes).toEqual([]);
    expect((await topology.sources({}, { limit: 10 })).items).toEqual([]);
  });

  it('in a dry run refuses what the import would refuse', async () => {
    const file = (count: number, prefix: string) =>
      JSON.stringify({
        waymark: 1,
        nodes: [{ id: 'a' }, { id: 'b' }],
        links: [{ between: ['a', 'b'], affinities: Array.from({ length: count }, (_, index) => `${prefix}${index}`) }],
      });
    await load(file(200, 'red'));
    const overflow = { code: 'affinity-overflow' };
    await expect(load(file(100, 'blue'), 'ring', true)).rejects.toMatchObject(overflow);
    await expect(load(file(100, 'blue'), 'ring')).rejects.toMatchObject(overflow);
    expect((await topology.head()).revision).toBe(1);
  });

  it('keeps flexible algorithms, and what the operator overrides of them as advertised', async () => {
    const definition = { metricType: 'te', priority: 7, excludeAny: ['leased'], excludeSrlgs: [3] };
    const file = JSON.stringify({
      waymark: 1,
      nodes: [{ id: 'a', flexAlgorithms: [{ algorithm: 129 }, { algorithm: 128, definition }] }, { id: 'b' }],
      links: [{ between: ['a', 'b'], teMetric: 5, delayMinUs: 9, affinities: ['leased'] }],
    });
    await load(file);
    const expected = [
      { algorithm: 128, definition: { ...definition, includeAny: [], includeAll: [] } },
      { algorithm: 129, definition: null },
    ];
    expect((await topology.node('a')).effective.flexAlgorithms).toEqual(expected);
    expect((await topology.node('a')).provenance.flexAlgorithms).toMatchObject({ layer: 'discovered' });
    const changes = [{ link: 'a:b', constraints: { affinities: [] } }];
    await topology.setLinkConstraints({ changes, mode: 'patch', actor });
    const again = new TedService({ ...database, clock: () => new Date() });
    const ted = await again.ted();
    expect(ted.nodes[0]?.flexAlgorithms).toEqual(expected);
    const advertised = { teMetric: 5, delayMinUs: 9, affinities: ['leased'], srlgs: [] };
    expect(ted.links.map(({ id, affinities, advertised: own }) => [id, affinities, own])).toEqual([
      ['a:b', [], advertised],
      ['b:a', ['leased'], null],
    ]);
    expect((await again.ted(1)).nodes[0]?.flexAlgorithms).toEqual(expected);
  });

  it('refuses a bad file whole, naming line and field', async () => {
    await load(ringTopology());
    const text = ringTopology().replace('["r1","r2"]', '["r1","atlantis"]');
    await expect(load(text)).rejects.toMatchObject({
      code: 'topology-invalid',
      info: {
        field: expect.stringContaining('/links/0') as string,
        detail: expect.stringMatching(/^line 1, column \d+: .*atlantis/) as string,
      },
    });
    expect((await topology.head()).revision).toBe(1);
  });

  it('refuses a SID that a node of another source owns', async () => {
    await load(ringTopology());
    const sid = (await topology.node('h1')).effective.sids[0]?.sid;
    const foreign = {
      waymark: 1,
      nodes: [{ id: 'thief', kind: 'host', sids: [{ sid, behavior: 'End.DT4' }] }],
    };
    await expect(load(JSON.stringify(foreign), 'other')).rejects.toMatchObject({
      code: 'topology-invalid',
      info: { detail: `${sid} of node thief belongs to node h1 (source ring)` },
    });
    expect(await topology.head()).toMatchObject({ revision: 1, nodes: 6 });
  });

  it('refuses locators, SIDs and addresses within the binding SIDs of a headend', async () => {
    await load(ringTopology());
    await sql`insert into bsid_block (headend, block) values ('h1', 'fdbb:b51d:0:1::/64')`.execute(database.db);
    const router = (more: object) => JSON.stringify({ waymark: 1, nodes: [{ id: 'x', ...more }] });
    for (const [text, what] of [
      [router({ locators: [{ prefix: 'fdbb:b51d::/48' }] }), 'locator fdbb:b51d::/48'],
      [router({ kind: 'host', sids: [{ sid: 'fdbb:b51d:0:1::4', behavior: 'End.DT4' }] }), 'SID fdbb:b51d:0:1::4'],
      [router({ address: 'fdbb:b51d:0:1::9' }), 'address fdbb:b51d:0:1::9'],
    ] as const) {
      await expect(load(text, 'other')).rejects.toMatchObject({
        code: 'topology-invalid',
        info: { detail: `${what} of node x overlaps the binding SIDs of headend h1` },
      });
    }
    expect((await load(router({ locators: [{ prefix: 'fdbb:b51d:9::/48' }] }), 'other')).changed).toBe(true);
  });

  it('refuses a locator that overlaps one of another node of another source, unless both say anycast', async () => {
    const file = (id: string, prefix: string, anycast = false) =>
      JSON.stringify({ waymark: 1, nodes: [{ id, locators: [{ prefix, anycast }] }] });
    await load(file('a', 'fd00:1::/48'), 'one');
    await load(file('c', 'fd00:3::/48', true), 'three');
    for (const prefix of ['fd00:1::/48', 'fd00:1:0:2::/64', 'fd00::/30', 'fd00:3::/48']) {
      await expect(load(file('b', prefix), 'two')).rejects.toMatchObject({
        code: 'topology-invalid',
        info: {
          detail: expect.stringMatching(`locator ${prefix} of node b overlaps locator fd00:.::/48 of node`) as string,
        },
      });
    }
    const sids = [{ sid: 'fd00:3:0:1::', behavior: 'End' }];
    const withSid = (id: string) =>
      JSON.stringify({ waymark: 1, nodes: [{ id, locators: [{ prefix: 'fd00:3::/48', anycast: true }], sids }] });
    expect((await load(withSid('c'), 'three')).changed).toBe(true);
    expect((await load(withSid('b'), 'two')).changed).toBe(true);
    expect((await load(file('a', 'fd00:1::/48'), 'two')).changed).toBe(true);
  });

  it('keeps planned SIDs when a node comes first in the file', async () => {
    await load(ringTopology({ withoutHost: true }));
    const before = await topology.ted();
    await load(ringTopology());
    const after = await topology.ted();
    const sidsOf = (id: string, ted = after) => ted.nodes.find((node) => node.id === id)?.sids;
    for (const id of ['h1', 'r1', 'r2', 'r4']) expect(sidsOf(id)).toEqual(sidsOf(id, before));
  });
});
