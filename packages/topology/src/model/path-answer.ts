import type { AddressFamily } from './address.js';
import type { PathProtection } from './path-protection.js';
import type { MetricType } from './path-request.js';
import type { EndpointBehavior, LinkId, NodeId, SidOrigin } from './ted.js';

/** Sums over a path. null: at least one link's value is unknown. */
export interface PathMetrics {
  readonly igp: number;
  readonly te: number;
  readonly delayUs: number | null;
  readonly delayVariationUs: number | null;
  /** 1 - product(1 - loss), rounded up to whole ppm where it exceeds them by 0.001 ppm or more. */
  readonly lossPpm: number | null;
  readonly hops: number;
}

/** One SID of a segment list, with what it makes the network do. */
export interface Segment {
  readonly sid: string;
  readonly behavior: EndpointBehavior;
  readonly node: NodeId;
  /** End.X: the link it crosses. */
  readonly linkId: LinkId | null;
  readonly origin: SidOrigin;
}

/** What the headend pushes as one destination address: a SID, or a C-SID container (RFC 9800). */
export interface ListEntry {
  readonly address: string;
  /** The SIDs it carries, in the order of travel. */
  readonly sids: readonly string[];
}

export interface SegmentList {
  /** null: transport only. */
  readonly family: AddressFamily | null;
  /** In the order of travel, each SID by itself. */
  readonly segments: readonly Segment[];
  /** The same as they are pushed. */
  readonly entries: readonly ListEntry[];
  /** Outer IPv6 header + SRH, in the headend's encapsulation mode. */
  readonly headerBytes: number;
  /** SRH entries the headend pushes; what its MSD limits. */
  readonly srhEntries: number;
  /** Does the last SID decapsulate? A transport list that ends in an End SID without USD carries no traffic to its end. */
  readonly decapsulates: boolean;
  /** Largest inner packet that fits on every branch; null when a link's MTU is unknown. */
  readonly pathMtuBytes: number | null;
  readonly proof: ProofSummary;
}

/** What the proof measured over every ECMP branch the list can take. */
export interface ProofSummary {
  readonly worst: PathMetrics;
  readonly best: PathMetrics;
  /** False: more than one branch can be taken. */
  readonly singlePath: boolean;
  /** At least one SID is planned: computed and shown, never installed on a real data plane. */
  readonly usesPlannedSids: boolean;
}

export interface ComputedPath {
  /** Where a demand is split (`maxLists`): its part is this over the sum of the weights of all paths. Otherwise 1. */
  readonly weight: number;
  /** Source to destination; where ECMP splits traffic, one of the branches. */
  readonly nodes: readonly NodeId[];
  readonly links: readonly LinkId[];
  readonly metrics: PathMetrics;
  /** The link with the least unreserved bandwidth; null when no link's bandwidth is known. */
  readonly bottleneck: { readonly linkId: LinkId; readonly unreservedBps: number } | null;
  /** SIDs in front of the service SID; the finished lists are derived from it. */
  readonly transport: readonly Segment[];
  /** One per family, or one transport list when no family was asked for. */
  readonly segmentLists: readonly SegmentList[];
  /** Only where it was asked for. */
  readonly protection?: PathProtection;
}

export type NoPathReason =
  | 'path-not-found'
  | 'metric-bound-exceeded'
  | 'insufficient-bandwidth'
  | 'affinity-excluded'
  | 'srlg-excluded'
  | 'resource-excluded'
  | 'include-unreachable'
  | 'disjoint-path-not-found'
  | 'msd-exceeded'
  | 'sid-unresolved'
  | 'source-unknown'
  | 'destination-unknown'
  /** Of the controller, never of the engine: what the topology is taken from is not believed now. */
  | 'ted-stale';

export interface NoPath {
  readonly status: 'no-path';
  readonly revision: number;
  readonly reason: NoPathReason;
  /** One sentence for an operator, naming the ids that matter. */
  readonly message: string;
  /** The constraint to blame, as a pointer into the request (`/constraints/bounds/0`), when there is one. */
  readonly constraint: string | null;
  /** The value of that constraint with which a path would exist, all else as asked. */
  readonly nearestFeasible: number | null;
  /** Directed links that block: a cut for bandwidth, affinity, SRLG, exclusion and disjointness. Sorted. */
  readonly blockingLinks: readonly LinkId[];
  /** Nodes that block (sid-unresolved, single points of failure). Sorted. */
  readonly blockingNodes: readonly NodeId[];
  /** False: the work budget ended the search; there may be a path all the same. */
  readonly isProved: boolean;
  readonly conflict: Conflict;
}

/** A constraint that stands in the way, and what relaxing it alone would do, all else as asked. */
export interface ConflictingConstraint {
  /** JSON pointer into the request. */
  readonly constraint: string;
  /**
   * Bounds, bandwidth, maxSegments and maxLists: the value nearest to what was asked for with which there is a path. null: none would
   * do, or it is no such constraint, or (for several paths, or when the work budget ended) none was sought to the end.
   */
  readonly nearestFeasible: number | null;
  /**
   * The optimised metric once it is relaxed to that value, or dropped where there is none. null: there is no path even so,
   * because others conflict too; or the work budget ended.
   */
  readonly metric: number | null;
}

/**
 * Constraints of the request that conflict: with these alone there is no path, and without any one of them there is.
 * Empty when no constraint is to blame. What the network is, drained links and the headend's MSD included, is given.
 */
export interface Conflict {
  readonly constraints: readonly ConflictingConstraint[];
  /** False: the work budget ended before every constraint was tried; some may be innocent. */
  readonly isMinimal: boolean;
}

/** What became of an optional constraint. */
export interface OptionalOutcome {
  /** JSON pointer into the request. */
  readonly constraint: string;
  readonly isAchieved: boolean;
  /**
   * By how much the worst path misses it, in its unit: bounds, bandwidthBps (on the link with the least), maxSegments and maxLists.
   * null: achieved, or a constraint that has no such measure, or an unknown value.
   */
  readonly missedBy: number | null;
}

export interface PathsFound {
  readonly status: 'computed';
  readonly revision: number;
  readonly metric: MetricType;
  /**
   * `feasible`: a better value was not ruled out (the work budget ended the search, or one of k paths cannot be encoded or
   * splits over several links of the host); no value better than `lowerBound` can exist. It is about the value alone: that
   * nothing as good takes fewer entries is sought within what is left of the work budget, and not told.
   */
  readonly optimality: 'optimal' | 'feasible';
  /** Of the first path; of the objective over all of them for disjoint and co-routed paths; of the mean where a demand is split. */
  readonly lowerBound: number;
  /**
   * What the best path is worth, whatever list would make packets take it: what the lists cost above it is the price of what the
   * headend can push. Told of a single path, unless the headend splits its traffic over several links or the budget ended.
   */
  readonly leastOfPaths?: number;
  /** One for each optional constraint, in the order of the request. */
  readonly optional: readonly OptionalOutcome[];
  /** Cheapest first. Co-routed: the way there, then the way back. */
  readonly paths: readonly ComputedPath[];
  /** Disjoint paths: what some of them share all the same. */
  readonly shared: Shared | null;
}

/** What at least two paths can use. Sorted. */
export interface Shared {
  /** But for those that are an endpoint of each path that passes them. */
  readonly nodes: readonly NodeId[];
  /** The directions in which they are crossed. */
  readonly links: readonly LinkId[];
  readonly srlgs: readonly number[];
  /** But for those where each of the paths that pass them has an endpoint. */
  readonly sites: readonly string[];
}

export type PathAnswer = PathsFound | NoPath;
