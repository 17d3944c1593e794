import type { LinkId } from '@waymark/topology';
import type { BandwidthLedger } from './bandwidth-ledger.js';
import type { Booking, LinkBandwidth, PolicyToEvaluate, Preemption } from './evaluate-policies-model.js';

interface Taker {
  readonly policyId: string;
  readonly setupPriority: number;
}

/** Who takes bandwidth that it did not have while an evaluation goes on, and where that is more than there was. */
export class TakenBandwidth {
  readonly #ledger: BandwidthLedger;
  /** In use before, in bit/s. */
  readonly #before = new Map<LinkId, number>();
  readonly #takenBps = new Map<LinkId, number>();
  readonly #takers = new Map<LinkId, Taker[]>();

  constructor(ledger: BandwidthLedger, booked: readonly Booking[]) {
    this.#ledger = ledger;
    for (const { linkId, currentBps } of booked) this.#before.set(linkId, currentBps + (this.#before.get(linkId) ?? 0));
  }

  /** What a policy has been given. */
  note(policy: PolicyToEvaluate, needs: readonly LinkBandwidth[]): void {
    for (const { linkId, bandwidthBps } of more(policy, needs)) {
      this.#takenBps.set(linkId, bandwidthBps + (this.#takenBps.get(linkId) ?? 0));
      const takers = this.#takers.get(linkId) ?? [];
      this.#takers.set(linkId, takers);
      takers.push(policy);
    }
  }

  /** The first that took some of a link from those who hold at this priority, and how many others did. */
  firstTakerFrom(holdPriority: number, linkId: LinkId): { readonly taker: Taker; readonly others: number } | undefined {
    const takers = (this.#takers.get(linkId) ?? []).filter(({ setupPriority }) => setupPriority < holdPriority);
    const [taker] = takers;
    return taker && { taker, others: takers.length - 1 };
  }

  /** Where what a policy has been given was not free, unless someone in this evaluation left it. */
  preemptionsOf(policy: PolicyToEvaluate, needs: readonly LinkBandwidth[]): Preemption[] {
    return more(policy, needs)
      .map(({ linkId }) => ({
        linkId,
        setupPriority: policy.setupPriority,
        reservableBps: this.#ledger.reservableOn(linkId),
      }))
      .filter(({ linkId }) => this.exceeds(linkId));
  }

  /** Does what was taken of a link go beyond what was free? */
  exceeds(linkId: LinkId): boolean {
    const inUse = (this.#before.get(linkId) ?? 0) + (this.#takenBps.get(linkId) ?? 0);
    return inUse > this.#ledger.reservableOn(linkId);
  }
}

/** What a policy needs beyond what it uses already. */
function more({ bookings }: PolicyToEvaluate, needs: readonly LinkBandwidth[]): LinkBandwidth[] {
  const own = new Map(bookings.map(({ linkId, currentBps }) => [linkId, currentBps]));
  return needs
    .map(({ linkId, bandwidthBps }) => ({ linkId, bandwidthBps: bandwidthBps - (own.get(linkId) ?? 0) }))
    .filter(({ bandwidthBps }) => bandwidthBps > 0);
}
