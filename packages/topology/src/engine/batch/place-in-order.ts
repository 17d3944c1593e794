import type { PathAnswer } from '../../model/path-answer.js';
import type { PathRequest } from '../../model/path-request.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import { computePaths } from '../compute-paths.js';
import { bookedLoad, take } from './booked-load.js';

/**
 * Answers the requests in their order, each as `computePaths` does on what the ones before it leave of `unreservedBps` (which is
 * not changed). Ends early, after at least one answer, when `shouldStop` says so between two of them.
 */
export function placeInOrder(
  snapshot: Snapshot,
  requests: readonly PathRequest[],
  unreservedBps: Float64Array,
  shouldStop: () => boolean = () => false,
): PathAnswer[] {
  const left = unreservedBps.slice();
  const answers: PathAnswer[] = [];
  for (const request of requests) {
    if (answers.length > 0 && shouldStop()) break;
    const answer = computePaths(snapshot, request, { unreservedBps: left });
    answers.push(answer);
    take(left, bookedLoad(snapshot, request, answer));
  }
  return answers;
}
