import type { ComputedPath, NoPath, OptionalOutcome, Shared } from './path-answer.js';
import type { Disjointness, MetricType, Objective, PathRequest } from './path-request.js';

/** One path of a group, with constraints of its own. */
export type DisjointMember = Pick<PathRequest, 'source' | 'destination' | 'constraints' | 'families' | 'maxSegments'>;

/** Paths for several requests at once, which share nothing of the kinds asked for. */
export interface DisjointRequest {
  /** Two or more. */
  readonly members: readonly DisjointMember[];
  readonly metric: MetricType;
  /** Any combination; at least one kind. */
  readonly disjoint: readonly Disjointness[];
  /**
   * `strict` (default): disjoint as asked, or no paths. `relaxed`: else the strongest level that there is, going down from
   * `site` to `node`, then without `srlg`, to `link`, and last to paths that share as few links as possible.
   */
  readonly mode?: 'strict' | 'relaxed';
  /** Default `sum`. */
  readonly objective?: Objective;
  /**
   * As of a path request, and the same for all members: what they take together from a link is held against one remainder.
   */
  readonly setupPriority?: number;
  /**
   * Constraints that need not be kept, as JSON pointers into this request (`/members/1/constraints/bounds/0`, `/disjoint`), the
   * most important first; as of a path request. Without the disjointness paths share as few links as possible.
   */
  readonly optional?: readonly string[];
}

export interface DisjointPathsFound {
  readonly status: 'computed';
  readonly revision: number;
  readonly metric: MetricType;
  readonly objective: Objective;
  /** The level that holds between the attachment routers, in its shortest form; empty when links are shared. */
  readonly achieved: readonly Disjointness[];
  /** Stronger levels that were asked for, the strongest first. */
  readonly unachieved: readonly UnachievedLevel[];
  /** `feasible`: nothing better was ruled out at the level achieved. */
  readonly optimality: 'optimal' | 'feasible';
  /** No paths at the level achieved have a smaller value of the objective; with shared links, none that share as few. */
  readonly lowerBound: number;
  /** One for each optional constraint, in the order of the request. */
  readonly optional: readonly OptionalOutcome[];
  /** In the order of the members. */
  readonly paths: readonly ComputedPath[];
  readonly shared: Shared;
}

/** Why there are no paths at a level. */
export interface UnachievedLevel {
  readonly disjoint: readonly Disjointness[];
  /** False: the work budget ended the search; there may be such paths all the same. */
  readonly isProved: boolean;
  readonly message: string;
  /** The cut: more members have to pass these than there are of them. Empty when all combinations were tried instead. */
  readonly blocking: Shared;
}

/** No paths for a group. `constraint` and the conflict point into the group's request. */
export interface NoDisjointPaths extends NoPath {
  /** The member that has no path even by itself; null when it is the group that cannot be met. */
  readonly member: number | null;
  readonly blockingSrlgs: readonly number[];
  readonly blockingSites: readonly string[];
}

export type DisjointAnswer = DisjointPathsFound | NoDisjointPaths;
