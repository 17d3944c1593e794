import { readFileSync } from 'node:fs';
import {
  computePaths,
  demandLoad,
  freezeSnapshot,
  overlaidSnapshot,
  reservableBps,
  type Overlay,
  type PathRequest,
} from '@waymark/topology';
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

let pool: ComputePool;
let jobs: Jobs;
let batches: PathBatches;

beforeEach(() => {
  pool = new ComputePool({ threads: 1 });
  jobs = new Jobs({ controller: 'c1', now: () => new Date(), log: { error: () => undefined } });
  batches = new PathBatches({
    jobs,
    pool,
    snapshots: new SnapshotCache({ ted: () => Promise.resolve(ted) }),
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

  it('computes everything under the overlay, which it shows, with what its demands take', async () => {
    const link = ted.links[0]?.id ?? '';
    const demand = { source: 'worker1', destination: 'worker2', bandwidthBps: 5_000_000_000, priority: 3 };
    const overlay: Overlay = { links: [{ link, delayUs: 4000 }], demands: [demand] };
    const seen = overlaidSnapshot(snapshot, overlay);
    const unreservedBps = reservableBps(seen);
    for (const { linkId, bandwidthBps } of demandLoad(seen, demand) ?? []) {
      const arc = seen.arcOf(linkId);
      unreservedBps[arc] = Math.max(0, (unreservedBps[arc] as number) - bandwidthBps);
    }
    const wide = { ...request, constraints: { bandwidthBps: 6_000_000_000 } };
    const requests = [request, wide, { ...wide, setupPriority: 2 }];
    const expected = [
      computePaths(seen, request, { unreservedBps }),
      computePaths(seen, wide, { unreservedBps }),
      computePaths(seen, wide),
    ];
    for (const synchronised of [false, true]) {
      const id = `a-${synchronised}`;
      const asked = synchronised ? requests.slice(0, 2) : requests;
      await batches.create({ kind: 'requests', id, requests: asked, overlay, synchronised });
      const answers = (await answersOf(id)) as readonly BatchedAnswer[];
      expect(answers.map(({ answer }) => answer)).toEqual(expected.slice(0, asked.length));
      expect(batches.batch(id).hypothetical).toEqual({ overlay, unroutedDemands: [] });
    }
    const mesh = { kind: 'mesh', sources: ['worker1'], destinations: ['worker2'], metric: 'delay', overlay } as const;
    await batches.create({ ...mesh, id: 'm', constraints: wide.constraints });
    expect(await answersOf('m')).toMatchObject([{ status: expected[1]?.status }]);
    await batches.create({ ...mesh, id: 'n', constraints: {} });
    const [short] = (await answersOf('n')) as readonly MeshPath[];
    const [long] = expected;
    expect(short?.metric).toBe(long?.status === 'computed' ? long.paths[0]?.metrics.delayUs : null);
  });

  it('adds the protection that a request asks for', async () => {
    const protectedRequest: PathRequest = {
      ...request,
      protection: { standby: { disjoint: 'link' }, detours: ['link'] },
    };
    await batches.create({ kind: 'requests', id: 'a', requests: [protectedRequest] });
    const [item] = (await answersOf('a')) as readonly BatchedAnswer[];
    expect(item?.answer).toEqual(computePaths(snapshot, protectedRequest));
    expect(item?.answer).toMatchObject({
      paths: [{ protection: { standby: { status: expect.any(String) as string } } }],
    });
  });

  it.each([
    ['/overlay/down/nodes/0', { kind: 'requests', requests: [request], overlay: { down: { nodes: ['atlantis'] } } }],
    [
      '/requests/0/protection/standby/constraints/exclude/nodes/0',
      {
        kind: 'requests',
        requests: [
          {
            ...request,
            protection: { standby: { disjoint: 'link', constraints: { exclude: { nodes: ['atlantis'] } } } },
          },
        ],
      },
    ],
    ['/requests/1/source', { kind: 'requests', requests: [request, { ...request, source: 'atlantis' }] }],
    ['/requests/0/k', { kind: 'requests', synchronised: true, requests: [{ ...request, k: 2 }] }],
    ['/requests/0/optional/0', { kind: 'requests', requests: [{ ...request, optional: ['/constraints/bounds/0'] }] }],
    ['/destinations/0', { kind: 'mesh', sources: ['worker1'], destinations: ['x'], metric: 'igp', constraints: {} }],
  ] as const)('refuses what is wrong at %s, and holds nothing', async (field, batch) => {
    await expect(batches.create({ ...batch, id: 'a' })).rejects.toMatchObject({ info: { field } });
    expect(jobs.counts().held).toEqual([]);
  });
});
