/**
 * A policy leaves lists that still hold only for a path whose metric is lower by this share of the present one. Every
 * move costs each headend a change of its data plane and may reorder packets in flight; delay measurements jitter by a
 * few per cent. Smaller gains are not worth either.
 */
export const MOVE_GAIN = 0.05;

/** Is `candidate` so much lower than `current` that moving there is worth it? */
export function isWorthMoving(current: number, candidate: number): boolean {
  return candidate <= current * (1 - MOVE_GAIN) && candidate < current;
}
