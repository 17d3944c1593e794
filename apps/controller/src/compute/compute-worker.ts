import {
  computeDisjointPaths,
  computePaths,
  placeInOrder,
  prove,
  reservableBps,
  snapshotFromShared,
  type ComputeOptions,
  type Overlay,
  type PathAnswer,
  type Snapshot,
} from '@waymark/topology';
import type { UnderOverlay } from '../model/ports.js';
import { LOWEST_PRIORITY } from '../model/sr-policy.js';
import type { Basis, ComputeEachInput, ComputeMessage, ComputeTaskName, ComputeTasks } from './compute-tasks.js';
import { evaluatePolicies } from './evaluate-policies.js';
import { FailureSweep, type SweptPolicies } from './failure-sweep.js';
import { LeastRecentlyUsed } from './least-recently-used.js';
import { meshPathsFrom } from './mesh-paths.js';
import { lessBooked, overlaid, type Overlaid } from './overlaid.js';
import { policyDetours } from './policy-detours.js';

/*
 * Runs in a worker thread. It keeps the look-ups of the snapshots it met last: the newest, the one before while answers
 * on it are still under way, and a few of dry-runs and of the past.
 */
const snapshots = new LeastRecentlyUsed<number, Snapshot>(8);
/** The last of each shape, to derive the next one from. */
const lastOfShape = new LeastRecentlyUsed<number, { snapshot: Snapshot | undefined }>(8);

/** What was laid over them: a what-if is often asked in several requests. */
const overlays = new WeakMap<Snapshot, LeastRecentlyUsed<string, Overlaid>>();

/** Of sweeps that are under way. */
const sweeps = new LeastRecentlyUsed<string, FailureSweep>(2);

type Handlers = {
  readonly [Name in ComputeTaskName]: (
    snapshot: Snapshot,
    input: ComputeTasks[Name]['input'],
  ) => ComputeTasks[Name]['output'];
};

const handlers: Handlers = {
  'compute-path': (snapshot, { request, ...basis }) =>
    onBasis(snapshot, basis, request.setupPriority, (seen, options) => computePaths(seen, request, options)),
  'compute-disjoint-paths': (snapshot, { request, ...basis }) =>
    onBasis(snapshot, basis, request.setupPriority, (seen, options) => computeDisjointPaths(seen, request, options)),
  'compute-each': (snapshot, input) => computeEach(snapshot, input, pieceEnd()),
  'place-in-order': (snapshot, { requests, unreservedBps }) =>
    placeInOrder(snapshot, requests, unreservedBps, pieceEnd()),
  'compute-from-source': (snapshot, { source, request, unreservedBps }) =>
    meshPathsFrom(snapshot, source, request, unreservedBps && { unreservedBps }),
  prove: (snapshot, { sids, requirement, setupPriority, ...basis }) =>
    onBasis(snapshot, basis, setupPriority, (seen, options) => prove(seen, sids, requirement, options)),
  'sweep-failures': (snapshot, { sweep, swept, failures }) => {
    const known = sweeps.get(sweep, () => new FailureSweep(snapshot, readShared(swept)));
    return failures.map((failure) => known.impactOf(failure));
  },
  'predict-detours': policyDetours,
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

function onBasis<Answer extends object>(
  snapshot: Snapshot,
  { unreservedBps, overlay }: Basis,
  setupPriority: number | undefined,
  answer: (snapshot: Snapshot, options: Pick<ComputeOptions, 'unreservedBps'> | undefined) => Answer,
): UnderOverlay<Answer> {
  if (overlay === undefined) return answer(snapshot, unreservedBps && { unreservedBps });
  const changed = overlaidOnce(snapshot, overlay);
  const free = unreservedBps ?? reservableBps(changed.snapshot);
  const { hypothetical } = changed;
  return {
    ...answer(changed.snapshot, { unreservedBps: lessBooked(free, changed, setupPriority) }),
    hypothetical,
  };
}

function readShared(text: Uint8Array): SweptPolicies {
  return JSON.parse(Buffer.from(text).toString()) as SweptPolicies;
}

function overlaidOnce(snapshot: Snapshot, overlay: Overlay): Overlaid {
  const known = overlays.get(snapshot) ?? new LeastRecentlyUsed<string, Overlaid>(4);
  overlays.set(snapshot, known);
  return known.get(JSON.stringify(overlay), () => overlaid(snapshot, overlay));
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
