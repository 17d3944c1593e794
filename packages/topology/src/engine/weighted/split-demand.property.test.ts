import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { metricOf } from '../../model/metric-of.js';
import type { ComputedPath, PathsFound } from '../../model/path-answer.js';
import type { PathRequest } from '../../model/path-request.js';
import type { Ted, TedLink } from '../../model/ted.js';
import { prove } from '../../proof/prove.js';
import { freezeSnapshot } from '../../snapshot/freeze-snapshot.js';
import { arbitraryRequest, type RequestShape } from '../../testing/arbitrary-request.js';
import { arbitraryTed } from '../../testing/arbitrary-ted.js';
import { allowedLinks, allowedWalks, walkMetric } from '../../testing/path-oracle.js';
import { solve } from '../../testing/solver.js';
import { flowProgramme, splitProgramme } from '../../testing/split-oracle.js';
import { computePaths } from '../compute-paths.js';

/**
 * Requests for more than any path has, with several ways for a part of it, of a headend that does not split by itself. Dense
 * networks, or hardly any could be split.
 */
function cases(shape: RequestShape & { readonly maxSegments?: boolean }, maxRouters = 4) {
  return arbitraryTed({ maxRouters, maxLinks: 9, healthy: true })
    .chain((ted) =>
      fc.record({
        ted: fc.constant(ted),
        plain: arbitraryRequest(ted, shape).filter(({ metric }) => metric !== 'loss'),
        bandwidthBps: fc.constantFrom(15, 25, 32, 35, 40),
        maxLists: fc.integer({ min: 2, max: 4 }),
        maxSegments: fc.integer({ min: 1, max: 2 }),
      }),
    )
    .filter(({ ted, plain: { source } }) => !source.startsWith('h') || linksOf(ted, source).length === 1)
    .map(({ ted, plain, bandwidthBps, maxLists, maxSegments }) => {
      const constraints = { ...plain.constraints, bandwidthBps };
      const limit = shape.maxSegments === true ? { maxSegments } : {};
      return { ted, request: { ...plain, constraints, maxLists, ...limit } };
    })
    .filter(({ ted, request }) => walksOf(ted, request).length > 1 && !isOneEnough(ted, request));
}

function linksOf(ted: Ted, node: string): TedLink[] {
  return ted.links.filter((link) => link.from === node);
}

/** Ways for any part of the demand. */
function walksOf(ted: Ted, request: PathRequest): TedLink[][] {
  return allowedWalks(ted, { ...request, constraints: { ...request.constraints, bandwidthBps: 1 } });
}

function isOneEnough(ted: Ted, request: PathRequest): boolean {
  return allowedWalks(ted, request).length > 0;
}

function meanOf({ metric, paths }: PathsFound): number {
  const weights = paths.reduce((sum, { weight }) => sum + weight, 0);
  return paths.reduce((sum, path) => sum + path.weight * (metricOf(path.metrics, metric) ?? Number.NaN), 0) / weights;
}

/** The least mean over two of these walks with any weights, all of them tried. */
function bestOfTwo(walks: readonly TedLink[][], { metric }: PathRequest, demand: number): number {
  let best = Infinity;
  walks.forEach((one, i) => {
    for (const two of walks.slice(i + 1)) {
      const limits = [...new Set([...one, ...two])].map((link) => ({
        free: link.bandwidthBps ?? 0,
        first: one.includes(link) ? demand : 0,
        second: two.includes(link) ? demand : 0,
      }));
      const [a, b] = [walkMetric(one, metric), walkMetric(two, metric)];
      for (let sum = 2; sum <= 255; sum++) {
        for (let w = 1; w < sum; w++) {
          const mean = (w * a + (sum - w) * b) / sum;
          if (mean < best && limits.every((l) => l.first * w + l.second * (sum - w) <= l.free * sum)) best = mean;
        }
      }
    }
  });
  return best;
}

