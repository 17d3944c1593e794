import {
  demandLoad,
  overlaidSnapshot,
  type Demand,
  type DemandLoad,
  type Hypothetical,
  type Overlay,
  type Snapshot,
} from '@waymark/topology';
import { LOWEST_PRIORITY } from '../model/sr-policy.js';
import type { Booking } from './evaluate-policies-model.js';

/** A snapshot under an overlay, with what the overlay's demands book there. */
export interface Overlaid {
  readonly snapshot: Snapshot;
  readonly booked: readonly Booking[];
  readonly hypothetical: Hypothetical;
}

export function overlaid(base: Snapshot, overlay: Overlay): Overlaid {
  const snapshot = overlaidSnapshot(base, overlay);
  const { booked, unroutedDemands } = demandBookings(snapshot, overlay.demands);
  return { snapshot, booked, hypothetical: { overlay, unroutedDemands } };
}

/** What demands book on a snapshot, and those, by position, that the IGP does not deliver there. */
export interface DemandBookings {
  readonly booked: readonly Booking[];
  readonly unroutedDemands: readonly number[];
}

export function demandBookings(snapshot: Snapshot, demands: readonly Demand[] = []): DemandBookings {
  const loads = demands.map((demand) => ({ demand, load: demandLoad(snapshot, demand) }));
  return {
    booked: loads.flatMap(({ demand: { priority = LOWEST_PRIORITY }, load }) => bookings(load, priority)),
    unroutedDemands: loads.flatMap(({ load }, i) => (load === null ? [i] : [])),
  };
}

function bookings(load: DemandLoad | null, holdPriority: number): Booking[] {
  return (load ?? []).map((taken) => ({ ...taken, currentBps: taken.bandwidthBps, holdPriority }));
}

/** What the bookings leave of it for a setup priority, in bit/s per arc of the snapshot. */
export function lessBooked(
  unreservedBps: Float64Array,
  { snapshot, booked }: Pick<Overlaid, 'snapshot' | 'booked'>,
  setupPriority = LOWEST_PRIORITY,
): Float64Array {
  const left = unreservedBps.slice();
  for (const { linkId, bandwidthBps, holdPriority } of booked) {
    const arc = snapshot.arcOf(linkId);
    if (holdPriority <= setupPriority) left[arc] = Math.max(0, (left[arc] as number) - bandwidthBps);
  }
  return left;
}
