import { describe, expect, it } from 'vitest';
import type { NoPath, PathsFound } from '../../model/path-answer.js';
import type { PathRequest } from '../../model/path-request.js';
import { freezeSnapshot } from '../../snapshot/freeze-snapshot.js';
import { buildTed, type LinkSpec } from '../../testing/build-ted.js';
import { computePaths } from '../compute-paths.js';

/*
 *        b (5)
 *      /   |   \
 * h1-a   (1)    d-h2     upper way 30 (IGP), lower way 40
 *      \   |   /
 *        c (3)
 */
const links: LinkSpec[] = [
  { between: 'h1-a' },
  { between: 'h2-d' },
  { between: 'a-b', bandwidthBps: 5e9 },
  { between: 'b-d', bandwidthBps: 5e9 },
  { between: 'a-c', bandwidthBps: 3e9, igpMetric: 20 },
  { between: 'c-d', bandwidthBps: 3e9 },
  { between: 'b-c', bandwidthBps: 1e9 },
];
const snapshot = freezeSnapshot(buildTed(['a', 'b', 'c', 'd', 'h1', 'h2'], links));

function request(bandwidthBps: number, more: Partial<PathRequest> = {}): PathRequest {
  return {
    source: 'h1',
    destination: 'h2',
    metric: 'igp',
    maxLists: 2,
    ...more,
    constraints: { bandwidthBps, ...more.constraints },
  };
}

function split(asked: PathRequest): PathsFound {
  return computePaths(snapshot, asked) as PathsFound;
}

function refused(asked: PathRequest): NoPath {
  return computePaths(snapshot, asked) as NoPath;
}

const ways = (answer: PathsFound) => answer.paths.map(({ weight, nodes }) => `${weight} x ${nodes.join(' ')}`);