/** Every list proved for its part alone, and every link's load in whole bits. */
function check(ted: Ted, request: PathRequest, paths: readonly ComputedPath[]): void {
  const snapshot = freezeSnapshot(ted);
  const { source: headend, destination, constraints, maxSegments } = request;
  const demand = constraints.bandwidthBps ?? 0;
  const sum = paths.reduce((total, { weight }) => total + weight, 0);
  expect(sum).toBeLessThanOrEqual(255);
  expect(new Set(paths.map(({ links }) => links.join())).size).toBe(paths.length);
  const load = new Map<string, number>();
  for (const { weight, links, segmentLists } of paths) {
    expect(Number.isInteger(weight) && weight >= 1).toBe(true);
    for (const link of links) load.set(link, (load.get(link) ?? 0) + weight);
    for (const list of segmentLists) {
      const bandwidthBps = (demand * weight) / sum;
      const proof = prove(
        snapshot,
        list.entries.map(({ address }) => address),
        { headend, destination, constraints: { ...constraints, bandwidthBps }, ...(maxSegments && { maxSegments }) },
      );
      expect([proof.violation, proof.singlePath]).toEqual([null, true]);
      expect(proof.load.map(({ linkId }) => linkId)).toEqual([...new Set(links)].sort());
    }
  }
  for (const [id, weight] of load) {
    const link = ted.links.find((entry) => entry.id === id);
    expect(Math.ceil((demand * weight) / sum)).toBeLessThanOrEqual(link?.bandwidthBps ?? 0);
  }
}

describe.each<[string, RequestShape]>([
  ['constraints on links', {}],
  ['bounds', { bounds: true }],
  ['an include list', { include: true }],
])('a demand with %s that fits on no single path', (_, shape) => {
  it('is split as cheaply as a mixed integer programme over all walks does it', async () => {
    let split = 0;
    await fc.assert(
      fc.asyncProperty(cases(shape), async ({ ted, request }) => {
        const oracle = await solve(splitProgramme(ted, request, walksOf(ted, request)));
        const answer = computePaths(freezeSnapshot(ted), request, { skipConflict: true });
        if (answer.status === 'no-path') {
          expect([answer.message, answer.isProved, oracle.status]).toEqual([answer.message, true, 'Infeasible']);
          return;
        }
        split++;
        check(ted, request, answer.paths);
        expect(answer.paths.length).toBeGreaterThan(1);
        expect(answer.paths.length).toBeLessThanOrEqual(request.maxLists);
        expect(oracle.status).toBe('Optimal');
        if (request.constraints.include !== undefined && answer.optimality === 'feasible') {
          // Walks that cross links twice have best splits that no weights up to 255 are.
          expect(answer.lowerBound).toBeLessThanOrEqual(oracle.value + 1e-4);
          expect(meanOf(answer)).toBeGreaterThanOrEqual(oracle.value - 1e-4);
          return;
        }
        expect(answer.optimality).toBe('optimal');
        expect(meanOf(answer)).toBeCloseTo(oracle.value, 4);
        expect(answer.lowerBound).toBeCloseTo(oracle.value, 4);
      }),
      { numRuns: 60 },
    );
    expect(split).toBeGreaterThan(0);
  });

  it('is refused with the most that fits', () => {
    let refused = 0;
    fc.assert(
      fc.property(cases(shape), ({ ted, request }) => {
        const snapshot = freezeSnapshot(ted);
        const answer = computePaths(snapshot, request);
        fc.pre(answer.status === 'no-path' && answer.constraint === '/constraints/bandwidthBps');
        refused++;
        const ask = (bandwidthBps: number) =>
          computePaths(snapshot, { ...request, constraints: { ...request.constraints, bandwidthBps } }).status;
        const { nearestFeasible, conflict } = answer;
        if (nearestFeasible === null) {
          expect(ask(1)).toBe('no-path');
          return;
        }
        expect([ask(nearestFeasible), ask(nearestFeasible + 1)]).toEqual(['computed', 'no-path']);
        const more = conflict.constraints.find(({ constraint }) => constraint === '/maxLists');
        const maxLists = more?.nearestFeasible ?? null;
        if (maxLists !== null) {
          expect(computePaths(snapshot, { ...request, maxLists }).status).toBe('computed');
          expect(computePaths(snapshot, { ...request, maxLists: maxLists - 1 }).status).toBe('no-path');
        }
      }),
      { numRuns: 60 },
    );
    expect(refused).toBeGreaterThan(0);
  });
});

