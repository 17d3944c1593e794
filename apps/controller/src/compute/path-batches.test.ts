import { readFileSync } from 'node:fs';
import { computePaths, freezeSnapshot, reservableBps, type PathRequest, type Ted } from '@waymark/topology';
import { parseTopology, tedFromDocument } from '@waymark/topology-formats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BatchedAnswer, BatchItem, MeshPath } from '../model/path-batch.js';
import { ComputePool } from './compute-pool.js';
import { Jobs } from './jobs.js';
import { PathBatches } from './path-batches.js';
import { SnapshotCache } from './snapshot-cache.js';

const ted = tedFromDocument(
  parseTopology(readFileSync(new URL('../../../../examples/paper-testbed.yaml', import.meta.url), 'utf8'), 'native'),
  7,
);
const snapshot = freezeSnapshot(ted);
const request: PathRequest = { source: 'worker1', destination: 'worker2', metric: 'delay', constraints: {} };

let current: Ted;
let pool: ComputePool;
let jobs: Jobs;
let batches: PathBatches;

beforeEach(() => {
  current = ted;
  pool = new ComputePool({ threads: 1 });
  jobs = new Jobs({ controller: 'c1', now: () => new Date(), log: { error: () => undefined } });
  batches = new PathBatches({
    jobs,
    pool,
    snapshots: new SnapshotCache({ ted: () => Promise.resolve(current) }),
    unreservedNow: (of) => Promise.resolve(() => reservableBps(of)),
    findHeldSource: () => Promise.resolve(undefined),
  });
});

afterEach(async () => {
  await jobs.close();
  await pool.close();
});

async function answersOf(id: string): Promise<readonly BatchItem[]> {
  await expect.poll(() => batches.batch(id).status, { timeout: 20_000 }).toBe('done');
  return batches.answers(id, { limit: 1000 }).items;
}

describe('a batch of path computations', () => {
  it('answers each request as a path computation does', async () => {
    const requests = [request, { ...request, source: 'worker2', destination: 'worker1' }];
    await batches.create({ kind: 'requests', id: 'a', requests });
    const answers = (await answersOf('a')) as readonly BatchedAnswer[];
    expect(answers.map(({ index, answer }) => [index, answer])).toEqual(
      requests.map((one, i) => [i, computePaths(snapshot, one)]),
    );
    expect(batches.batch('a')).toMatchObject({ revision: 7, progress: { done: 2, total: 2 }, counts: { computed: 2 } });
  });

  it('lets synchronised requests take bandwidth from each other, the higher priority first', async () => {
    const most = Math.max(...reservableBps(snapshot).filter((bps) => !Number.isNaN(bps)));
    const wide = { ...request, constraints: { bandwidthBps: most } };
    const requests = [wide, { ...wide, setupPriority: 0 }];
    const alone = computePaths(snapshot, wide);
    await batches.create({ kind: 'requests', id: 'a', requests, synchronised: true });
    const answers = (await answersOf('a')) as readonly BatchedAnswer[];
    expect(answers.map(({ turn }) => turn)).toEqual([1, 0]);
    expect(answers[1]?.answer.status).toBe(alone.status);
    if (alone.status === 'computed')
      expect(answers[0]).toMatchObject({ answer: { status: 'no-path' }, becauseOf: [1] });
  });

  it('computes all pairs of a mesh, with the metric of a path computation', async () => {
    await batches.create({ kind: 'mesh', id: 'a', sources: ['worker1', 'worker2'], metric: 'delay', constraints: {} });
    const paths = (await answersOf('a')) as readonly MeshPath[];
    expect(paths.map(({ source, destination }) => `${source} ${destination}`)).toEqual([
      'worker1 worker2',
      'worker2 worker1',
    ]);
    for (const { source, destination, status, metric } of paths) {
      const answer = computePaths(snapshot, { ...request, source, destination });
      expect(status).toBe(answer.status);
      if (answer.status === 'computed') expect(metric).toBe(answer.paths[0]?.metrics.delayUs);
    }
  });

  it('is found by who asks again, whatever has become of the topology', async () => {
    const asked = { kind: 'requests', id: 'a', requests: [request] } as const;
    await batches.create(asked);
    current = { ...ted, nodes: [], links: [] };
    await expect(batches.create(asked)).resolves.toMatchObject({ id: 'a', revision: 7 });
    await expect(batches.create({ ...asked, requests: [request, request] })).rejects.toThrow(/asks for something else/);
  });

  it.each([
    ['/requests/1/source', { kind: 'requests', requests: [request, { ...request, source: 'atlantis' }] }],
    ['/requests/0/k', { kind: 'requests', synchronised: true, requests: [{ ...request, k: 2 }] }],
    ['/requests/0/optional/0', { kind: 'requests', requests: [{ ...request, optional: ['/constraints/bounds/0'] }] }],
    ['/destinations/0', { kind: 'mesh', sources: ['worker1'], destinations: ['x'], metric: 'igp', constraints: {} }],
  ] as const)('refuses what is wrong at %s, and holds nothing', async (field, batch) => {
    await expect(batches.create({ ...batch, id: 'a' })).rejects.toMatchObject({ info: { field } });
    expect(jobs.counts().held).toEqual([]);
  });
});
