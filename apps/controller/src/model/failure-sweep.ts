import type { LinkId, NodeId, Overlay } from '@waymark/topology';

export const failureKinds = ['link', 'node', 'srlg', 'site'] as const;
export type FailureKind = (typeof failureKinds)[number];

/** One thing that fails. A link by the smaller id of its two directions, which fail together. */
export type Failure =
  | { readonly kind: 'link'; readonly link: LinkId; readonly reverse: LinkId }
  | { readonly kind: 'node'; readonly node: NodeId }
  | { readonly kind: 'srlg'; readonly srlg: number }
  | { readonly kind: 'site'; readonly site: string };

export interface FailureSweepRequest {
  readonly id: string;
  readonly kinds: readonly FailureKind[];
  /** What is so before anything fails, and all have reacted to. */
  readonly overlay?: Overlay;
  /** Whose fate is told. */
  readonly policies?: {
    readonly headend?: NodeId;
    readonly endpoint?: NodeId;
    readonly color?: number;
    readonly mesh?: string;
  };
}

/**
 * What carries a policy between the failure and the first reaction of the controller, when routers have converged.
 * - `kept`: its lists, within all constraints;
 * - `standby`: they do not deliver, and its standby lists do, within the constraints of their candidate path;
 * - `lost`: neither: no delivery, or a constraint is broken.
 */
export type AtOnce = 'kept' | 'standby' | 'lost';

/**
 * What the controller then makes of it.
 * - `kept`, `moved`: within the constraints of a candidate path, with the lists it has or with others;
 * - `preempted`: not any more, because a policy of higher priority takes its bandwidth;
 * - `fallback`, `down`: no candidate path is valid.
 */
export type AfterReaction = 'kept' | 'moved' | 'preempted' | 'fallback' | 'down';

/** What a failure does to a policy that was within its constraints. */
export interface PolicyImpact {
  readonly policyId: string;
  readonly atOnce: AtOnce;
  readonly afterReaction: AfterReaction;
  /** A violation, a no-path reason, or null. */
  readonly reason: string | null;
  readonly message: string;
}

export interface FailureImpact {
  readonly failure: Failure;
  /** `harmless`: every policy stays within its constraints all the time. `recovers`: again once the controller has reacted. */
  readonly outcome: 'harmless' | 'recovers' | 'loses';
  /** Policies that had to be looked at; nothing happens to the others. */
  readonly examined: number;
  readonly counts: Readonly<Record<'standby' | 'lost' | 'moved' | 'preempted' | 'fallback' | 'down', number>>;
  /** Policies that begin or end at what failed: nothing can carry them. They are in no other count. */
  readonly ended: readonly string[];
  /** Those that are `lost` at once, or are not within their constraints afterwards; sorted. */
  readonly policies: readonly PolicyImpact[];
}

/** A policy that some single failure takes out of its constraints. */
export interface PolicyAtRisk {
  readonly policyId: string;
  /** For good, whatever the controller does. */
  readonly loses: readonly Failure[];
  /** Until the controller has reacted. */
  readonly recovers: readonly Failure[];
}
