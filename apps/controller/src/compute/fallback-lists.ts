import type { Snapshot } from '@waymark/topology';
import type { CandidateOutcome } from './candidate-outcome.js';
import type { CandidateEvaluator } from './evaluate-candidate-path.js';
import type { PolicyToEvaluate } from './evaluate-policies-model.js';

/**
 * Where the IGP itself would send the traffic: the service SID alone where its prefix is routed everywhere, else behind
 * the SID of the attachment router with the shortest way there. Proved for delivery only.
 */
export function shortestPathFallback(
  snapshot: Snapshot,
  evaluator: CandidateEvaluator,
  policy: PolicyToEvaluate,
): CandidateOutcome {
  const direct = evaluator.deliver(policy, [{ weight: 1, sids: [] }], undefined);
  if (direct.valid) return direct;
  let best: CandidateOutcome = direct;
  for (const sid of attachmentSids(snapshot, policy.endpoint)) {
    const outcome = evaluator.deliver(policy, [{ weight: 1, sids: [sid] }], undefined);
    if (outcome.valid && igpOf(outcome) < igpOf(best)) best = outcome;
  }
  return best;
}

/** One End SID of each router the node hangs off, in the order of the routers' ids. */
function attachmentSids(snapshot: Snapshot, endpoint: string): string[] {
  const node = snapshot.nodeIndexOf(endpoint);
  if (node < 0) return [];
  const routers = new Set(
    snapshot
      .linksInto(node)
      .filter((arc) => snapshot.isUsable(arc))
      .map((arc) => snapshot.data.arcFrom[arc] as number),
  );
  return [...routers]
    .sort((a, b) => a - b)
    .flatMap((router) => {
      const end = snapshot.sidsOf(router).find((sid) => snapshot.sidBehaviorOf(sid) === 'End');
      return end === undefined ? [] : [snapshot.sidTextOf(end)];
    });
}

function igpOf(outcome: CandidateOutcome): number {
  return outcome.valid ? (outcome.lists[0]?.metrics.igp ?? Infinity) : Infinity;
}
