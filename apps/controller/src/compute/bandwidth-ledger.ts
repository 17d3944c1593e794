import { reservableBps, type Snapshot } from '@waymark/topology';
import type { LinkBandwidth } from './evaluate-policies-model.js';

/** What is left of the reservable bandwidth of each arc while an evaluation goes on. */
export class BandwidthLedger {
  readonly #snapshot: Snapshot;
  /** Per arc in bit/s; NaN where the reservable bandwidth is unknown; negative where it shrank below what is booked. */
  readonly free: Float64Array;

  constructor(snapshot: Snapshot, booked: readonly LinkBandwidth[]) {
    this.#snapshot = snapshot;
    this.free = reservableBps(snapshot);
    this.hold(booked);
  }

  hold(bookings: readonly LinkBandwidth[]): void {
    this.#change(bookings, -1);
  }

  release(bookings: readonly LinkBandwidth[]): void {
    this.#change(bookings, 1);
  }

  /** The first link that cannot take its share; undefined when all fit. An unknown bandwidth admits nothing. */
  firstLacking(
    needs: readonly LinkBandwidth[],
  ): { readonly linkId: string; readonly freeBps: number | null } | undefined {
    for (const { linkId, bandwidthBps } of needs) {
      const free = this.#freeOf(linkId);
      if (free >= bandwidthBps) continue;
      return { linkId, freeBps: Number.isNaN(free) ? null : free };
    }
    return undefined;
  }

  #freeOf(linkId: string): number {
    const arc = this.#snapshot.arcOf(linkId);
    return arc < 0 ? Number.NaN : (this.free[arc] as number);
  }

  #change(bookings: readonly LinkBandwidth[], sign: 1 | -1): void {
    for (const { linkId, bandwidthBps } of bookings) {
      const arc = this.#snapshot.arcOf(linkId);
      // A link that left the topology has nothing to reserve.
      if (arc >= 0) this.free[arc] = (this.free[arc] as number) + sign * bandwidthBps;
    }
  }
}

/** Per link the larger of both: while a policy moves, its traffic is on the old links or on the new ones, not on both. */
export function largerOf(a: readonly LinkBandwidth[], b: readonly LinkBandwidth[]): LinkBandwidth[] {
  const larger = new Map(a.map(({ linkId, bandwidthBps }) => [linkId, bandwidthBps]));
  for (const { linkId, bandwidthBps } of b) larger.set(linkId, Math.max(larger.get(linkId) ?? 0, bandwidthBps));
  return [...larger].map(([linkId, bandwidthBps]) => ({ linkId, bandwidthBps }));
}
