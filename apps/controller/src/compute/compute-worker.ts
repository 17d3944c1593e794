import {
  computeDisjointPaths,
  computePaths,
  placeInOrder,
  prove,
  snapshotFromShared,
  type PathAnswer,
  type Snapshot,
} from '@waymark/topology';
import type { ComputeMessage, ComputeTaskName, ComputeTasks } from './compute-tasks.js';
import type { ComputeEachInput } from './compute-tasks.js';
import { evaluatePolicies } from './evaluate-policies.js';
import { LeastRecentlyUsed } from './least-recently-used.js';
import { meshPathsFrom } from './mesh-paths.js';
import { LOWEST_PRIORITY } from '../model/sr-policy.js';

/*
 * Runs in a worker thread. It keeps the look-ups of the snapshots it met last: the newest, the one before while answers
 * on it are still under way, and a few of dry-runs and of the past.
 */
const snapshots = new LeastRecentlyUsed<number, Snapshot>(8);
/** The last of each shape, to derive the next one from. */
const lastOfShape = new LeastRecentlyUsed<number, { snapshot: Snapshot | undefined }>(8);

type Handlers = {
  readonly [Name in ComputeTaskName]: (
    snapshot: Snapshot,
    input: ComputeTasks[Name]['input'],
  ) => ComputeTasks[Name]['output'];
};

const handlers: Handlers = {
  'compute-path': (snapshot, { request, unreservedBps }) =>
    computePaths(snapshot, request, unreservedBps && { unreservedBps }),
  'compute-disjoint-paths': (snapshot, { request, unreservedBps }) =>
    computeDisjointPaths(snapshot, request, unreservedBps && { unreservedBps }),
  'compute-each': (snapshot, input) => computeEach(snapshot, input, pieceEnd()),
  'place-in-order': (snapshot, { requests, unreservedBps }) =>
    placeInOrder(snapshot, requests, unreservedBps, pieceEnd()),
  'compute-from-source': (snapshot, { source, request, unreservedBps }) =>
    meshPathsFrom(snapshot, source, request, unreservedBps && { unreservedBps }),
  prove: (snapshot, { sids, requirement, unreservedBps }) =>
    prove(snapshot, sids, requirement, unreservedBps && { unreservedBps }),
  'evaluate-policies': (snapshot, task) => evaluatePolicies({ snapshot, ...task }),
};

/** How long a piece of a job keeps a worker, but for what it has begun. */
const PIECE_MS = 50;

function pieceEnd(): () => boolean {
  const end = performance.now() + PIECE_MS;
  return () => performance.now() >= end;
}

function computeEach(
  snapshot: Snapshot,
  { requests, unreservedAt }: ComputeEachInput,
  shouldStop: () => boolean,
): PathAnswer[] {
  const answers: PathAnswer[] = [];
  for (const request of requests) {
    if (answers.length > 0 && shouldStop()) break;
    const unreservedBps = unreservedAt?.get(request.setupPriority ?? LOWEST_PRIORITY);
    answers.push(computePaths(snapshot, request, unreservedBps && { unreservedBps }));
  }
  return answers;
}

/** Entry point of the pool. */
export function runComputeTask<Name extends ComputeTaskName>(
  message: ComputeMessage<Name>,
): ComputeTasks[Name]['output'] {
  const { name, input, snapshotKey, shapeKey, snapshot } = message;
  const handler: Handlers[Name] = handlers[name];
  const last = lastOfShape.get(shapeKey, () => ({ snapshot: undefined }));
  last.snapshot = snapshots.get(snapshotKey, () => snapshotFromShared(snapshot, last.snapshot));
  return handler(last.snapshot, input);
}
