import type { EvaluatedBatch } from './evaluate-batch.js';
import { groupBy } from './group-by.js';

/**
 * The first of these policies, about as many as wanted: each one together with those that make room for it, which it cannot
 * be published without.
 */
export function mostUrgent(
  ids: readonly string[],
  { evaluations, preempted }: Pick<EvaluatedBatch, 'evaluations' | 'preempted'>,
  wanted: number,
): Set<string> {
  const evaluated = new Map(evaluations.map((evaluation) => [evaluation.policyId, evaluation]));
  const leaving = evaluations.flatMap(({ policyId, takenOn }) =>
    takenOn === null ? [] : [{ policyId, linkId: takenOn }],
  );
  const makingRoom = groupBy([...leaving, ...preempted.values()], ({ linkId }) => linkId);
  const urgent = new Set<string>();
  for (const id of ids) {
    if (urgent.size >= wanted) break;
    const reached = [id];
    for (let next = reached.pop(); next !== undefined; next = reached.pop()) {
      if (urgent.has(next)) continue;
      urgent.add(next);
      for (const { linkId } of evaluated.get(next)?.preempts ?? []) {
        for (const { policyId } of makingRoom.get(linkId) ?? []) reached.push(policyId);
        makingRoom.delete(linkId);
      }
    }
  }
  return urgent;
}
