import type { LinkId, MetricType, NodeId, Snapshot } from '@waymark/topology';
import type {
  CandidatePathIntent,
  CandidatePathState,
  DisjointStandby,
  Fallback,
  PolicyList,
  PolicyState,
} from '../model/sr-policy.js';

/*
 * What goes into an evaluation and what comes out: plain data, so that it can travel to a worker thread and be recorded.
 */

/** One weighted list of transport SIDs, without the service SID that each family appends. */
export interface TransportList {
  readonly weight: number;
  readonly sids: readonly string[];
}

export interface LinkBandwidth {
  readonly linkId: LinkId;
  readonly bandwidthBps: number;
}

/** What is held of a link at one priority, 0 (the highest) to 7 (RFC 3209 section 4.7.3). */
export interface Booking extends LinkBandwidth {
  /** As much of it as is in use; the rest is held until a headend has acked that its policy moved away. */
  readonly currentBps: number;
  readonly holdPriority: number;
}

/** What a policy has now. */
export interface Incumbent {
  readonly status: PolicyState['status'];
  /** Discriminator. */
  readonly activeCandidate: number | null;
  readonly lists: readonly TransportList[];
  readonly candidatePaths: readonly CandidatePathState[];
  /** What its objective was worth when it was last evaluated; null: no objective. */
  readonly value: number | null;
  /** It was in want of bandwidth. */
  readonly starved: boolean;
  /** Something better was wanted and impossible. */
  readonly unsettled: boolean;
  readonly standby: IncumbentStandby | null;
  readonly disjointStandby: DisjointStandby | null;
}

export interface IncumbentStandby {
  /** Discriminator; that of the active candidate path when that asked for it. */
  readonly candidate: number;
  /** What it was searched for; null: it is explicit. */
  readonly metric: MetricType | null;
  readonly lists: readonly TransportList[];
}

export interface PinnedLists {
  /** Discriminator of the candidate path they came from; null: from a fallback. */
  readonly activeCandidate: number | null;
  readonly lists: readonly TransportList[];
}

export interface PolicyToEvaluate {
  /** <headend>:<color>:<endpoint> */
  readonly policyId: string;
  readonly headend: NodeId;
  readonly endpoint: NodeId;
  readonly candidatePaths: readonly CandidatePathIntent[];
  readonly fallback: Fallback;
  /** null: never computed. */
  readonly incumbent: Incumbent | null;
  /** With what right it takes bandwidth: also such as is held at a numerically greater priority than this. */
  readonly setupPriority: number;
  /** With what right it holds its own; not numerically greater than the setup priority. */
  readonly holdPriority: number;
  /** Own bookings per link: the maximum over the generations that still hold one. */
  readonly bookings: readonly Booking[];
  /** The operator's order to use exactly these lists as long as they deliver. */
  readonly pinned: PinnedLists | null;
  /**
   * Is something better looked for when the incumbent holds and is no worse than it was? False after changes that can
   * only make paths worse: they leave nothing better to find, and a proof is cheaper than a search.
   */
  readonly reoptimise: boolean;
}

/** Everything but the snapshot: what a worker is sent. */
export interface EvaluationTask {
  readonly policies: readonly PolicyToEvaluate[];
  /** Booked per link and hold priority by all policies, those evaluated here included. */
  readonly booked: readonly Booking[];
  /** Links that returned or improved too recently to be a reason to move there (hysteresis). */
  readonly heldLinks: readonly LinkId[];
}

export interface EvaluationInput extends EvaluationTask {
  readonly snapshot: Snapshot;
}

/** A part of a list that routers expand: from where one segment ended to where the next one starts. */
export interface ExpandedSegment {
  readonly from: NodeId;
  readonly to: NodeId;
  /** IGP metric of the shortest path between them when the list was proved; null: it follows other paths than these. */
  readonly igp: number | null;
}

/** All that any branch of some lists crosses, sorted. */
export interface Crossed {
  readonly nodes: readonly NodeId[];
  readonly links: readonly LinkId[];
}