/** Refused although bandwidth is not to blame: no part of the demand keeps the bound, which is as tight as can be. */
const tooTight = cases({ bounds: true }).chain(({ ted, request }) =>
  fc.record({
    ted: fc.constant(ted),
    metric: fc.constantFrom('igp' as const, 'delay' as const, 'hop' as const, 'loss' as const),
    max: fc.integer({ min: 0, max: 4 }),
    request: fc.constant(request),
  }),
);

describe('a demand of which no part keeps a bound', () => {
  it('is refused with the least value of it that a split of the whole keeps', () => {
    const seen = { more: 0, none: 0 };
    fc.assert(
      fc.property(tooTight, ({ ted, metric, max, request: asked }) => {
        const { bandwidthBps } = asked.constraints;
        const request: PathRequest = { ...asked, constraints: { bandwidthBps, bounds: [{ metric, max }] } };
        const snapshot = freezeSnapshot(ted);
        const answer = computePaths(snapshot, request);
        fc.pre(answer.status === 'no-path' && answer.reason === 'metric-bound-exceeded');
        const { constraint, nearestFeasible, isProved, conflict } = answer;
        expect([constraint, isProved]).toEqual(['/constraints/bounds/0', true]);
        expect(conflict.constraints.map((entry) => entry.constraint)).toContain(constraint);
        const within = (value: number) => {
          const bounds = [{ metric, max: value }];
          return computePaths(snapshot, { ...request, constraints: { bandwidthBps, bounds } }).status;
        };
        if (nearestFeasible === null) expect(within(1_000_000)).toBe('no-path');
        else expect([within(nearestFeasible), within(nearestFeasible - 1)]).toEqual(['computed', 'no-path']);
        seen[nearestFeasible === null ? 'none' : 'more']++;
      }),
      { numRuns: 100 },
    );
    expect(Math.min(seen.more, seen.none)).toBeGreaterThan(0);
  });
});

