import type { Snapshot } from './snapshot.js';

/** Reservable bandwidth per arc before any booking, in bit/s; NaN where unknown. A copy: subtract bookings from it. */
export function reservableBps(snapshot: Snapshot): Float64Array {
  return Float64Array.from(snapshot.data.reservableBps);
}
