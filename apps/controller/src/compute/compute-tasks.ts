import type {
  DisjointAnswer,
  DisjointRequest,
  PathAnswer,
  PathRequest,
  Proof,
  ProofRequirement,
  SharedSnapshot,
} from '@waymark/topology';
import type { EvaluationTask, PolicyEvaluation } from './evaluate-policies-model.js';

/** What the workers can do on a snapshot, by name. Everything here crosses threads: plain data only. */
export interface ComputeTasks {
  readonly 'compute-path': { readonly input: ComputePathInput; readonly output: PathAnswer };
  readonly 'compute-disjoint-paths': { readonly input: ComputeDisjointPathsInput; readonly output: DisjointAnswer };
  readonly prove: { readonly input: ProveInput; readonly output: Proof };
  readonly 'evaluate-policies': { readonly input: EvaluationTask; readonly output: readonly PolicyEvaluation[] };
}

export type ComputeTaskName = keyof ComputeTasks;

export interface ComputePathInput {
  readonly request: PathRequest;
  /** Per arc of the snapshot, in bit/s; undefined: nothing is booked. */
  readonly unreservedBps: Float64Array | undefined;
}

export interface ComputeDisjointPathsInput {
  readonly request: DisjointRequest;
  /** Per arc of the snapshot, in bit/s; undefined: nothing is booked. */
  readonly unreservedBps: Float64Array | undefined;
}

export interface ProveInput {
  readonly sids: readonly string[];
  readonly requirement: ProofRequirement;
  readonly unreservedBps: Float64Array | undefined;
}

/** One task as a worker receives it. The snapshot's arrays are shared memory, so every task can carry them. */
export interface ComputeMessage<Name extends ComputeTaskName = ComputeTaskName> {
  readonly name: Name;
  readonly input: ComputeTasks[Name]['input'];
  /** Equal keys mean the same snapshot: the worker keeps what it has built of it. */
  readonly snapshotKey: number;
  /** Equal keys mean snapshots derived from one another: the worker carries over what it has found on the last one. */
  readonly shapeKey: number;
  readonly snapshot: SharedSnapshot;
}
