import type { ComputedPath, PathAnswer } from '../../model/path-answer.js';
import type { PathProtection, ProtectionRequest } from '../../model/path-protection.js';
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
  const protect = (path: ComputedPath): PathProtection =>
    protectionOf(snapshot, request, kept, path, protection, unreservedBps);
  return { ...answer, paths: answer.paths.map((path) => ({ ...path, protection: protect(path) })) };
}

function protectionOf(
  snapshot: Snapshot,
  request: PathRequest,
  kept: PathRequest,
  path: ComputedPath,
  { standby, detours }: ProtectionRequest,
  unreservedBps: Float64Array,
): PathProtection {
  const [list] = path.segmentLists;
  return {
    ...(standby && {
      standby: computeStandby(snapshot, kept, primaryOf(snapshot, request, path), standby, unreservedBps),
    }),
    ...(detours && {
      detours: list === undefined ? [] : computeDetours(snapshot, request, list, detours, unreservedBps),
    }),
  };
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
