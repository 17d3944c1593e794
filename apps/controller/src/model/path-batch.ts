import type { MeshRequest, NodeId, Overlay, PathAnswer, PathMetrics, PathRequest } from '@waymark/topology';

/** Many paths on one TED revision: requests of a list, or one request between many nodes. */
export type PathBatch = PathBatchOfRequests | PathBatchOfMesh;

export interface PathBatchOfRequests {
  readonly id: string;
  readonly kind: 'requests';
  readonly requests: readonly PathRequest[];
  /** True: together they book no link beyond what is unreserved (RFC 5440: synchronised). False: each as if it were alone. */
  readonly synchronised?: boolean;
  /** What all are computed under. */
  readonly overlay?: Overlay;
  /** A past TED revision, on which nothing is booked. */
  readonly revision?: number;
}

export interface PathBatchOfMesh extends Omit<MeshRequest, 'destinations'> {
  readonly id: string;
  readonly kind: 'mesh';
  readonly sources: readonly NodeId[];
  /** Without it all ordered pairs of the sources. */
  readonly destinations?: readonly NodeId[];
  readonly setupPriority?: number;
  readonly overlay?: Overlay;
  readonly revision?: number;
}

/** The answer to a request of a list. */
export interface BatchedAnswer {
  readonly kind: 'request';
  /** Position of the request in the list. */
  readonly index: number;
  readonly answer: PathAnswer;
  /** Synchronised requests only: its place in the order of computation, from 0. */
  readonly turn: number | null;
  /** Synchronised requests only: who holds what it lacks. Empty when it has a path, or would have none by itself. */
  readonly becauseOf: readonly number[];
}

/** The path between two nodes of a mesh, in short. */
export interface MeshPath {
  readonly kind: 'pair';
  readonly source: NodeId;
  readonly destination: NodeId;
  readonly status: 'computed' | 'no-path';
  /** null without a path, like all that follows. */
  readonly optimality: 'optimal' | 'feasible' | null;
  /** The optimised metric, on the worst branch. */
  readonly metric: number | null;
  readonly lowerBound: number | null;
  /** On the worst branch, as the proof measured it. */
  readonly worst: PathMetrics | null;
  readonly singlePath: boolean | null;
  /** Entries that the headend pushes. */
  readonly srhEntries: number | null;
  /** SIDs in front of the service SID; of a transport list all of them. */
  readonly sids: readonly string[];
}

export type BatchItem = BatchedAnswer | MeshPath;
