import type { MeshPath } from '../model/path-batch.js';
import type {
  Demand,
  DisjointAnswer,
  DisjointRequest,
  MeshRequest,
  NodeId,
  Overlay,
  PathAnswer,
  PathRequest,
  Proof,
  ProofRequirement,
  SharedSnapshot,
} from '@waymark/topology';
import type { Failure, FailureImpact } from '../model/failure-sweep.js';
import type { UnderOverlay } from '../model/ports.js';
import type { ListDetours } from '../model/sr-policy.js';
import type { DemandBookings } from './overlaid.js';
import type { EvaluationTask, PolicyEvaluation } from './evaluate-policies-model.js';
import type { PolicyDetoursInput } from './policy-detours.js';

/** What the workers can do on a snapshot, by name. Everything here crosses threads: plain data only. */
export interface ComputeTasks {
  readonly 'compute-path': { readonly input: ComputePathInput; readonly output: UnderOverlay<PathAnswer> };
  readonly 'compute-disjoint-paths': {
    readonly input: ComputeDisjointPathsInput;
    readonly output: UnderOverlay<DisjointAnswer>;
  };
  readonly 'compute-each': { readonly input: ComputeEachInput; readonly output: readonly PathAnswer[] };
  readonly 'place-in-order': { readonly input: PlaceInOrderInput; readonly output: readonly PathAnswer[] };
  readonly 'compute-from-source': { readonly input: ComputeFromSourceInput; readonly output: readonly MeshPath[] };
  readonly 'book-demands': { readonly input: BookDemandsInput; readonly output: DemandBookings };
  readonly prove: { readonly input: ProveInput; readonly output: UnderOverlay<Proof> };
  readonly 'sweep-failures': { readonly input: SweepInput; readonly output: readonly FailureImpact[] };
  readonly 'predict-detours': { readonly input: PolicyDetoursInput; readonly output: readonly ListDetours[] };
  readonly 'evaluate-policies': { readonly input: EvaluationTask; readonly output: readonly PolicyEvaluation[] };
}

export type ComputeTaskName = keyof ComputeTasks;

/** What every computation takes. */
export interface Basis {
  /** Per arc of the snapshot, in bit/s, overlaid attributes included and overlaid demands not; undefined: nothing is booked. */
  readonly unreservedBps: Float64Array | undefined;
  /** Laid over the snapshot by the worker, so that snapshots stay what all computations share. */
  readonly overlay?: Overlay | undefined;
}

export interface ComputePathInput extends Basis {
  readonly request: PathRequest;
}

export interface ComputeDisjointPathsInput extends Basis {
  readonly request: DisjointRequest;
}

/** Each request as if it were alone. The output answers the first so many of them, at least one. */
export interface ComputeEachInput {
  readonly requests: readonly PathRequest[];
  /** Do not look for constraints that conflict. */
  readonly skipConflict?: boolean;
  /** By setup priority, per arc of the snapshot, in bit/s; undefined: nothing is booked. */
  readonly unreservedAt: ReadonlyMap<number, Float64Array> | undefined;
}

/** Each request on what the ones before it leave. The output answers the first so many of them, at least one. */
export interface PlaceInOrderInput {
  readonly requests: readonly PathRequest[];
  readonly unreservedBps: Float64Array;
}

/** The output has the destinations in their order, without the source itself. */
export interface ComputeFromSourceInput {
  readonly source: NodeId;
  readonly request: MeshRequest;
  readonly unreservedBps: Float64Array | undefined;
}

/** On the snapshot as it is: an overlay that they belong to is laid over it already. */
export interface BookDemandsInput {
  readonly demands: readonly Demand[];
}

export interface ProveInput extends Basis {
  readonly sids: readonly string[];
  readonly requirement: ProofRequirement;
  readonly setupPriority?: number | undefined;
}

/** The output tells of the first so many failures, at least of one. */
export interface SweepInput {
  /** Equal ids mean the same policies: the worker keeps what it has learned of them. */
  readonly sweep: string;
  /** SweptPolicies as JSON text in shared memory, so that every piece of a sweep can carry all policies. */
  readonly swept: Uint8Array<SharedArrayBuffer>;
  readonly failures: readonly Failure[];
}

/** One task as a worker receives it. */
export interface ComputeMessage<Name extends ComputeTaskName = ComputeTaskName> {
  readonly name: Name;
  readonly input: ComputeTasks[Name]['input'];
  /** Equal keys mean the same snapshot: the worker keeps what it has built of it. */
  readonly snapshotKey: number;
  /** Equal keys mean snapshots derived from one another: the worker carries over what it has found on the last one. */
  readonly shapeKey: number;
  /** In shared memory; yet it takes longer to post than many a task takes to do, so it is left out where workers know it. */
  readonly snapshot?: SharedSnapshot;
  /** Of a piece of a job, in shared memory: not 0 once nobody wants its answer any more. */
  readonly cancelled?: Int32Array<SharedArrayBuffer>;
}

/**
 * What a worker answers: JSON text, which crosses threads in little more than half the time that the same objects take, where the
 * output is an answer of the API; the output itself elsewhere; null when it would need the snapshot.
 */
export type ComputeReply<Name extends ComputeTaskName = ComputeTaskName> =
  { readonly text: string } | { readonly output: ComputeTasks[Name]['output'] } | null;
