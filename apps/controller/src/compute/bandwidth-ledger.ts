import { reservableBps, type Snapshot } from '@waymark/topology';
import { LOWEST_PRIORITY } from '../model/sr-policy.js';
import type { Booking, LinkBandwidth, PolicyToEvaluate } from './evaluate-policies-model.js';

/** Whose bandwidth is asked for: what it has, and with what right it may take and hold. */
export type Claimant = Pick<PolicyToEvaluate, 'setupPriority' | 'holdPriority' | 'bookings'>;

/**
 * What is left of the reservable bandwidth of each arc, at each priority (RFC 5305 section 3.6), while an evaluation goes
 * on. What is held at a priority counts at that one and at all lower ones; so bandwidth that is held at a lower priority
 * than one's own is there for the taking.
 */
export class BandwidthLedger {
  readonly #snapshot: Snapshot;
  readonly #reservable: Float64Array;
  /** By priority, per arc in bit/s; NaN where the reservable bandwidth is unknown; negative where more is held. */
  readonly #free: readonly Float64Array[];
  /** The same, without what is only held until a headend has acked that its policy moved away. */
  readonly #settled: readonly Float64Array[];

  constructor(snapshot: Snapshot, booked: readonly Booking[]) {
    this.#snapshot = snapshot;
    this.#reservable = reservableBps(snapshot);
    const perPriority = () => Array.from({ length: LOWEST_PRIORITY + 1 }, () => this.#reservable.slice());
    this.#free = perPriority();
    this.#settled = perPriority();
    this.hold(booked);
  }

  hold(bookings: readonly Booking[]): void {
    this.#change(bookings, -1);
  }

  release(bookings: readonly Booking[]): void {
    this.#change(bookings, 1);
  }

  /** Per arc, what a policy may use whose own bookings are released. */
  roomFor(claimant: Claimant): Float64Array {
    const room = (this.#free[claimant.setupPriority] as Float64Array).slice();
    for (const booking of claimant.bookings) {
      const arc = this.#snapshot.arcOf(booking.linkId);
      if (arc >= 0) room[arc] = this.#roomOn(arc, claimant, booking, claimant.setupPriority);
    }
    return room;
  }

  /**
   * The first link that cannot take its share; undefined when all fit. An unknown bandwidth admits nothing. `decided`: all
   * of this priority and of higher ones have got what they get, or keep what they have.
   */
  firstLacking(
    needs: readonly LinkBandwidth[],
    claimant: Claimant,
    decided: number,
  ): { readonly linkId: string; readonly freeBps: number | null } | undefined {
    const own = new Map(claimant.bookings.map((booking) => [booking.linkId, booking]));
    for (const { linkId, bandwidthBps } of needs) {
      const arc = this.#snapshot.arcOf(linkId);
      const free = arc < 0 ? Number.NaN : this.#roomOn(arc, claimant, own.get(linkId), decided);
      if (free >= bandwidthBps) continue;
      return { linkId, freeBps: Number.isNaN(free) ? null : free };
    }
    return undefined;
  }

  /** NaN where it is unknown. */
  reservableOn(linkId: string): number {
    const arc = this.#snapshot.arcOf(linkId);
    return arc < 0 ? Number.NaN : (this.#reservable[arc] as number);
  }

  /**
   * The first link on which there is no room for a policy that stays come what may, because higher priorities than that at
   * which it holds have some of it. Where they have nothing, the link shrank, or the IGP moved traffic there.
   */
  firstTaken(needs: readonly LinkBandwidth[], { holdPriority }: Claimant): string | undefined {
    if (holdPriority === 0) return undefined;
    return needs.find(({ linkId, bandwidthBps }) => {
      const arc = this.#snapshot.arcOf(linkId);
      if (arc < 0 || this.#settledAt(holdPriority, arc) >= bandwidthBps) return false;
      return this.#settledAt(holdPriority - 1, arc) < (this.#reservable[arc] as number);
    })?.linkId;
  }

  /**
   * What is new is admitted at the setup priority, beside all that is held; what a policy has already beside what others
   * use: on a link that shrank or was taken by a higher priority, those who have left it must not drive out those who stay.
   */
  #roomOn(arc: number, { setupPriority }: Claimant, own: Booking | undefined, decided: number): number {
    const free = (this.#free[setupPriority] as Float64Array)[arc] as number;
    return own === undefined ? free : Math.max(free, Math.min(own.currentBps, this.#settledAt(decided, arc)));
  }

  #settledAt(priority: number, arc: number): number {
    return (this.#settled[priority] as Float64Array)[arc] as number;
  }

  #change(bookings: readonly Booking[], sign: 1 | -1): void {
    for (const { linkId, bandwidthBps, currentBps, holdPriority } of bookings) {
      const arc = this.#snapshot.arcOf(linkId);
      // A link that left the topology has nothing to reserve.
      if (arc < 0) continue;
      for (let priority = holdPriority; priority <= LOWEST_PRIORITY; priority++) {
        const free = this.#free[priority] as Float64Array;
        const settled = this.#settled[priority] as Float64Array;
        free[arc] = (free[arc] as number) + sign * bandwidthBps;
        settled[arc] = (settled[arc] as number) + sign * currentBps;
      }
    }
  }
}

/**
 * What a policy holds while it moves from what it has to what it needs: per link the larger of both, because its traffic
 * is on the old links or on the new ones, not on both.
 */
export function whileMoving(
  has: readonly Booking[],
  needs: readonly LinkBandwidth[],
  holdPriority: number,
): readonly Booking[] {
  const held = new Map(has.map((booking) => [booking.linkId, { ...booking, currentBps: 0 }]));
  for (const { linkId, bandwidthBps } of needs) {
    const old = held.get(linkId);
    held.set(linkId, {
      linkId,
      bandwidthBps: Math.max(old?.bandwidthBps ?? 0, bandwidthBps),
      currentBps: bandwidthBps,
      holdPriority: Math.min(old?.holdPriority ?? holdPriority, holdPriority),
    });
  }
  return [...held.values()];
}
