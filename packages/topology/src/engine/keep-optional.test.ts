import { describe, expect, it } from 'vitest';
import type { PathAnswer } from '../model/path-answer.js';
import type { PathRequest } from '../model/path-request.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { buildTed } from '../testing/build-ted.js';
import { computePaths } from './compute-paths.js';

// a-b-d: igp 20, delay 2000, 5 bit/s;  a-c-d: igp 40, delay 200, 3 bit/s
const snapshot = freezeSnapshot(
  buildTed(
    ['a', 'b', 'c', 'd', 'h1', 'h2'],
    [
      { between: 'a-b', bandwidthBps: 5 },
      { between: 'b-d', bandwidthBps: 5 },
      { between: 'a-c', igpMetric: 20, delayUs: 100, bandwidthBps: 3 },
      { between: 'c-d', igpMetric: 20, delayUs: 100, bandwidthBps: 3 },
      { between: 'h1-a', delayUs: 0 },
      { between: 'd-h2', delayUs: 0 },
    ],
  ),
);

function ask(request: Partial<PathRequest>): PathAnswer {
  return computePaths(snapshot, { source: 'h1', destination: 'h2', metric: 'igp', constraints: {}, ...request });
}

describe('optional constraints', () => {
  const constraints = {
    bounds: [{ metric: 'igp', max: 100 } as const, { metric: 'delay', max: 1000 } as const],
    bandwidthBps: 4,
  };

  it('give way to more important ones, and say by how much they are missed', () => {
    expect(ask({ constraints, optional: ['/constraints/bounds/1', '/constraints/bandwidthBps'] })).toMatchObject({
      optimality: 'optimal',
      lowerBound: 60,
      paths: [{ nodes: ['h1', 'a', 'c', 'd', 'h2'] }],
      optional: [
        { constraint: '/constraints/bounds/1', isAchieved: true, missedBy: null },
        { constraint: '/constraints/bandwidthBps', isAchieved: false, missedBy: 1 },
      ],
    });
    expect(ask({ constraints, optional: ['/constraints/bandwidthBps', '/constraints/bounds/1'] })).toMatchObject({
      lowerBound: 40,
      optional: [
        { constraint: '/constraints/bandwidthBps', isAchieved: true, missedBy: null },
        { constraint: '/constraints/bounds/1', isAchieved: false, missedBy: 1000 },
      ],
    });
  });

  it('are not to blame when the others leave no path, which are named where they stand in the request', () => {
    const impossible = {
      ...constraints,
      bounds: [{ metric: 'igp', max: 100 } as const, { metric: 'delay', max: 100 } as const],
    };
    expect(
      ask({ constraints: impossible, optional: ['/constraints/bounds/0', '/constraints/bandwidthBps'] }),
    ).toMatchObject({
      status: 'no-path',
      constraint: '/constraints/bounds/1',
      conflict: { constraints: [{ constraint: '/constraints/bounds/1', nearestFeasible: 200, metric: 60 }] },
    });
  });

  it('can be a limit of segments and a second path', () => {
    const answer = ask({
      disjoint: 'node',
      maxSegments: 1,
      constraints: { exclude: { nodes: ['b'] } },
      optional: ['/disjoint'],
    });
    expect(answer).toMatchObject({
      status: 'computed',
      paths: [{ nodes: ['h1', 'a', 'c', 'd', 'h2'] }],
      optional: [{ constraint: '/disjoint', isAchieved: false, missedBy: null }],
    });
  });
});
