import type { AddressFamily } from './address.js';
import type { LinkId, NodeId } from './ted.js';

/** RFC 8776 / 5440 metric types that a path can be optimised for. */
export type MetricType = 'igp' | 'te' | 'delay' | 'hop';

/** igp, te: sum of metrics; delay: microseconds, end to end over every link including host links; hop: links crossed. */
export interface MetricBound {
  readonly metric: MetricType;
  /** Inclusive. */
  readonly max: number;
}

/** Names of affinities (extended admin groups). A link matches include-any when it has at least one of them. */
export interface AffinityConstraint {
  readonly includeAny?: readonly string[];
  readonly includeAll?: readonly string[];
  readonly excludeAny?: readonly string[];
}

/** What a path must obey. Shared by path computations and dynamic candidate paths. */
export interface PathConstraints {
  readonly bounds?: readonly MetricBound[];
  /** Must fit into the unreserved bandwidth of every link of the path. */
  readonly bandwidthBps?: number;
  readonly affinities?: AffinityConstraint;
  /** Directed links; excluding a node excludes all its links. */
  readonly exclude?: {
    readonly nodes?: readonly NodeId[];
    readonly links?: readonly LinkId[];
    readonly srlgs?: readonly number[];
  };
  /** Visited in this order, with anything between them. */
  readonly include?: readonly ({ readonly node: NodeId } | { readonly link: LinkId })[];
}

/**
 * What two paths may not share (RFC 8800, and sites). Each kind includes `link`, because a link is a risk of its own;
 * `site` includes `node`: a node without a site stands alone. A link is in the SRLGs of both of its directions.
 */
export type Disjointness = 'link' | 'node' | 'srlg' | 'site';

/** What is minimised over several paths: the sum of their metrics, or that of the worst. */
export type Objective = 'sum' | 'worst';

export interface PathRequest {
  readonly source: NodeId;
  readonly destination: NodeId;
  /** Optimised; ties fall to fewer SIDs, then the smaller ids. */
  readonly metric: MetricType;
  readonly constraints: PathConstraints;
  /** Up to this many loopless paths in ascending metric order, by default 1; with `disjoint` exactly as many, by default 2. */
  readonly k?: number;
  /**
   * Paths that share nothing of these kinds, of the least sum of the metric: a strict group of `k` equal members. Measured
   * between attachment routers; what single-homing forces them to share is reported.
   */
  readonly disjoint?: Disjointness | readonly Disjointness[];
  /**
   * A bidirectional pair over the same links: the path, and the way back over the reverse directions of its links, both
   * within all constraints (on the way back the include list is passed in reverse). Minimised: the sum of both, or the
   * worse of the two. Not together with `k` or `disjoint`.
   */
  readonly coRouted?: Objective;
  /**
   * Traffic families the segment lists must end in a service SID for. Default: those the destination has service SIDs
   * for. Empty: transport only (a router as destination).
   */
  readonly families?: readonly AddressFamily[];
  /** Overrides the headend's MSD when smaller. */
  readonly maxSegments?: number;
}
