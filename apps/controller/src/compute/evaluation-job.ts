import type { LinkId } from '@waymark/topology';
import type { CandidatePathIntent } from '../model/sr-policy.js';
import { whileMoving } from './bandwidth-ledger.js';
import type { CandidateOutcome, ValidLists } from './candidate-outcome.js';
import type { Booking, PolicyEvaluation, PolicyToEvaluate } from './evaluate-policies-model.js';

/** One policy on its way through the passes. */
export interface Job {
  readonly policy: PolicyToEvaluate;
  /** Best first. */
  readonly ranked: readonly CandidatePathIntent[];
  readonly outcomes: Map<number, CandidateOutcome>;
  /** The lists it has, when they hold; set by the first pass. */
  kept: Choice | undefined;
  /** The same, when they need more bandwidth than it has. */
  growing: Choice | undefined;
  /** Why it cannot keep them. */
  leaving: string | undefined;
  /** Where it cannot keep them, or their bandwidth, because of others in this evaluation. */
  takenOn: LinkId | null;
  /** It cannot keep them for lack of bandwidth. */
  displaced: boolean;
  /** What is booked for it so far in this evaluation. */
  holding: readonly Booking[];
}

/** What a policy is to use. */
export interface Choice {
  readonly status: PolicyEvaluation['status'];
  readonly candidate: CandidatePathIntent | undefined;
  readonly lists: ValidLists | undefined;
  readonly compliance: PolicyEvaluation['compliance'];
  readonly cause: string;
  readonly blocked?: true;
  readonly pinned?: true;
}

export function chosen(candidate: CandidatePathIntent, lists: ValidLists, cause: string): Choice {
  return { status: 'up', candidate, lists, compliance: complianceOf(candidate), cause };
}

export function complianceOf({ path }: CandidatePathIntent): 'constraints-met' | 'unconstrained' {
  return path.kind === 'explicit' && path.constraints === undefined ? 'unconstrained' : 'constraints-met';
}

export function wantsBandwidth({ path }: CandidatePathIntent): boolean {
  return path.constraints?.bandwidthBps !== undefined;
}

/** Does keeping its lists mean booking more than the policy has? */
export function grows({ policy }: Job, { lists }: Choice): boolean {
  const own = new Map(policy.bookings.map(({ linkId, currentBps }) => [linkId, currentBps]));
  return (lists?.bookings ?? []).some(({ linkId, bandwidthBps }) => bandwidthBps > (own.get(linkId) ?? 0));
}

/** What the policy books until its headend has acked. */
export function held({ policy }: Job, choice: Choice | undefined): readonly Booking[] {
  return whileMoving(policy.bookings, choice?.lists?.bookings ?? [], policy.holdPriority);
}
