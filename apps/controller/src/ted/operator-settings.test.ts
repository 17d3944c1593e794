import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LinkConstraints } from '../model/topology.js';
import { ringTopology } from '../testing/topology-text.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { TedService } from './ted-service.js';

const actor = { name: 'operator' };

describe('operator settings', () => {
  let database: TestDatabase;
  let topology: TedService;

  beforeEach(async () => {
    database = await createTestDatabase();
    topology = new TedService({ ...database, clock: () => new Date() });
    await topology.importTopology({ text: ringTopology(), format: 'native', source: 'file', actor });
  });

  afterEach(async () => {
    await database.drop();
  });

  const set = (link: string, constraints: LinkConstraints, mode: 'replace' | 'patch' = 'patch', ifVersion?: number) =>
    topology.setLinkConstraints({
      changes: [{ link, constraints, ...(ifVersion !== undefined && { ifVersion }) }],
      mode,
      actor,
    });

  it('of a link are empty at first', async () => {
    expect(await topology.linkConstraints('r1:r2')).toEqual({
      id: 'r1:r2',
      version: 0,
      constraints: {},
      owner: null,
    });
    await expect(topology.linkConstraints('nowhere')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('are patched, replaced and cleared', async () => {
    await set('r1:r2', { delayUs: 5, srlgs: [9, 3, 9], affinities: ['b', 'a'] });
    expect(await topology.linkConstraints('r1:r2')).toEqual({
      id: 'r1:r2',
      version: 2,
      constraints: { delayUs: 5, srlgs: [3, 9], affinities: ['a', 'b'] },
      owner: null,
    });
    await set('r1:r2', { srlgs: null, adminState: 'drained' });
    expect((await topology.linkConstraints('r1:r2')).constraints).toEqual({
      delayUs: 5,
      affinities: ['a', 'b'],
      adminState: 'drained',
    });
    await set('r1:r2', { teMetric: 7 }, 'replace');
    expect((await topology.linkConstraints('r1:r2')).constraints).toEqual({ teMetric: 7 });
    await set('r1:r2', {}, 'replace');
    expect(await topology.linkConstraints('r1:r2')).toMatchObject({ version: 0, constraints: {} });
    expect((await topology.link('r1:r2')).effective).toMatchObject({ teMetric: null, delayUs: 1_000 });
  });

  it('win over what was discovered, and show it', async () => {
    await set('r1:r2', { affinities: [], delayUs: 5 });
    const view = await topology.link('r1:r2');
    expect(view.effective).toMatchObject({ delayUs: 5, affinities: [] });
    expect(view.provenance.delayUs).toEqual({ layer: 'operator', source: 'operator', revision: 2 });
    expect(view.layers.map(({ layer, source }) => [layer, source])).toEqual([
      ['discovered', 'file'],
      ['operator', 'operator'],
    ]);
  });

  it('are refused when somebody else changed them since they were read', async () => {
    await set('r1:r2', { delayUs: 5 }, 'patch', 0);
    await expect(set('r1:r2', { delayUs: 6 }, 'patch', 0)).rejects.toMatchObject({ code: 'precondition-failed' });
    await set('r1:r2', { delayUs: 6 }, 'patch', 2);
    expect((await topology.linkConstraints('r1:r2')).version).toBe(3);
  });

  it('said again make no revision', async () => {
    const first = await set('r1:r2', { delayUs: 5, affinities: ['b', 'a'] });
    const again = await set('r1:r2', { affinities: ['a', 'b'], delayUs: 5 });
    expect(again).toEqual(first);
  });

  it('for many links are written all or none', async () => {
    await expect(
      topology.setLinkConstraints({
        changes: [
          { link: 'r1:r2', constraints: { delayUs: 5 } },
          { link: 'nowhere', constraints: { delayUs: 5 } },
        ],
        mode: 'patch',
        actor,
      }),
    ).rejects.toMatchObject({ code: 'link-unknown', info: { field: '/changes/1/link' } });
    expect((await topology.link('r1:r2')).effective.delayUs).toBe(1_000);
    const both = await topology.setLinkConstraints({
      changes: ['r2:r1', 'r1:r2'].map((link) => ({ link, constraints: { delayUs: 5 } })),
      mode: 'patch',
      actor,
    });
    expect(both).toMatchObject({ revision: 2, settings: [{ id: 'r2:r1' }, { id: 'r1:r2' }] });
    expect((await topology.allLinkConstraints({}, { limit: 1 })).items.map(({ id }) => id)).toEqual(['r1:r2']);
    expect((await topology.allLinkConstraints({}, { limit: 1, after: 'r1:r2' })).items.map(({ id }) => id)).toEqual([
      'r2:r1',
    ]);
  });

  it('for one link twice are refused', async () => {
    const change = { link: 'r1:r2', constraints: { delayUs: 5 } };
    await expect(
      topology.setLinkConstraints({ changes: [change, change], mode: 'patch', actor }),
    ).rejects.toMatchObject({ code: 'request-invalid', info: { field: '/changes/1/link' } });
  });

  it('survive the removal of their link and are in force when it returns', async () => {
    await set('h2:r3', { delayUs: 5 });
    await topology.importTopology({
      text: ringTopology({ withoutHost: true }),
      format: 'native',
      source: 'file',
      actor,
    });
    await expect(topology.link('h2:r3')).rejects.toMatchObject({ code: 'not-found' });
    expect((await topology.linkConstraints('h2:r3')).constraints).toEqual({ delayUs: 5 });
    await topology.importTopology({ text: ringTopology(), format: 'native', source: 'file', actor });
    expect((await topology.link('h2:r3')).effective.delayUs).toBe(5);
  });

  it('of a node only lower its MSD, and drain it', async () => {
    await topology.recordAgentCapabilities([
      { node: 'h1', capabilities: { msdHEncaps: 4, encapMode: 'reduced', ownedSids: [] } },
    ]);
    const change = (msdHEncaps: number) =>
      topology.setNodeConstraints({
        node: 'h1',
        constraints: { msdHEncaps, adminState: 'drained' },
        mode: 'patch',
        actor,
      });
    await change(9);
    expect((await topology.node('h1')).effective).toMatchObject({ msdHEncaps: 4, adminState: 'drained' });
    await change(2);
    expect((await topology.node('h1')).effective.msdHEncaps).toBe(2);
    expect((await topology.node('h1')).provenance.msdHEncaps?.layer).toBe('operator');
  });

  it('lost to none of two writers at once', async () => {
    const other = new TedService({ ...database, clock: () => new Date() });
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        (index % 2 === 0 ? topology : other).setLinkConstraints({
          changes: [{ link: 'r1:r2', constraints: index % 2 === 0 ? { delayUs: index } : { teMetric: index } }],
          mode: 'patch',
          actor,
        }),
      ),
    );
    expect(Object.keys((await topology.linkConstraints('r1:r2')).constraints).sort()).toEqual(['delayUs', 'teMetric']);
    expect((await topology.head()).revision).toBe(11);
  });

  it('may name 256 affinities in all and no more', async () => {
    const names = Array.from({ length: 256 }, (_, index) => `affinity-${index}`);
    await set('r1:r2', { affinities: names.slice(0, 200) });
    await set('r2:r1', { affinities: names.slice(100) });
    await expect(set('r1:r2', { affinities: ['one-too-many'] })).rejects.toMatchObject({ code: 'affinity-overflow' });
    const rows = await database.db.selectFrom('affinity').selectAll().orderBy('bit').execute();
    expect(rows.map(({ bit }) => bit)).toEqual(Array.from({ length: 256 }, (_, bit) => bit));
    expect((await topology.linkConstraints('r1:r2')).constraints.affinities).toHaveLength(200);
  });

  it('confirm planned SIDs, which a re-import keeps', async () => {
    const count = (await topology.ted()).nodes.flatMap((node) => node.sids).length;
    const confirmation = await topology.confirmPlannedSids('all', actor);
    expect(confirmation).toMatchObject({ revision: 2, confirmed: { sids: count } });
    const origins = async () =>
      new Set((await topology.ted()).nodes.flatMap((node) => node.sids).map((sid) => sid.origin));
    expect(await origins()).toEqual(new Set(['operator']));
    const again = await topology.importTopology({ text: ringTopology(), format: 'native', source: 'file', actor });
    expect(again.changed).toBe(false);
    expect(await origins()).toEqual(new Set(['operator']));
    expect(await topology.confirmPlannedSids(['r1'], actor)).toEqual({
      revision: 2,
      confirmed: { locators: 0, sids: 0 },
    });
    await expect(topology.confirmPlannedSids(['atlantis'], actor)).rejects.toMatchObject({ code: 'node-unknown' });
  });
});
