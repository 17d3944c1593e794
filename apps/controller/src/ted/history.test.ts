import type { Ted } from '@waymark/topology';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withRevision } from '../storage/revision.js';
import { ringTopology } from '../testing/topology-text.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { pruneHistory } from './history.js';
import { TedService } from './ted-service.js';

const actor = { name: 'test' };
const LINKS = ['r1:r2', 'r2:r1', 'r2:r3', 'r3:r2', 'h1:r1'];
const NODES = ['h1', 'r1', 'r3'];

/** One thing that somebody may do to the TED. */
type Step = (topology: TedService) => Promise<unknown>;

const state = fc.constantFrom('up' as const, 'down' as const);
const anImport: fc.Arbitrary<Step> = fc
  .record({
    igpMetric: fc.constantFrom(10, 20),
    delayUs: fc.constantFrom(1_000, 5_000),
    withoutHost: fc.boolean(),
    flexible: fc.boolean(),
    source: fc.constantFrom('a', 'b'),
  })
  .map(
    ({ source, ...ring }) =>
      (topology) =>
        topology.importTopology({ text: ringTopology(ring), format: 'native', source, actor }),
  );
const constraints: fc.Arbitrary<Step> = fc
  .record({
    link: fc.constantFrom(...LINKS),
    mode: fc.constantFrom('replace' as const, 'patch' as const),
    constraints: fc.record(
      {
        adminState: fc.constantFrom('drained' as const, null),
        delayUs: fc.constantFrom(7_000, null),
        affinities: fc.constantFrom(['gold'], [], null),
        srlgs: fc.constantFrom([2, 1], null),
      },
      { requiredKeys: [] },
    ),
  })
  .map(
    ({ mode, ...change }) =>
      (topology) =>
        topology.setLinkConstraints({ changes: [change], mode, actor }),
  );
const nodeConstraints: fc.Arbitrary<Step> = fc
  .record({
    node: fc.constantFrom(...NODES),
    msdHEncaps: fc.constantFrom(3, null),
    msdSegmentsLeft: fc.constantFrom(0, 2, null),
    msdEndPop: fc.constantFrom(1, null),
    msdEndD: fc.constantFrom(255, null),
  })
  .map(
    ({ node, ...constraints }) =>
      (topology) =>
        topology.setNodeConstraints({ node, constraints, mode: 'patch', actor }),
  );
const events: fc.Arbitrary<Step> = fc
  .record({
    full: fc.boolean(),
    events: fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('link-state' as const), link: fc.constantFrom(...LINKS), state }),
        fc.record({ kind: fc.constant('node-state' as const), node: fc.constantFrom(...NODES), state }),
        fc.record({
          kind: fc.constant('link-igp-metric' as const),
          link: fc.constantFrom(...LINKS),
          igpMetric: fc.constantFrom(10, 30),
        }),
        fc.record({
          kind: fc.constant('link-measurement' as const),
          link: fc.constantFrom(...LINKS),
          delayUs: fc.constantFrom(1_000, 1_050, 3_000, null),
        }),
        fc.record({
          kind: fc.constant('service-sids' as const),
          node: fc.constant('h1'),
          sids: fc.subarray([
            { sid: 'fd00::4', behavior: 'End.DT4' as const },
            { sid: 'fd00::6', behavior: 'End.DT6' as const },
            { sid: 'fd00::46', behavior: 'End.DT46' as const },
          ]),
        }),
      ),
      { maxLength: 4 },
    ),
  })
  .map((batch) => async (topology) => {
    const known = (await topology.sources({}, { limit: 10 })).items.find((source) => source.id === 'igp');
    await topology.applySourceBatch('igp', { ...batch, sequence: (known?.lastSequence ?? 0) + 1 }, actor);
  });
const agent: fc.Arbitrary<Step> = fc
  .record({
    msdHEncaps: fc.constantFrom(null, 2, 5),
    encapMode: fc.constantFrom('full' as const, 'reduced' as const),
    ownedSids: fc.subarray([{ sid: 'fd00::a', behavior: 'End.DT46' as const }]),
  })
  .map((capabilities) => (topology) => topology.recordAgentCapabilities([{ node: 'h1', capabilities }]));
const confirmation: fc.Arbitrary<Step> = fc.constant((topology) => topology.confirmPlannedSids('all', actor));

