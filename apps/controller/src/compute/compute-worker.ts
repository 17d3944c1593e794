import { computeDisjointPaths, computePaths, prove, snapshotFromShared, type Snapshot } from '@waymark/topology';
import type { ComputeMessage, ComputeTaskName, ComputeTasks } from './compute-tasks.js';
import { evaluatePolicies } from './evaluate-policies.js';
import { LeastRecentlyUsed } from './least-recently-used.js';

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
  prove: (snapshot, { sids, requirement, unreservedBps }) =>
    prove(snapshot, sids, requirement, unreservedBps && { unreservedBps }),
  'evaluate-policies': (snapshot, task) => evaluatePolicies({ snapshot, ...task }),
};

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
