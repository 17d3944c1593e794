import type { PathAnswer } from '../model/path-answer.js';
import type { Disjointness } from '../model/path-request.js';
import { refusal, type PreparedRequest } from './prepare-request.js';
import type { WorkBudget } from './work-budget.js';

export function computeDisjointPair(prepared: PreparedRequest, kind: Disjointness, _budget: WorkBudget): PathAnswer {
  return refusal(prepared.snapshot, 'disjoint-path-not-found', `no ${kind}-disjoint pair`);
}
