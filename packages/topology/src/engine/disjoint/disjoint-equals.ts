import type { PathAnswer } from '../../model/path-answer.js';
import { sumOver } from '../search-problem.js';
import type { PreparedRequest } from '../prepare-request.js';
import type { WorkBudget } from '../work-budget.js';
import { solveGroup } from './solve-group.js';

/** The `disjoint` paths of a path request: a strict group of equal members. */
export function disjointEquals(prepared: PreparedRequest, budget: WorkBudget): PathAnswer {
  const { snapshot, request, problem } = prepared;
  const { metric, disjoint = [], k = 2, source, destination, constraints } = request;
  const members = Array.from({ length: k }, () => ({ source, destination, constraints }));
  const kinds = typeof disjoint === 'string' ? [disjoint] : disjoint;
  const group = { members, metric, disjoint: kinds };
  const solved = solveGroup(
    group,
    members.map(() => prepared),
    budget,
  );
  if (solved.kind === 'refused') {
    if (!solved.isProved) budget.giveUp();
    budget.decide();
    return solved.refusal;
  }
  const { revision, optimality, lowerBound, shared } = solved.answer;
  const value = (links: readonly string[]) =>
    sumOver(
      problem.weight,
      links.map((id) => snapshot.arcOf(id)),
    );
  const paths = [...solved.answer.paths].sort(
    (a, b) => value(a.links) - value(b.links) || a.links.length - b.links.length,
  );
  return { status: 'computed', revision, metric, optimality, lowerBound, optional: [], paths, shared };
}