describe('a demand that fits on no single path', () => {
  it('has the bound of a flow over links', async () => {
    let split = 0;
    await fc.assert(
      fc.asyncProperty(cases({}), async ({ ted, request: asked }) => {
        const request = { ...asked, maxLists: 16 };
        const anyPart = { ...request, constraints: { ...request.constraints, bandwidthBps: 1 } };
        const oracle = await solve(flowProgramme(ted, request, allowedLinks(ted, anyPart)));
        const answer = computePaths(freezeSnapshot(ted), request, { skipConflict: true });
        if (answer.status === 'no-path') {
          expect([answer.message, oracle.status]).toEqual([answer.message, 'Infeasible']);
          return;
        }
        split++;
        expect(answer.lowerBound).toBeCloseTo(oracle.value, 4);
      }),
      { numRuns: 60 },
    );
    expect(split).toBeGreaterThan(0);
  });

  it('is split over lists that the headend can push', async () => {
    let split = 0;
    await fc.assert(
      fc.asyncProperty(cases({ bounds: true, maxSegments: true }), async ({ ted, request }) => {
        const snapshot = freezeSnapshot(ted);
        const canPush = (walk: readonly TedLink[]) => {
          const include = walk.map(({ id }) => ({ link: id, hop: 'strict' as const }));
          const constraints = { ...request.constraints, bandwidthBps: 1, include };
          return (
            computePaths(snapshot, { ...request, maxLists: 1, constraints }, { skipConflict: true }).status ===
            'computed'
          );
        };
        const walks = walksOf(ted, request).filter(canPush);
        const answer = computePaths(snapshot, request, { skipConflict: true });
        fc.pre(answer.status === 'no-path' || answer.paths.length > 1);
        const oracle = await solve(splitProgramme(ted, request, walks));
        if (answer.status === 'no-path') {
          if (answer.isProved) expect([answer.message, oracle.status]).toEqual([answer.message, 'Infeasible']);
          return;
        }
        split++;
        check(ted, request, answer.paths);
        expect(meanOf(answer)).toBeGreaterThanOrEqual(answer.lowerBound - 1e-6);
        if (oracle.status !== 'Optimal') return;
        expect(answer.lowerBound).toBeLessThanOrEqual(oracle.value + 1e-4);
        if (answer.optimality === 'optimal') expect(meanOf(answer)).toBeLessThanOrEqual(oracle.value + 1e-4);
      }),
      { numRuns: 60 },
    );
    expect(split).toBeGreaterThan(0);
  });

  it('has the best two weights that add up to 255 at most', () => {
    let split = 0;
    const oddCases = cases({}, 3).chain(({ ted, request }) =>
      fc.record({
        bandwidths: fc.array(fc.integer({ min: 200, max: 900 }), {
          minLength: ted.links.length,
          maxLength: ted.links.length,
        }),
        ted: fc.constant(ted),
        request: fc.constant({ ...request, maxLists: 2 }),
        bandwidthBps: fc.integer({ min: 500, max: 1500 }),
      }),
    );
    fc.assert(
      fc.property(oddCases, ({ ted: even, request: asked, bandwidths, bandwidthBps }) => {
        const odd = even.links.map((link, i) => ({ ...link, bandwidthBps: bandwidths[i] ?? 0 }));
        const ted: Ted = { ...even, links: odd };
        const request = { ...asked, constraints: { ...asked.constraints, bandwidthBps } };
        fc.pre(!isOneEnough(ted, request));
        const best = bestOfTwo(walksOf(ted, request), request, bandwidthBps);
        const answer = computePaths(freezeSnapshot(ted), request, { skipConflict: true });
        if (answer.status === 'no-path') {
          expect([answer.isProved, best]).toEqual([true, Infinity]);
          return;
        }
        split++;
        check(ted, request, answer.paths);
        expect(answer.optimality).toBe('optimal');
        expect(meanOf(answer)).toBeCloseTo(best, 9);
      }),
      { numRuns: 150 },
    );
    expect(split).toBeGreaterThan(0);
  });

  it('costs no more with more lists, nor for less bandwidth', () => {
    fc.assert(
      fc.property(cases({ bounds: true }), ({ ted, request }) => {
        const snapshot = freezeSnapshot(ted);
        const { maxLists, constraints } = request;
        const valueOf = (changed: PathRequest) => {
          const answer = computePaths(snapshot, changed, { skipConflict: true });
          // One list that carries everything is the answer even where several would be cheaper.
          return answer.status === 'no-path' ? Infinity : answer.paths.length === 1 ? null : meanOf(answer);
        };
        const value = valueOf(request);
        const more = valueOf({ ...request, maxLists: maxLists + 1 });
        const less = valueOf({
          ...request,
          constraints: { ...constraints, bandwidthBps: constraints.bandwidthBps - 1 },
        });
        if (value === null) return;
        if (more !== null) expect(more).toBeLessThanOrEqual(value + 1e-9);
        if (less !== null) expect(less).toBeLessThanOrEqual(value + 1e-9);
      }),
      { numRuns: 200 },
    );
  });

  it('is not split where one path carries it, nor where lists branch', () => {
    fc.assert(
      fc.property(
        arbitraryTed({ maxRouters: 5, maxLinks: 8 }).chain((ted) =>
          fc.record({ ted: fc.constant(ted), request: arbitraryRequest(ted, { bounds: true }) }),
        ),
        ({ ted, request }) => {
          const snapshot = freezeSnapshot(ted);
          const one = computePaths(snapshot, request, { skipConflict: true });
          const several = computePaths(snapshot, { ...request, maxLists: 3 }, { skipConflict: true });
          if (one.status === 'computed') expect(several).toEqual(one);
          if (several.status === 'computed') expect(several.paths.every((path) => path.weight >= 1)).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });
});
