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
  type SharedSnapshot,
  type Snapshot,
} from '@waymark/topology';
import type { UnderOverlay } from '../model/ports.js';
import { LOWEST_PRIORITY } from '../model/sr-policy.js';
import type {
  Basis,
  ComputeEachInput,
  ComputeMessage,
  ComputeReply,
  ComputeTaskName,
  ComputeTasks,
} from './compute-tasks.js';
import { evaluatePolicies } from './evaluate-policies.js';
import { FailureSweep, type SweptPolicies } from './failure-sweep.js';
import { jobLimits } from './jobs.js';
import { LeastRecentlyUsed } from './least-recently-used.js';
import { meshPathsFrom } from './mesh-paths.js';
import { demandBookings, lessBooked, overlaid, type Overlaid } from './overlaid.js';
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

/** Of all sweeps that can be under way: their pieces take turns, and what one has learned of its policies was dear. */
const sweeps = new LeastRecentlyUsed<string, FailureSweep>(jobLimits.running);

type Handlers = {
  readonly [Name in ComputeTaskName]: (
    snapshot: Snapshot,
    input: ComputeTasks[Name]['input'],
    isCancelled: () => boolean,
  ) => ComputeTasks[Name]['output'];
};

const handlers: Handlers = {
  'compute-path': (snapshot, { request, ...basis }) =>
    onBasis(snapshot, basis, request.setupPriority, (seen, options) => computePaths(seen, request, options)),
  'compute-disjoint-paths': (snapshot, { request, ...basis }) =>
    onBasis(snapshot, basis, request.setupPriority, (seen, options) => computeDisjointPaths(seen, request, options)),
  'compute-each': (snapshot, input, isCancelled) => computeEach(snapshot, input, pieceEnd(isCancelled)),
  'place-in-order': (snapshot, { requests, unreservedBps }, isCancelled) =>
    placeInOrder(snapshot, requests, unreservedBps, pieceEnd(isCancelled)),
  'compute-from-source': (snapshot, { source, request, unreservedBps }, isCancelled) =>
    meshPathsFrom(snapshot, source, request, {
      ...(unreservedBps && { unreservedBps }),
      checkpoint: () => {
        if (isCancelled()) throw new Error('the job was cancelled');
      },
    }),
  'book-demands': (snapshot, { demands }) => demandBookings(snapshot, demands),
  prove: (snapshot, { sids, requirement, setupPriority, ...basis }) =>
    onBasis(snapshot, basis, setupPriority, (seen, options) => prove(seen, sids, requirement, options)),
  'sweep-failures': (snapshot, { sweep, swept, failures }, isCancelled) => {
    const known = sweeps.get(sweep, () => new FailureSweep(snapshot, readShared(swept)));
    return untilPieceEnds(failures, pieceEnd(isCancelled), (failure) => known.impactOf(failure));
  },
  'predict-detours': policyDetours,
  'evaluate-policies': (snapshot, task) => evaluatePolicies({ snapshot, ...task }),
};

/** How long a piece of a job keeps a worker, but for what it has begun. */
const PIECE_MS = 50;

function pieceEnd(isCancelled: () => boolean): () => boolean {
  const end = performance.now() + PIECE_MS;
  return () => isCancelled() || performance.now() >= end;
}

/** The first at least, and more as long as there is time. */
function untilPieceEnds<Item, Answer>(
  items: readonly Item[],
  isOver: () => boolean,
  answer: (item: Item) => Answer,
): Answer[] {
  const answers: Answer[] = [];
  for (const item of items) {
    if (answers.length > 0 && isOver()) break;
    answers.push(answer(item));
  }
  return answers;
}

function computeEach(
  snapshot: Snapshot,
  { requests, skipConflict = false, unreservedAt }: ComputeEachInput,
  shouldStop: () => boolean,
): PathAnswer[] {
  return untilPieceEnds(requests, shouldStop, (request) => {
    const unreservedBps = unreservedAt?.get(request.setupPriority ?? LOWEST_PRIORITY);
    return computePaths(snapshot, request, { skipConflict, ...(unreservedBps && { unreservedBps }) });
  });
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

/** Tasks whose output is an answer of the API. */
const ANSWERS: ReadonlySet<ComputeTaskName> = new Set(['compute-path', 'compute-disjoint-paths', 'prove']);

/** Entry point of the pool. */
export function runComputeTask<Name extends ComputeTaskName>(message: ComputeMessage<Name>): ComputeReply<Name> {
  const { name, input, cancelled } = message;
  const isCancelled = (): boolean => cancelled !== undefined && Atomics.load(cancelled, 0) !== 0;
  // It may have waited in line for long.
  if (isCancelled()) throw new Error('nobody waits for this any more');
  const snapshot = snapshotOf(message);
  if (snapshot === undefined) return null;
  const handler: Handlers[Name] = handlers[name];
  const output = handler(snapshot, input, isCancelled);
  return ANSWERS.has(name) ? { text: JSON.stringify(output) } : { output };
}

/** undefined when this worker does not have it. */
function snapshotOf({ snapshotKey, shapeKey, snapshot }: ComputeMessage): Snapshot | undefined {
  if (snapshot === undefined && !snapshots.has(snapshotKey)) return undefined;
  const last = lastOfShape.get(shapeKey, () => ({ snapshot: undefined }));
  last.snapshot = snapshots.get(snapshotKey, () => snapshotFromShared(snapshot as SharedSnapshot, last.snapshot));
  return last.snapshot;
}
