import type { ComputedPath, PathMetrics, Segment, Shared } from './path-answer.js';
import type { Disjointness, PathConstraints } from './path-request.js';
import type { LinkId, NodeId } from './ted.js';

/** A single element that fails: a link in both directions, or a node with all its links. */
export type FailureKind = 'link' | 'node';

/** What to add to each path of an answer. */
export interface ProtectionRequest {
  readonly standby?: StandbyRequest;
  /** For which failures on the path the TI-LFA repairs (RFC 9855) are predicted. */
  readonly detours?: readonly FailureKind[];
}

/** A path for the headend to use when the primary fails, found without making the primary worse. */
export interface StandbyRequest {
  /** What it may not share with the primary, beyond what single-homed endpoints force both to; at least one kind. */
  readonly disjoint: Disjointness | readonly Disjointness[];
  /**
   * `strict` (default): disjoint as asked, or none. `relaxed`: else the strongest level that there is, as for a group of
   * disjoint paths, and last the path that shares the fewest links with the primary.
   */
  readonly mode?: 'strict' | 'relaxed';
  /** What it must obey; by default what the primary must. */
  readonly constraints?: PathConstraints;
}

export interface PathProtection {
  /** Only where one was asked for. */
  readonly standby?: StandbyAnswer;
  /** Only where they were asked for: one per link and node on the branches of the first segment list, links first. */
  readonly detours?: readonly Detour[];
}

/** A level of disjointness at which no standby was found. */
export interface UnachievedStandby {
  readonly disjoint: readonly Disjointness[];
  /** False: the work budget ended the search; there may be one all the same. */
  readonly isProved: boolean;
  /** What every path of the standby's constraints has in common with the primary though it must not. */
  readonly blocking: Shared;
}

export interface StandbyFound {
  readonly status: 'computed';
  /** The level that holds, in its shortest form; empty when links are shared. */
  readonly achieved: readonly Disjointness[];
  /** Stronger levels that were asked for, the strongest first. */
  readonly unachieved: readonly UnachievedStandby[];
  /** `feasible`: the work budget ended the search for a better one at this level. */
  readonly optimality: 'optimal' | 'feasible';
  readonly path: Omit<ComputedPath, 'protection'>;
  /** With the primary. */
  readonly shared: Shared;
}

export interface NoStandby {
  readonly status: 'no-path';
  readonly message: string;
  readonly unachieved: readonly UnachievedStandby[];
  readonly isProved: boolean;
}

export type StandbyAnswer = StandbyFound | NoStandby;

export type FailedElement =
  { readonly kind: 'link'; readonly link: LinkId } | { readonly kind: 'node'; readonly node: NodeId };

/** What becomes of the traffic of a list between a failure and the convergence of the IGP. */
export interface Detour {
  readonly failure: FailedElement;
  /** Every packet is repaired and delivered. */
  readonly isProtected: boolean;
  /** One for each point of local repair and each active segment that packets have there, in the order of the walk. */
  readonly repairs: readonly Repair[];
  /** End to end on the worst branch while the repairs are in use; null when not every packet is delivered. */
  readonly worst: PathMetrics | null;
  /** Largest inner packet while the repairs are in use, with their headers; null as `worst`, or unknown. */
  readonly pathMtuBytes: number | null;
  /** Constraints of the request that do not hold while the repairs are in use; empty when not every packet is delivered. */
  readonly broken: readonly BrokenConstraint[];
  /** Why not every packet is delivered, in one sentence; null when it is. */
  readonly message: string | null;
}

export interface BrokenConstraint {
  /** JSON pointer into the request, `/constraints/include` for the include list as a whole; null: path MTU. */
  readonly constraint: string | null;
  readonly message: string;
}

/** What one router does with packets that it would have sent over what failed. */
export interface Repair {
  readonly pointOfLocalRepair: NodeId;
  /** The link that it finds dead. */
  readonly link: LinkId;
  /** SID, or container, that packets have as their destination there. */
  readonly activeSegment: string;
  /** Where the active segment ends: for an adjacency segment the far end of its link. null: its SID leads to no one node. */
  readonly segmentEnd: NodeId | null;
  readonly outcome: RepairPath | Unrepaired;
}

/** The repair path: the post-convergence path from the point of local repair to the end of the active segment. */
export interface RepairPath {
  readonly kind: 'repaired';
  /** One of the branches where the repair list leaves a choice. */
  readonly links: readonly LinkId[];
  readonly metrics: PathMetrics;
  /**
   * Of the path's nodes beyond the point of local repair, in the order of travel: those it reaches over its shortest paths
   * from before the failure without what failed; those that it reaches so by way of a neighbour; and those that reach the
   * end of the segment so.
   */
  readonly pSpace: readonly NodeId[];
  readonly extendedPSpace: readonly NodeId[];
  readonly qSpace: readonly NodeId[];
  /** Pushed by the point of local repair around what it received; none where the first link of the path is enough. */
  readonly repairList: readonly Segment[];
  readonly srhEntries: number;
  /** Added to each packet on the repair path. */
  readonly headerBytes: number;
  /** Can the last SID of the list remove that header (USD, RFC 8986 section 4.16.3)? Also when there is none to remove. */
  readonly decapsulates: boolean;
}

export type UnrepairedReason =
  /** The failed node is where the active segment ends: RFC 9855 repairs the way to it, not its loss. */
  | 'segment-endpoint'
  /** The adjacency SID is advertised without a local repair (B-flag). */
  | 'adjacency-unprotected'
  /** Without what failed no path leads to the end of the segment. */
  | 'no-post-convergence-path'
  /** No list of SIDs keeps routers that have not converged on such a path. */
  | 'no-repair-list'
  /** The point of local repair cannot push as many SRH entries as the list needs. */
  | 'msd-exceeded'
  /** A host repairs nothing. */
  | 'host'
  /** The work budget ended before. */
  | 'not-predicted';

export interface Unrepaired {
  readonly kind: 'unrepaired';
  readonly reason: UnrepairedReason;
  readonly message: string;
}
