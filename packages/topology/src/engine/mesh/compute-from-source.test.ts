import { describe, expect, it } from 'vitest';
import { MeshStatus, type MeshRequest } from '../../model/mesh.js';
import { freezeSnapshot } from '../../snapshot/freeze-snapshot.js';
import { buildTed } from '../../testing/build-ted.js';
import { computeFromSource } from './compute-from-source.js';
import { sourceAnswer } from './source-answer.js';

//  a = b = c = d   two links each: one that the IGP takes (10), one that is faster (delay 1 instead of 5)
//  e is by itself
const slow = { igpMetric: 10, delayUs: 5 };
const fast = { igpMetric: 100, delayUs: 1 };
const ted = buildTed(
  ['a', 'b', 'c', 'd', 'e'],
  ['a-b', 'b-c', 'c-d'].flatMap((between) => [
    { between, ...slow },
    { between: `${between}#2`, ...fast },
  ]),
);
const snapshot = freezeSnapshot(ted);
const destinations = ['d', 'a', 'e', 'c', 'nobody'];
const request: MeshRequest = { metric: 'delay', constraints: {}, families: [], destinations };

describe('paths from one source', () => {
  it('are told by position, those that do not exist too', () => {
    const paths = computeFromSource(snapshot, 'a', request);
    const { computed, same, noPath } = MeshStatus;
    expect([...paths.status]).toEqual([computed, same, noPath, computed, noPath]);
    expect([...paths.metric]).toEqual([3, NaN, NaN, 2, NaN]);
    // One End.X SID per fast link, and the End SID that ends the list.
    expect([...paths.entries]).toEqual([4, 0, 0, 3, 0]);
    expect([...paths.start]).toEqual([0, 4, 4, 4, 7, 7]);
    expect(paths.computedAlone).toBe(0);
  });

  it('are the best that the headend can push, found for all destinations together', () => {
    const paths = computeFromSource(snapshot, 'a', { ...request, maxSegments: 1 });
    expect([paths.metric[0], paths.entries[0]]).toEqual([11, 2]);
    expect([paths.metric[3], paths.entries[3]]).toEqual([6, 2]);
    expect(paths.computedAlone).toBe(0);
  });

  it('are computed pair by pair where the proof refuses what is best for most', () => {
    const bounded: MeshRequest = { ...request, constraints: { bounds: [{ metric: 'igp', max: 210 }] } };
    const paths = computeFromSource(snapshot, 'a', bounded);
    expect([...paths.metric]).toEqual([7, NaN, NaN, 2, NaN]);
    expect(paths.computedAlone).toBe(1);
  });

  it('become usual answers, and reasons', () => {
    const paths = computeFromSource(snapshot, 'a', request);
    const answer = sourceAnswer(snapshot, request, paths, 'c');
    expect(answer).toMatchObject({
      status: 'computed',
      optimality: 'optimal',
      lowerBound: 2,
      paths: [{ links: ['a:b:2', 'b:c:2'], metrics: { delayUs: 2 } }],
    });
    expect(sourceAnswer(snapshot, request, paths, 'e')).toMatchObject({ status: 'no-path', reason: 'path-not-found' });
    expect(sourceAnswer(snapshot, request, paths, 'nobody')).toMatchObject({ reason: 'destination-unknown' });
  });

  it('are not read with the wrong question', () => {
    const paths = computeFromSource(snapshot, 'a', request);
    expect(() => sourceAnswer(snapshot, request, paths, 'b')).toThrow('b is none of the destinations');
    const later = freezeSnapshot({ ...ted, revision: 2 });
    expect(() => sourceAnswer(later, request, paths, 'd')).toThrow('the paths are of revision 1, not 2');
  });
});