/** What the headend uses by itself while none of the active lists delivers. It books nothing. */
export interface Standby {
  /** Discriminator; that of the active candidate path when that asked for it. */
  readonly candidate: number;
  /** What it was searched for; null: it is explicit. */
  readonly metric: MetricType | null;
  readonly lists: readonly PolicyList[];
  readonly expanded: readonly ExpandedSegment[];
  readonly crossed: Crossed;
}

/** Bandwidth of a link that is taken from policies with a numerically greater hold priority than this. */
export interface Preemption {
  readonly linkId: LinkId;
  readonly setupPriority: number;
  /** Of the link, by all together. */
  readonly reservableBps: number;
}

export interface PolicyEvaluation {
  readonly policyId: string;
  readonly status: PolicyState['status'];
  /** Discriminator. */
  readonly activeCandidate: number | null;
  readonly compliance: PolicyState['compliance'];
  /** In the order of their selection: the best first. */
  readonly candidatePaths: readonly CandidatePathState[];
  readonly lists: readonly PolicyList[];
  /** null: none was asked for or found, and the active candidate path is the only valid one, or nothing is active. */
  readonly standby: Standby | null;
  /** What became of the standby that the active candidate path asks for; null: it asks for none. */
  readonly disjointStandby: DisjointStandby | null;
  /** What the lists book, sorted by link. Empty without a bandwidth constraint. */
  readonly bookings: readonly LinkBandwidth[];
  /**
   * - `kept`: the same lists as before.
   * - `blocked`: kept although a drained link or node is in use, for want of an alternative.
   * - `changed`: other lists, another status or another candidate path.
   */
  readonly decision: 'kept' | 'blocked' | 'changed';
  /** Why, in one sentence for an operator. */
  readonly cause: string;
  /**
   * What the active path is optimised for and its value over the worst branch, of several lists the mean by weight; null
   * when nothing is optimised.
   */
  readonly objective: { readonly metric: MetricType; readonly value: number } | null;
  /**
   * Something better than this was wanted and is impossible now: another candidate path, a better path than any list leads
   * over that its headend can push, or a single list instead of several.
   */
  readonly unsettled: boolean;
  /** ... for lack of unreserved bandwidth. */
  readonly starved: boolean;
  /** Where it books what may be in use at lower hold priorities: who has those must be evaluated together with it. */
  readonly preempts: readonly Preemption[];
  /** The link whose bandwidth it loses to others of this evaluation, who preempt; null: none. */
  readonly takenOn: LinkId | null;
  readonly expanded: readonly ExpandedSegment[];
  /** By the lists; the standby has its own. */
  readonly crossed: Crossed;
}

/** What an evaluation leaves for the next one to start from. */
export function incumbentAfter(evaluation: PolicyEvaluation): Incumbent {
  const { status, activeCandidate, candidatePaths, objective, starved, unsettled, standby, disjointStandby } =
    evaluation;
  return {
    status,
    activeCandidate,
    candidatePaths,
    lists: evaluation.lists.map(transportList),
    value: objective?.value ?? null,
    starved,
    unsettled,
    standby: standby && {
      candidate: standby.candidate,
      metric: standby.metric,
      lists: standby.lists.map(transportList),
    },
    disjointStandby,
  };
}

/** The policy once the headend has acked what an evaluation decided. */
export function settledAfter(policy: PolicyToEvaluate, evaluation: PolicyEvaluation): PolicyToEvaluate {
  const { holdPriority } = policy;
  return {
    ...policy,
    incumbent: incumbentAfter(evaluation),
    bookings: evaluation.bookings.map((need) => ({ ...need, currentBps: need.bandwidthBps, holdPriority })),
    reoptimise: false,
  };
}

export function transportList({ weight, transport }: Pick<PolicyList, 'weight' | 'transport'>): TransportList {
  return { weight, sids: transport.map(({ sid }) => sid) };
}
