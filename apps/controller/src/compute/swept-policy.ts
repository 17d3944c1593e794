import type { CandidatePathIntent } from '../model/sr-policy.js';
import type { PolicyToEvaluate } from './evaluate-policies-model.js';

/** A policy that has lists which deliver. */
export interface SweptPolicy {
  readonly policy: PolicyToEvaluate;
  /** The candidate path whose constraints its lists keep now; undefined: they keep none. */
  readonly guarantee: CandidatePathIntent | undefined;
}
