import type { ComputedPath, PathAnswer } from '../../model/path-answer.js';
import type { PathProtection } from '../../model/path-protection.js';
import type { PathRequest } from '../../model/path-request.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import { proveExactly } from '../../proof/prove.js';
import { withoutConstraints } from '../constraint-set.js';
import type { Primary } from './find-standby.js';
import { computeDetours } from './predict-detours.js';
import { computeStandby } from './standby-for-lists.js';

/** Adds to each path of an answer what was asked for; each has a work budget of its own, as large as that of a request. */
export function protectPaths(
  snapshot: Snapshot,
  request: PathRequest,
  answer: PathAnswer,
  unreservedBps: Float64Array,
): PathAnswer {
  const { protection } = request;
  if (protection === undefined || answer.status === 'no-path') return answer;
  const missed = answer.optional.filter(({ isAchieved }) => !isAchieved).map(({ constraint }) => constraint);
  // The standby need not keep what even the primary cannot.
  const kept = withoutConstraints(request, new Set(missed));
  const isSplit = (request.maxLists ?? 1) > 1;
  const weights = answer.paths.reduce((sum, { weight }) => sum + weight, 0);
  const protect = (path: ComputedPath): PathProtection => {
    const { standby, detours } = protection;
    const [list] = path.segmentLists;
    const share = isSplit ? path.weight / weights : 1;
    return {
      ...(standby && {
        standby: computeStandby(snapshot, kept, primaryOf(snapshot, request, path), standby, unreservedBps),
      }),
      ...(detours && {
        detours: list === undefined ? [] : computeDetours(snapshot, request, { list, share }, detours, unreservedBps),
      }),
    };
  };
  return { ...answer, paths: answer.paths.map((path) => ({ ...path, protection: protect(path) })) };
}

function primaryOf(snapshot: Snapshot, { source, destination }: PathRequest, path: ComputedPath): Primary {
  const loads = path.segmentLists.map(({ entries }) => {
    const addresses = entries.map(({ address }) => address);
    return proveExactly(snapshot, addresses, { headend: source, destination }).load;
  });
  return {
    links: [...new Set(loads.flat().map(({ linkId }) => linkId))],
    transports: [path.transport.map(({ sid }) => sid)],
  };
}
