import type { CandidatePathIntent } from '../model/sr-policy.js';
import { largerOf } from './bandwidth-ledger.js';
import type { CandidateOutcome, ValidLists } from './evaluate-candidate-path.js';
import type { LinkBandwidth, PolicyEvaluation, PolicyToEvaluate } from './evaluate-policies-model.js';

/** One policy on its way through the passes. */
export interface Job {
  readonly policy: PolicyToEvaluate;
  /** Best first. */
  readonly ranked: readonly CandidatePathIntent[];
  readonly outcomes: Map<number, CandidateOutcome>;
  /** The lists it has, when they hold; set by the first pass. */
  kept: Choice | undefined;
  /** Why it cannot keep them. */
  leaving: string | undefined;
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

/** Does keeping its lists mean booking more than the policy has? */
export function grows({ policy }: Job, { lists }: Choice): boolean {
  const own = new Map(policy.bookings.map(({ linkId, bandwidthBps }) => [linkId, bandwidthBps]));
  return (lists?.bookings ?? []).some(({ linkId, bandwidthBps }) => bandwidthBps > (own.get(linkId) ?? 0));
}

/** What the policy books until its headend has acked. */
export function held({ policy }: Job, choice: Choice | undefined): readonly LinkBandwidth[] {
  const wanted = choice?.lists?.bookings ?? [];
  return wanted.length === 0 ? policy.bookings : largerOf(policy.bookings, wanted);
}
