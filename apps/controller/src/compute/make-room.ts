import type { LinkId } from '@waymark/topology';
import { contenders, takenLinks, type Contender, type Evaluated, type Preempted } from './contenders.js';
import type { PolicyToEvaluate } from './evaluate-policies-model.js';

/** Policies by the links on which bandwidth of theirs is in use. */
export class BookedPolicies {
  readonly #onLink = new Map<LinkId, { readonly policy: PolicyToEvaluate; readonly bandwidthBps: number }[]>();

  constructor(policies: readonly PolicyToEvaluate[]) {
    for (const policy of policies) {
      for (const { linkId, currentBps } of policy.bookings) {
        if (currentBps <= 0) continue;
        const there = this.#onLink.get(linkId) ?? [];
        this.#onLink.set(linkId, there);
        there.push({ policy, bandwidthBps: currentBps });
      }
    }
  }

  /** What `preemptedPolicies` asks the database for, of these policies: who without evaluation may have to make room. */
  preempted(evaluated: Evaluated, known: ReadonlySet<string>): Preempted[] {
    const taken = takenLinks(evaluated.evaluations);
    const inside = contenders(evaluated, taken);
    const found = new Map<string, Preempted>();
    for (const { linkId, setupPriority, reservableBps, by } of [...taken.values()].sort(byLink)) {
      const outside = (this.#onLink.get(linkId) ?? [])
        .filter(({ policy }) => !known.has(policy.policyId))
        .map(({ policy: { policyId, holdPriority }, bandwidthBps }) => ({
          linkId,
          policyId,
          bandwidthBps,
          holdPriority,
        }));
      const asked = new Set<Contender>(outside);
      let neededBps = 0;
      for (const contender of [...outside, ...inside.filter((one) => one.linkId === linkId)].sort(byRank)) {
        neededBps += contender.bandwidthBps;
        if (!asked.has(contender) || contender.holdPriority <= setupPriority || neededBps <= reservableBps) continue;
        const { policyId } = contender;
        if (!found.has(policyId)) found.set(policyId, { policyId, linkId, by });
      }
    }
    return [...found.values()];
  }
}

function byLink(a: { readonly linkId: LinkId }, b: { readonly linkId: LinkId }): number {
  return a.linkId < b.linkId ? -1 : 1;
}

/** The order in which an evaluation keeps bookings. */
function byRank(a: Contender, b: Contender): number {
  return a.holdPriority - b.holdPriority || b.bandwidthBps - a.bandwidthBps || (a.policyId < b.policyId ? -1 : 1);
}
