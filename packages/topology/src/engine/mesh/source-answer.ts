import { MeshStatus, type MeshRequest, type SourcePaths } from '../../model/mesh.js';
import type { PathAnswer } from '../../model/path-answer.js';
import type { NodeId } from '../../model/ted.js';
import type { SegmentStop } from '../../segments/segment-stop.js';
import { EVERYWHERE } from '../../segments/segment-search.js';
import { bestBranchOf } from '../../segments/shown-path.js';
import type { ComputeOptions } from '../compute-options.js';
import { computePaths } from '../compute-paths.js';
import { answerWith, finishList } from '../finish-path.js';
import { prepareRequest, type PreparedRequest } from '../prepare-request.js';
import type { Snapshot } from '../../snapshot/snapshot.js';

/**
 * The answer for one destination of `computeFromSource`, as `computePaths` gives it, from the same snapshot, request and options.
 * Lists are finished and proved once more; why there is no path is sought only now. Throws RangeError for a destination that was
 * not asked for, and for paths of another revision.
 */
export function sourceAnswer(
  snapshot: Snapshot,
  request: MeshRequest,
  paths: SourcePaths,
  destination: NodeId,
  options: ComputeOptions = {},
): PathAnswer {
  const { destinations, ...shared } = request;
  const { source, revision } = paths;
  const at = destinations.indexOf(destination);
  if (at < 0) throw new RangeError(`${destination} is none of the destinations`);
  if (revision !== snapshot.revision) {
    throw new RangeError(`the paths are of revision ${revision}, not ${snapshot.revision}`);
  }
  const pair = { ...shared, source, destination };
  const status = paths.status[at];
  const prepared = prepareRequest(snapshot, pair, options.unreservedBps ?? snapshot.data.reservableBps);
  if ('status' in prepared || status === MeshStatus.noPath || status === MeshStatus.same) {
    return computePaths(snapshot, pair, options);
  }
  const sids = [...paths.sids.subarray(paths.start[at], paths.start[at + 1])];
  const transport = prepared.families[0] === null ? sids.slice(0, -1) : sids;
  const finished = finishList(prepared, transport, branchOf(prepared, transport));
  if (finished.kind !== 'finished') throw new RangeError(`the list to ${destination} is not one of this snapshot`);
  const answer = answerWith(prepared, [finished.path], status === MeshStatus.computed, 0);
  return { ...answer, lowerBound: paths.lowerBound[at] as number };
}

/** The best of the branches that packets with these SIDs and the final ones can take. */
function branchOf(prepared: PreparedRequest, transport: readonly number[]): number[] {
  const { snapshot, problem, state, headendArcs, finalSids } = prepared;
  const { arcTo, sidNode, sidArc } = snapshot.data;
  const entries = new Set(headendArcs.map((arc) => arcTo[arc] as number));
  const [entry] = entries;
  let from = entries.size > 1 ? EVERYWHERE : (entry ?? problem.source);
  const stops: SegmentStop[] = [];
  const stopAt = (sid: number, arc: number): void => {
    const route = state.sids.routeOf(sid);
    const via = sidNode[sid] as number;
    const algorithm = route.kind === 'igp' ? route.algorithm : 0;
    stops.push({ from, via, algorithm, arc, isAttached: route.kind === 'attachment' });
    from = arc < 0 ? via : (arcTo[arc] as number);
  };
  for (const sid of transport) stopAt(sid, sidArc[sid] as number);
  stopAt(finalSids[0] as number, -1);
  const list = { transport, entries: 0, cost: 0, stops };
  return bestBranchOf(problem, headendArcs, list, state.reaches);
}
