import type { LinkId } from '@waymark/topology';
import { contenders, type Contender, type Evaluated, type Preempted, type TakenLink } from './contenders.js';
import type { PolicyToEvaluate } from './evaluate-policies-model.js';

/**
 * Policies without evaluation that may have to make room for what these evaluations take. On each link, bookings are kept
 * in the order in which an evaluation keeps them (hold priority, bandwidth, id) as far as they fit together; of the
 * policies of those after that only who may be preempted. So all that stay where they are fit, whatever is decided
 * about the others. By id.
 *
 * `taken`: where someone preempts. `outside`: what policies without evaluation use of these links.
 */
export function preemptedAmong(
  outside: readonly Contender[],
  evaluated: Evaluated,
  taken: ReadonlyMap<LinkId, TakenLink>,
): Preempted[] {
  const asked = new Set(outside);
  const onLink = new Map<LinkId, Contender[]>([...taken.keys()].map((linkId) => [linkId, []]));
  for (const contender of [...outside, ...contenders(evaluated, taken)]) onLink.get(contender.linkId)?.push(contender);
  const found = new Map<string, Preempted>();
  for (const { linkId, setupPriority, reservableBps, by } of [...taken.values()].sort(byLink)) {
    let neededBps = 0;
    for (const contender of (onLink.get(linkId) ?? []).sort(byRank)) {
      neededBps += contender.bandwidthBps;
      if (!asked.has(contender) || contender.holdPriority <= setupPriority || neededBps <= reservableBps) continue;
      const { policyId } = contender;
      if (!found.has(policyId)) found.set(policyId, { policyId, linkId, by });
    }
  }
  return [...found.values()].sort((a, b) => (a.policyId < b.policyId ? -1 : 1));
}

/** What policies use, by link. */
export class BookedPolicies {
  readonly #onLink = new Map<LinkId, Contender[]>();

  constructor(policies: readonly PolicyToEvaluate[]) {
    for (const { policyId, holdPriority, bookings } of policies) {
      for (const { linkId, currentBps: bandwidthBps } of bookings) {
        if (bandwidthBps <= 0) continue;
        const there = this.#onLink.get(linkId) ?? [];
        this.#onLink.set(linkId, there);
        there.push({ linkId, policyId, bandwidthBps, holdPriority });
      }
    }
  }

  on(links: Iterable<LinkId>, known: ReadonlySet<string>): Contender[] {
    return [...links].flatMap((link) => (this.#onLink.get(link) ?? []).filter(({ policyId }) => !known.has(policyId)));
  }
}

function byLink(a: { readonly linkId: LinkId }, b: { readonly linkId: LinkId }): number {
  return a.linkId < b.linkId ? -1 : 1;
}

function byRank(a: Contender, b: Contender): number {
  return a.holdPriority - b.holdPriority || b.bandwidthBps - a.bandwidthBps || (a.policyId < b.policyId ? -1 : 1);
}
