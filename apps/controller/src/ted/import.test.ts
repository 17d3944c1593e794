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
    const [first] = (await topology.ted()).nodes.flatMap((node) => node.sids);
    const foreign = {
      waymark: 1,
      nodes: [{ id: 'thief', kind: 'router', sids: [{ sid: first?.sid, behavior: 'End' }] }],
      links: [],
    };
    await expect(load(JSON.stringify(foreign), 'other')).rejects.toMatchObject({ code: 'topology-invalid' });
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
