import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ComputePool } from '../compute/compute-pool.js';
import { PathComputation } from '../compute/path-computation.js';
import { SnapshotCache } from '../compute/snapshot-cache.js';
import { ringTopology } from '../testing/topology-text.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { heldSourceOf } from './held-sources.js';
import { TedService } from './ted-service.js';

const actor = { name: 'igp-reader' };
let database: TestDatabase;
let topology: TedService;
let pool: ComputePool;
let paths: PathComputation;
let believed: number;
let held: number;

beforeAll(async () => {
  database = await createTestDatabase();
  topology = new TedService({ ...database, clock: () => new Date() });
  await topology.importTopology({ text: ringTopology(), format: 'native', source: 'file', actor });
  pool = new ComputePool({ threads: 1 });
  paths = new PathComputation({
    snapshots: new SnapshotCache(topology),
    pool,
    unreservedBps: (snapshot) => Promise.resolve(snapshot.data.reservableBps),
    findHeldSource: (elements) => heldSourceOf(database.db, elements),
  });
  const links = (await topology.ted()).links.map(({ id }) => id);
  const states = links.map((link) => ({ kind: 'link-state' as const, link, state: 'up' as const }));
  believed = (await topology.applySourceBatch('igp', { sequence: 1, full: true, events: states }, actor)).revision;
  held = (await topology.applySourceBatch('igp', { sequence: 2, full: true, events: [] }, actor)).revision;
});

afterAll(async () => {
  await pool.close();
  await database.drop();
});

const request = { source: 'r1', destination: 'r3', metric: 'igp', constraints: {}, families: [] } as const;
const impossible = { ...request, constraints: { bandwidthBps: 1e15 } };

describe('while a source is held', () => {
  it('a path that exists is answered', async () => {
    expect(await paths.compute(request)).toMatchObject({ status: 'computed' });
  });

  it('no path may be for want of news: the source is named, with what was found besides', async () => {
    const past = await paths.compute(impossible, believed);
    expect(past).toMatchObject({ status: 'no-path', reason: 'insufficient-bandwidth' });
    if (past.status !== 'no-path') return;
    const now = await paths.compute(impossible);
    expect(now).toEqual({
      ...past,
      revision: now.revision,
      reason: 'ted-stale',
      message: `source igp has been held since revision ${held}, so the topology may be out of date: ${past.message}`,
    });
    expect(await paths.compute(impossible)).toEqual(now);
  });

  it('no paths for a group are told in the same way', async () => {
    const member = { source: 'r1', destination: 'r3', constraints: impossible.constraints, families: [] };
    const group = { members: [member, member], metric: 'igp', disjoint: ['link'], objective: 'sum' } as const;
    expect(await paths.computeDisjoint(group)).toMatchObject({ status: 'no-path', reason: 'ted-stale' });
    expect(await paths.computeDisjoint(group, believed)).toMatchObject({ reason: 'insufficient-bandwidth' });
  });

  it('only what it speaks of is in question; anything is where nothing blocks', async () => {
    expect(await heldSourceOf(database.db, { links: ['r1:r2'], nodes: [] })).toEqual({ id: 'igp', heldRevision: held });
    expect(await heldSourceOf(database.db, { links: ['no:link'], nodes: ['nobody'] })).toBeUndefined();
    expect(await heldSourceOf(database.db, { links: [], nodes: [] })).toMatchObject({ id: 'igp' });
  });

  it('ends with its release', async () => {
    await topology.releaseSource('igp', 'discard', actor);
    expect(await paths.compute(impossible)).toMatchObject({ reason: 'insufficient-bandwidth' });
  });
});