describe('history', () => {
  let database: TestDatabase;
  let topology: TedService;

  beforeEach(async () => {
    database = await createTestDatabase();
    topology = service();
  });

  afterEach(async () => {
    await database.drop();
  });

  const service = () => new TedService({ ...database, clock: () => new Date() });
  const load = (igpMetric: number) =>
    topology.importTopology({ text: ringTopology({ igpMetric }), format: 'native', source: 'ring', actor });

  it('gives back every past TED as it was seen then, whatever happened since', async () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 2, arbitrary: anImport },
        constraints,
        nodeConstraints,
        { weight: 3, arbitrary: events },
        agent,
        confirmation,
      ),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(anImport, steps, async (first, others) => {
        const own = await createTestDatabase();
        try {
          const subject = new TedService({ ...own, clock: () => new Date() });
          const seen: Ted[] = [];
          for (const step of [first, ...others]) {
            // A step may be refused (a held source, a link that is gone); what is refused must leave no trace.
            await step(subject).catch(() => undefined);
            seen.push(structuredClone(await subject.ted()));
          }
          const stranger = new TedService({ ...own, clock: () => new Date() });
          expect(await stranger.ted()).toEqual(seen.at(-1));
          for (const ted of seen) expect(await stranger.ted(ted.revision)).toEqual(ted);
          expect((await stranger.ted(0)).nodes).toEqual([]);
        } finally {
          await own.drop();
        }
      }),
      { numRuns: 25 },
    );
  }, 120_000);

  it('finds the TED of any revision, though policies have revisions of their own', async () => {
    const policyChange = { actor: 'test', kind: 'policy', summary: 'a policy', ted: false };
    await withRevision(database.db, policyChange, () => Promise.resolve());
    await load(10);
    await withRevision(database.db, policyChange, () => Promise.resolve());
    await load(20);
    const metrics: (number | undefined)[] = [];
    for (const revision of [0, 1, 2, 3, 4]) {
      const ted = await topology.tedAtRevision(revision);
      metrics.push(ted.links[0]?.igpMetric, ted.revision);
    }
    expect(metrics).toEqual([undefined, 0, undefined, 0, 10, 1, 10, 1, 20, 2]);
    expect(await topology.tedAtRevision(4)).toBe(await topology.ted());
    await expect(topology.tedAtRevision(5)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('is exported as of any revision of the change log', async () => {
    const policyChange = { actor: 'test', kind: 'policy', summary: 'a policy', ted: false };
    await load(15);
    await withRevision(database.db, policyChange, () => Promise.resolve());
    await load(20);
    const exported = (revision?: number) =>
      topology.exportTopology({ syntax: 'json', ...(revision !== undefined && { revision }) });
    expect(await exported(1)).toContain('"igpMetric": 15');
    expect(await exported(2)).toBe(await exported(1));
    expect(await exported(3)).toContain('"igpMetric": 20');
    expect(await exported(3)).toBe(await exported());
    await expect(exported(4)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('logs who changed what, newest first, page by page', async () => {
    await load(10);
    await load(20);
    await topology.setNodeConstraints({ node: 'r1', constraints: { adminState: 'drained' }, mode: 'patch', actor });
    const first = await topology.changes({}, { limit: 2 });
    expect(first.items.map(({ revision, kind }) => [revision, kind])).toEqual([
      [3, 'node-constraints'],
      [2, 'topology-import'],
    ]);
    expect(first.items[0]).toMatchObject({ actor: 'test', summary: 'Constraints of node r1: adminState drained' });
    const second = await topology.changes({}, { limit: 2, after: first.next ?? '' });
    expect(second.items.map(({ revision }) => revision)).toEqual([1]);
    expect(second.next).toBeNull();
  });

  it('says of a change what each entity was before and after', async () => {
    await load(10);
    await topology.setLinkConstraints({
      changes: [{ link: 'r1:r2', constraints: { teMetric: 5 } }],
      mode: 'patch',
      actor,
    });
    await topology.setLinkConstraints({
      changes: [{ link: 'r1:r2', constraints: { teMetric: 6 } }],
      mode: 'patch',
      actor,
    });
    expect(await topology.change(3)).toMatchObject({
      revision: 3,
      entityCount: 1,
      entities: [{ entity: 'link', id: 'r1:r2', layer: 'operator', before: { teMetric: 5 }, after: { teMetric: 6 } }],
    });
  });

  it('knows no revision of the future', async () => {
    await expect(topology.ted(1)).rejects.toMatchObject({ code: 'not-found' });
    await expect(topology.change(1)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('forgets what is older than its retention, and says so', async () => {
    for (const igpMetric of [10, 20, 30]) await load(igpMetric);
    await database.db.updateTable('head').set({ computed_through: 3 }).execute();
    const before = await topology.ted();
    expect(await pruneHistory(database.db, new Date(Date.now() + 60_000))).toBe(3);
    await expect(topology.ted(2)).rejects.toMatchObject({ code: 'revision-pruned' });
    await expect(topology.change(1)).rejects.toMatchObject({ code: 'revision-pruned' });
    expect(await service().ted(3)).toEqual(before);
    expect((await topology.changes({}, { limit: 10 })).items.map(({ revision }) => revision)).toEqual([3]);
  });

  it('keeps what the leader has yet to react to', async () => {
    for (const igpMetric of [10, 20, 30]) await load(igpMetric);
    await database.db.updateTable('head').set({ computed_through: 2 }).execute();
    expect(await pruneHistory(database.db, new Date(Date.now() + 60_000))).toBe(2);
    expect((await topology.ted(2)).links[0]?.igpMetric).toBe(20);
  });

  it('keeps what is younger than its retention', async () => {
    await load(10);
    await load(20);
    expect(await pruneHistory(database.db, new Date(0))).toBe(0);
    expect((await topology.ted(1)).links[0]?.igpMetric).toBe(10);
  });

  it('pruned under a reader that missed revisions does not lead it astray', async () => {
    const late = service();
    await load(10);
    await late.ted();
    await topology.importTopology({
      text: ringTopology({ withoutHost: true }),
      format: 'native',
      source: 'ring',
      actor,
    });
    await database.db.updateTable('head').set({ computed_through: 2 }).execute();
    await pruneHistory(database.db, new Date(Date.now() + 60_000));
    expect(await late.ted()).toEqual(await topology.ted());
  });
});
