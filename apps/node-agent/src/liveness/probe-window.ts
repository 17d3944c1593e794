/** The last this many probes of a list make its figures. */
export const WINDOW = 100;

/** Bounds of the time that an answer may take before its probe counts as lost. */
const FIRST_TIMEOUT_MS = 1_000;
export const LONGEST_TIMEOUT_MS = 2_000;

export interface WindowFigures {
  readonly probesSent: number;
  readonly probesLost: number;
  /** Microseconds; 0 while no probe came back. */
  readonly roundTripMinUs: number;
  readonly roundTripAvgUs: number;
  readonly roundTripMaxUs: number;
}

/** What became of the last probes of one list, and how long the next may take. */
export class ProbeWindow {
  /** By sequence number, oldest first; null: lost. */
  readonly #results = new Map<number, number | null>();
  #smoothedMs: number | null = null;
  #variationMs = 0;

  answered(sequence: number, roundTripMs: number): void {
    this.#record(sequence, roundTripMs);
    // RFC 6298 §2: smoothed round trip and its variation.
    if (this.#smoothedMs === null) {
      this.#smoothedMs = roundTripMs;
      this.#variationMs = roundTripMs / 2;
    } else {
      this.#variationMs = (3 * this.#variationMs + Math.abs(this.#smoothedMs - roundTripMs)) / 4;
      this.#smoothedMs = (7 * this.#smoothedMs + roundTripMs) / 8;
    }
  }

  lost(sequence: number): void {
    this.#record(sequence, null);
  }

  /** Never below the probe interval, so that detection stays predictable on short paths. */
  timeoutMs(intervalMs: number): number {
    if (this.#smoothedMs === null) return Math.max(intervalMs, FIRST_TIMEOUT_MS);
    const fitting = this.#smoothedMs + 4 * this.#variationMs;
    return Math.max(intervalMs, Math.min(LONGEST_TIMEOUT_MS, fitting));
  }

  figures(): WindowFigures {
    const roundTrips = [...this.#results.values()].filter((result) => result !== null);
    const count = roundTrips.length;
    const sum = roundTrips.reduce((total, roundTrip) => total + roundTrip, 0);
    return {
      probesSent: this.#results.size,
      probesLost: this.#results.size - count,
      roundTripMinUs: count === 0 ? 0 : microseconds(Math.min(...roundTrips)),
      roundTripAvgUs: count === 0 ? 0 : microseconds(sum / count),
      roundTripMaxUs: count === 0 ? 0 : microseconds(Math.max(...roundTrips)),
    };
  }

  /** A late answer takes the place of its loss: the packet did come back. */
  #record(sequence: number, result: number | null): void {
    this.#results.set(sequence, result);
    const [oldest] = this.#results.keys();
    if (this.#results.size > WINDOW && oldest !== undefined) this.#results.delete(oldest);
  }
}

function microseconds(ms: number): number {
  return Math.round(ms * 1_000);
}
