import { describe, expect, it } from 'vitest';
import type { DisjointMember, DisjointRequest } from '../../model/disjoint-paths.js';
import { freezeSnapshot } from '../../snapshot/freeze-snapshot.js';
import { buildTed, type LinkSpec } from '../../testing/build-ted.js';
import { computeDisjointPaths } from './compute-disjoint.js';

/** Of lines "<a>-<b> <igp> <te> <delay in us> <srlg>". */
function network(lines: string) {
  const links = lines.split(',').map((line): LinkSpec => {
    const [between = '', ...values] = line.trim().split(' ');
    const [igpMetric = 0, teMetric = 0, delayUs = 0, srlg = 0] = values.map(Number);
    return { between, igpMetric, teMetric, delayUs, srlgs: [srlg] };
  });
  const nodes = [...new Set(links.flatMap(({ between }) => between.split('-')))].sort();
  return freezeSnapshot(buildTed(nodes, links));
}

describe('a group whose work budget ends', () => {
  it('blames no member that has a path by itself', () => {
    const snapshot = network(
      `e-d 9 3 4 1, m-f 2 20 17 1, a-c 9 20 3 5, a-f 10 20 18 5, i-k 1 19 6 0, l-j 10 4 12 0, f-j 9 10 4 0,
       e-b 9 2 4 1, d-m 3 17 17 4, c-l 4 16 18 2, g-a 10 4 19 4, e-f 3 8 1 3, k-g 2 7 11 1, l-d 7 3 19 4,
       d-j 3 12 9 4, m-i 3 15 14 0, l-e 8 15 20 0, a-k 1 12 17 0, g-f 8 1 15 5, k-d 8 7 10 4, f-l 2 1 15 5,
       c-b 4 15 16 4, m-l 5 4 4 1, m-j 5 7 2 4, i-j 7 2 8 4, m-k 9 4 12 1`,
    );
    const bounds = [{ metric: 'delay', max: 39 } as const, { metric: 'te', max: 26 } as const];
    const member: DisjointMember = { source: 'a', destination: 'm', constraints: { bounds }, families: [] };
    const request: DisjointRequest = { members: [member, member], metric: 'igp', disjoint: ['node', 'srlg'] };
    for (let workBudget = 0; workBudget <= 3000; workBudget += 20) {
      const answer = computeDisjointPaths(snapshot, request, { workBudget, skipConflict: true });
      const reason = answer.status === 'no-path' ? answer.reason : 'computed';
      expect(['computed', 'disjoint-path-not-found']).toContain(reason);
    }
  });

  it('has no bound above its own value where links are shared', () => {
    const snapshot = freezeSnapshot(
      buildTed(
        ['a', 'b', 'c', 'd', 'e'],
        [
          { between: 'c-e', igpMetric: 9, delayUs: 5, bandwidthBps: 30 },
          { between: 'b-e', igpMetric: 8, delayUs: 8, bandwidthBps: 10 },
          { between: 'c-d', igpMetric: 8, delayUs: 9, bandwidthBps: 20 },
          { between: 'a-d', igpMetric: 3, delayUs: 4, bandwidthBps: 30 },
          { between: 'b-d', igpMetric: 8, delayUs: 6, bandwidthBps: 30 },
          { between: 'a-c', igpMetric: 1, delayUs: 6, bandwidthBps: 30 },
        ],
      ),
    );
    const member = (source: string, constraints: DisjointMember['constraints']): DisjointMember => {
      return { source, destination: 'e', constraints, families: [] };
    };
    const members = [
      member('a', { bounds: [{ metric: 'delay', max: 17 }] }),
      member('d', { bandwidthBps: 12 }),
      member('b', { bandwidthBps: 12 }),
    ];
    const request: DisjointRequest = {
      members,
      metric: 'igp',
      disjoint: ['link'],
      mode: 'relaxed',
      objective: 'worst',
    };
    const optimalities = new Set<string>();
    for (let workBudget = 0; workBudget <= 3000; workBudget += 20) {
      const answer = computeDisjointPaths(snapshot, request, { workBudget, skipConflict: true });
      if (answer.status === 'no-path') continue;
      optimalities.add(answer.optimality);
      const worst = Math.max(...answer.paths.map(({ metrics }) => metrics.igp));
      expect(answer.lowerBound).toBeLessThanOrEqual(worst);
      if (answer.optimality === 'optimal') expect(answer.lowerBound).toBe(worst);
    }
    expect([...optimalities].sort()).toEqual(['feasible', 'optimal']);
  });
});