describe('a demand over several lists', () => {
  it('fills the best way first', () => {
    const answer = split(request(8e9));
    expect(ways(answer)).toEqual(['5 x h1 a b d h2', '3 x h1 a c d h2']);
    expect([answer.optimality, answer.lowerBound]).toEqual(['optimal', (5 * 40 + 3 * 50) / 8]);
    expect(ways(split(request(6e9)))).toEqual(['5 x h1 a b d h2', '1 x h1 a c d h2']);
  });

  it('is one list as before where that carries it', () => {
    expect(split(request(5e9))).toEqual(split(request(5e9, { maxLists: 1 })));
  });

  it('reports the most that fits, and what is full', () => {
    expect(refused(request(9e9))).toMatchObject({
      reason: 'insufficient-bandwidth',
      constraint: '/constraints/bandwidthBps',
      nearestFeasible: 8e9,
      blockingLinks: ['b:d', 'c:d'],
      isProved: true,
      conflict: {
        constraints: [{ constraint: '/constraints/bandwidthBps', nearestFeasible: 8e9, metric: 43.75 }],
        isMinimal: true,
      },
    });
  });

  describe('where a bound leaves no way for any part', () => {
    const parallel = (ways: readonly (readonly [name: string, bps: number, delayUs: number])[]) =>
      freezeSnapshot(
        buildTed(
          ['a', ...ways.map(([name]) => name), 'z'],
          ways.flatMap(([name, bandwidthBps, delayUs]): LinkSpec[] => [
            { between: `a-${name}`, bandwidthBps, delayUs },
            { between: `${name}-z`, bandwidthBps, delayUs },
          ]),
        ),
      );
    const asked = (max: number): PathRequest => ({
      source: 'a',
      destination: 'z',
      metric: 'igp',
      families: [],
      maxLists: 2,
      constraints: { bandwidthBps: 15, bounds: [{ metric: 'delay', max }] },
    });
    const narrow = [
      ['p', 10, 5],
      ['q', 10, 6],
    ] as const;

    it('names the least value that a split keeps, not that of a single path', () => {
      for (const ways of [narrow, [...narrow, ['r', 20, 15] as const]]) {
        const ted = parallel(ways);
        expect(computePaths(ted, asked(5))).toMatchObject({
          reason: 'metric-bound-exceeded',
          constraint: '/constraints/bounds/0',
          nearestFeasible: 12,
          message: 'the least delay is 10, above the bound of 5; for the whole demand it takes 12',
          isProved: true,
          conflict: { constraints: [{ constraint: '/constraints/bounds/0', nearestFeasible: 12 }], isMinimal: true },
        });
        expect(computePaths(ted, asked(12)).status).toBe('computed');
        expect(computePaths(ted, asked(11)).status).toBe('no-path');
      }
    });

    it('names none where the bandwidth is too much without the bound, too', () => {
      expect(
        computePaths(
          parallel([
            ['p', 5, 5],
            ['q', 5, 6],
          ]),
          asked(5),
        ),
      ).toMatchObject({
        reason: 'metric-bound-exceeded',
        nearestFeasible: null,
        message: 'the least delay is 10, above the bound of 5; the whole demand fits at no value of it',
      });
    });
  });

  it('says that more lists would do', () => {
    const narrow = [1, 2, 3].map((n): LinkSpec => ({ between: `a-b#${n}`, bandwidthBps: 2e9 }));
    const parallel = freezeSnapshot(
      buildTed(['a', 'b', 'h1', 'h2'], [{ between: 'h1-a' }, { between: 'h2-b' }, ...narrow]),
    );
    const answer = computePaths(parallel, request(5e9)) as NoPath;
    expect(answer).toMatchObject({ nearestFeasible: 4e9, isProved: true });
    expect(answer.conflict.constraints).toEqual([
      { constraint: '/constraints/bandwidthBps', nearestFeasible: 4e9, metric: 30 },
      { constraint: '/maxLists', nearestFeasible: 3, metric: 30 },
    ]);
    const three = computePaths(parallel, request(5e9, { maxLists: 3 })) as PathsFound;
    expect(three.paths.map(({ weight }) => weight)).toEqual([2, 2, 1]);
  });

  it('keeps every other constraint on each list', () => {
    expect(refused(request(8e9, { constraints: { bounds: [{ metric: 'igp', max: 49 }] } }))).toMatchObject({
      reason: 'insufficient-bandwidth',
      nearestFeasible: 5e9,
    });
    expect(refused(request(8e9, { constraints: { exclude: { links: ['a:c'] } } })).nearestFeasible).toBe(5e9);
  });

  it('may be optional, as may the number of its lists', () => {
    const bandwidth = split(request(9e9, { optional: ['/constraints/bandwidthBps'] }));
    expect(ways(bandwidth)).toEqual(['1 x h1 a b d h2']);
    expect(bandwidth.optional).toEqual([{ constraint: '/constraints/bandwidthBps', isAchieved: false, missedBy: 4e9 }]);
    const lists = split(request(8e9, { maxLists: 1, optional: ['/maxLists'] }));
    expect(lists.paths).toHaveLength(2);
    expect(lists.optional).toEqual([{ constraint: '/maxLists', isAchieved: false, missedBy: 1 }]);
  });

  it('is not split by a host that splits over its links by itself', () => {
    const both = freezeSnapshot(buildTed(['a', 'b', 'c', 'd', 'h1', 'h2'], [...links, { between: 'h1-b' }]));
    expect(computePaths(both, request(8e9)).status).toBe('no-path');
  });

  it('weighs in small numbers, within what is left to the bit', () => {
    const odd = links.map((link) => (link.between === 'a-b' ? { ...link, bandwidthBps: 4_999_999_999 } : link));
    const answer = computePaths(
      freezeSnapshot(buildTed(['a', 'b', 'c', 'd', 'h1', 'h2'], odd)),
      request(7e9),
    ) as PathsFound;
    const [upper = 0, lower = 0] = answer.paths.map(({ weight }) => weight);
    expect(upper + lower).toBeLessThanOrEqual(255);
    expect((7e9 * upper) / (upper + lower)).toBeLessThanOrEqual(4_999_999_999);
    expect(answer.optimality).toBe('optimal');
  });

  it('claims nothing that the work budget did not let it prove', () => {
    for (let workBudget = 0; workBudget <= 4000; workBudget += 25) {
      const fits = computePaths(snapshot, request(8e9), { workBudget });
      if (fits.status === 'no-path') expect(fits.isProved).toBe(false);
      else expect(fits.lowerBound).toBeLessThanOrEqual(43.75);
      const answer = computePaths(snapshot, request(9e9), { workBudget });
      expect(answer.status).toBe('no-path');
      if (answer.status === 'no-path') expect([null, 5e9, 8e9]).toContain(answer.nearestFeasible);
    }
  });
});
