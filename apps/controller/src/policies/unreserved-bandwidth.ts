import type { Snapshot } from '@waymark/topology';
import type { Booking } from '../compute/evaluate-policies-model.js';
import { inSharedMemory } from '../compute/in-shared-memory.js';
import { LOWEST_PRIORITY } from '../model/sr-policy.js';
import { subtractBookings } from './bookings.js';

/** What is booked when the call begins, or later. */
export type ReadBookings = () => Promise<readonly Booking[]>;

/**
 * What bookings leave per arc of a snapshot, for many who ask at the same time. Those who ask while the bookings are being read wait
 * for one more reading together, so that nobody is told of less than was booked when they asked. As long as neither snapshot nor
 * bookings change, all get the same array; it is in shared memory, which crosses to a worker without a copy.
 */
export class UnreservedBandwidth {
  readonly #read: ReadBookings;
  #reading: Promise<readonly Booking[]> | undefined;
  #next: Promise<readonly Booking[]> | undefined;
  #bookings: readonly Booking[] = [];
  /** Of the bookings that were read last: by snapshot, per setup priority. */
  #arrays = new WeakMap<Snapshot, Map<number, Float64Array>>();

  constructor(read: ReadBookings) {
    this.#read = read;
  }

  /** At a setup priority, in bit/s. NaN where the reservable bandwidth is unknown. To be read only. */
  async of(snapshot: Snapshot, setupPriority = LOWEST_PRIORITY): Promise<Float64Array> {
    return (await this.now(snapshot))(setupPriority);
  }

  /** The same for any priority, all of one moment. */
  async now(snapshot: Snapshot): Promise<(setupPriority: number) => Float64Array> {
    const bookings = await this.#readShared();
    if (!isSame(bookings, this.#bookings)) this.#arrays = new WeakMap();
    this.#bookings = bookings;
    const known = this.#arrays.get(snapshot) ?? new Map<number, Float64Array>();
    this.#arrays.set(snapshot, known);
    return (setupPriority) => {
      const array = known.get(setupPriority) ?? inSharedMemory(subtractBookings(snapshot, bookings, setupPriority));
      known.set(setupPriority, array);
      return array;
    };
  }

  /** Never the reading that is under way: what was booked since it began is not in it. */
  #readShared(): Promise<readonly Booking[]> {
    if (this.#reading === undefined) return this.#start();
    this.#next ??= this.#reading
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#start();
      });
    return this.#next;
  }

  #start(): Promise<readonly Booking[]> {
    const reading = this.#read().finally(() => {
      if (this.#reading === reading) this.#reading = undefined;
    });
    this.#reading = reading;
    return reading;
  }
}

/** In the order of links and priorities, as they are read. */
function isSame(a: readonly Booking[], b: readonly Booking[]): boolean {
  if (a === b) return true;
  return (
    a.length === b.length &&
    a.every((one, i) => {
      const other = b[i] as Booking;
      return (
        one.linkId === other.linkId &&
        one.bandwidthBps === other.bandwidthBps &&
        one.holdPriority === other.holdPriority
      );
    })
  );
}
