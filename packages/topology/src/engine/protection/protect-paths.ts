import type { ComputedPath, PathAnswer } from '../../model/path-answer.js';
import type { PathProtection, ProtectionRequest } from '../../model/path-protection.js';
import type { PathRequest } from '../../model/path-request.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import { withoutConstraints } from '../constraint-set.js';
import { DEFAULT_WORK_BUDGET, WorkBudget } from '../work-budget.js';
import { predictDetours } from './predict-detours.js';
import { findStandby } from './find-standby.js';

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
  const budget = () => new WorkBudget(DEFAULT_WORK_BUDGET);
  return {
    ...(standby && {
      standby: findStandby({ snapshot, request: kept, unreservedBps, budget: budget() }, path, standby),
    }),
    ...(detours && {
      detours: predictDetours({ snapshot, request, unreservedBps, budget: budget() }, path, detours),
    }),
  };
}
