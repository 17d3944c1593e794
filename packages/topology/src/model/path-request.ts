import type { AddressFamily } from './address.js';
import type { ProtectionRequest } from './path-protection.js';
import type { LinkId, NodeId } from './ted.js';

/** RFC 8776 / 5440 metric types that a path can be optimised for. */
export type MetricType = 'igp' | 'te' | 'delay' | 'delay-variation' | 'loss' | 'hop';

/**
 * igp, te: sum of metrics; delay, delay-variation: sum in microseconds, end to end over every link including host links;
 * loss: 1 - product(1 - loss) in ppm, which a path keeps when it exceeds the bound by less than 0.001 ppm; hop: links crossed.
 */
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
  /**
   * Directed links; excluding a node excludes all its links; excluding a site excludes the nodes there, other than source
   * and destination themselves.
   */
  readonly exclude?: {
    readonly nodes?: readonly NodeId[];
    readonly links?: readonly LinkId[];
    readonly srlgs?: readonly number[];
    readonly sites?: readonly string[];
  };
  /** Visited in this order. */
  readonly include?: readonly IncludeEntry[];
}

/**
 * A node to visit or a directed link to cross (RFC 3209 section 4.3.3, RFC 8776). `loose`, the default: with anything
 * between it and the entry before. `strict`: with nothing between; the path goes there from the node that the entry before
 * ends at (a link: the node it leads to), or for the first entry from the source.
 */
export type IncludeEntry = ({ readonly node: NodeId } | { readonly link: LinkId }) & {
  readonly hop?: 'strict' | 'loose';
};

/**
 * What two paths may not share (RFC 8800, and sites). Each kind includes `link`, because a link is a risk of its own;
 * `site` includes `node`: a node without a site stands alone. A link is in the SRLGs of both of its directions.
 */
export type Disjointness = 'link' | 'node' | 'srlg' | 'site';

/** What is minimised over several paths: the sum of their metrics, or that of the worst. */
export type Objective = 'sum' | 'worst';

/** Lists that a demand can be split over, at most. */
export const MOST_LISTS = 16;

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
   * With `bandwidthBps`, when no single path carries it: up to this many paths (1 to 16, by default 1) that carry it together, by
   * weight (RFC 9256). Each keeps all other constraints by itself. Minimised: the mean of the metric over the traffic. Not
   * together with `k`, `disjoint` or `coRouted`.
   */
  readonly maxLists?: number;
  /**
   * Traffic families the segment lists must end in a service SID for. Default: those the destination has service SIDs
   * for. Empty: transport only (a router as destination).
   */
  readonly families?: readonly AddressFamily[];
  /** Overrides the headend's MSD when smaller. */
  readonly maxSegments?: number;
  /**
   * 0, the highest, to 7, the default (RFC 3209): bandwidth is held against what is unreserved at this priority. The engine
   * takes that as it is given (`ComputeOptions.unreservedBps`).
   */
  readonly setupPriority?: number;
  /**
   * Constraints that need not be kept, as JSON pointers into this request, the most important first. Of all paths that keep
   * everything else, those that keep the first; of these, if there are any, those that keep the second; and so on.
   */
  readonly optional?: readonly string[];
  /**
   * Added to each path found, which it never changes. Not together with `coRouted`; a standby not with `disjoint` or `maxLists`
   * above 1 either.
   */
  readonly protection?: ProtectionRequest;
}
