import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ringTopology } from '../testing/topology-text.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { TedService } from './ted-service.js';

const actor = { name: 'test' };

describe('what an agent says of its data plane', () => {
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

  const owned = { sid: 'fd00:0::A', behavior: 'End.DT46' } as const;

  it('is in force, and its service SIDs replace planned ones', async () => {
    await topology.recordAgentCapabilities([
      { node: 'h1', capabilities: { msdHEncaps: 5, encapMode: 'reduced', ownedSids: [owned] } },
    ]);
    expect((await topology.node('h1')).effective).toMatchObject({
      msdHEncaps: 5,
      encapMode: 'reduced',
      sids: [{ sid: 'fd00::a', behavior: 'End.DT46', origin: 'agent' }],
    });
    expect(await topology.source('agent:h1')).toMatchObject({ kind: 'agent', lastSequence: null });
  });

  it('said again makes no revision', async () => {
    const capabilities = { msdHEncaps: 5, encapMode: 'full', ownedSids: [owned] } as const;
    await topology.recordAgentCapabilities([{ node: 'h1', capabilities }]);
    await topology.recordAgentCapabilities([{ node: 'h1', capabilities }]);
    expect((await topology.head()).revision).toBe(2);
  });

  it('of many agents makes one revision, for those that say something new', async () => {
    const said = (sid: string) => ({ msdHEncaps: 5, encapMode: 'full', ownedSids: [{ ...owned, sid }] }) as const;
    await topology.recordAgentCapabilities([{ node: 'h1', capabilities: said('fd00::a') }]);
    await topology.recordAgentCapabilities([
      { node: 'h1', capabilities: said('fd00::a') },
      { node: 'h2', capabilities: said('fd00::b') },
      { node: 'h3', capabilities: said('fd00::c') },
    ]);
    expect((await topology.head()).revision).toBe(3);
    expect((await topology.node('h2')).effective.sids).toMatchObject([{ sid: 'fd00::b' }]);
    expect(await topology.source('agent:h3')).toMatchObject({ kind: 'agent' });
    expect(await topology.change(3)).toMatchObject({
      actor: 'agents',
      summary: '2 agents described their data planes',
    });
  });

  it('leaves out SIDs that other nodes have, also those that another agent claims with it', async () => {
    const [mine, theirs] = ['fd00::a', 'fd00::b'];
    const said = (...sids: string[]) =>
      ({ msdHEncaps: 5, encapMode: 'full', ownedSids: sids.map((sid) => ({ ...owned, sid })) }) as const;
    const planned = (await topology.node('h2')).effective.sids[0]?.sid ?? '';
    await topology.recordAgentCapabilities([
      { node: 'h1', capabilities: said(mine, planned, theirs) },
      { node: 'h2', capabilities: said(theirs) },
    ]);
    expect((await topology.node('h1')).effective.sids.map(({ sid }) => sid)).toEqual([mine, theirs]);
    expect((await topology.node('h2')).effective.sids.map(({ sid }) => sid)).not.toContain(theirs);
    await topology.recordAgentCapabilities([{ node: 'h2', capabilities: said(theirs, mine) }]);
    expect((await topology.ted()).nodes.flatMap(({ sids }) => sids).filter(({ sid }) => sid === mine)).toHaveLength(1);
  });

  it('is withdrawn when it says less', async () => {
    const planned = (await topology.node('h1')).effective.sids;
    await topology.recordAgentCapabilities([
      { node: 'h1', capabilities: { msdHEncaps: 5, encapMode: 'full', ownedSids: [owned] } },
    ]);
    await topology.recordAgentCapabilities([
      { node: 'h1', capabilities: { msdHEncaps: null, encapMode: null, ownedSids: [] } },
    ]);
    expect((await topology.node('h1')).effective).toMatchObject({ msdHEncaps: null, sids: planned });
  });

  it('waits for a node that is not in the topology yet', async () => {
    await topology.recordAgentCapabilities([
      { node: 'h3', capabilities: { msdHEncaps: 5, encapMode: 'full', ownedSids: [owned] } },
    ]);
    await expect(topology.node('h3')).rejects.toMatchObject({ code: 'not-found' });
    await topology.importTopology({
      text: JSON.stringify({ waymark: 1, nodes: [{ id: 'h3', kind: 'host' }], links: [] }),
      format: 'native',
      source: 'other',
      actor,
    });
    expect((await topology.node('h3')).effective).toMatchObject({ msdHEncaps: 5, sids: [{ sid: 'fd00::a' }] });
  });
});
