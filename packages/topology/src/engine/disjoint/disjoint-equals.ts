import type { PathAnswer } from '../../model/path-answer.js';
import type { PathRequest } from '../../model/path-request.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import type { ComputeOptions } from '../compute-options.js';
import { metricValue } from '../finish-path.js';
import { computeDisjointPaths } from './compute-disjoint.js';

/** The `disjoint` paths of a path request: a strict group of equal members. */
export function disjointEquals(snapshot: Snapshot, request: PathRequest, options: ComputeOptions): PathAnswer {
  const { metric, disjoint = [], k = 2, ...member } = request;
  const members = Array.from({ length: k }, () => member);
  const kinds = typeof disjoint === 'string' ? [disjoint] : disjoint;
  const answer = computeDisjointPaths(snapshot, { members, metric, disjoint: kinds }, options);
  if (answer.status === 'no-path') {
    const { status, revision, reason, message, nearestFeasible, blockingLinks, blockingNodes } = answer;
    const constraint = answer.constraint?.replace(/^\/members\/\d+/, '') ?? null;
    return { status, revision, reason, message, constraint, nearestFeasible, blockingLinks, blockingNodes };
  }
  const { status, revision, optimality, lowerBound, shared } = answer;
  const value = (path: (typeof answer.paths)[number]) => metricValue(path.metrics, metric);
  const paths = [...answer.paths].sort((a, b) => value(a) - value(b) || a.links.length - b.links.length);
  return { status, revision, metric, optimality, lowerBound, paths, shared };
}
