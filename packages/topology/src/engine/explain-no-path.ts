import type { NoPath } from '../model/path-answer.js';
import { refusal, type PreparedRequest } from './prepare-request.js';
import type { WorkBudget } from './work-budget.js';

export function explainNoPath(prepared: PreparedRequest, _budget: WorkBudget): NoPath {
  const { snapshot, request } = prepared;
  return refusal(snapshot, 'path-not-found', `no path from ${request.source} to ${request.destination}`);
}
