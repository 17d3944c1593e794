/**
 * Pause in milliseconds before the next attempt after so many failures in a row (1 or more): doubling from `baseMs` to
 * `maxMs`, of which between half and all is taken, so that many agents do not come back at the same moment.
 * `random` gives numbers in [0, 1).
 */
export function backoffMs(failures: number, random: () => number, baseMs = 250, maxMs = 10_000): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(ceiling * (0.5 + random() / 2));
}
