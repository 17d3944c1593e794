import { overlaidSnapshot, type Overlay, type Snapshot } from '@waymark/topology';
import type { ComputePool } from './compute-pool.js';
import type { Overlaid } from './overlaid.js';

/**
 * An overlay laid over once for all that a job computes: workers get it as a snapshot of its own. Without an overlay the base itself,
 * with nothing booked.
 */
export async function overlaidBy(
  pool: ComputePool,
  base: Snapshot,
  overlay: Overlay | undefined,
): Promise<Omit<Overlaid, 'hypothetical'> & Partial<Pick<Overlaid, 'hypothetical'>>> {
  if (overlay === undefined) return { snapshot: base, booked: [] };
  const snapshot = overlaidSnapshot(base, overlay);
  const { demands = [] } = overlay;
  const { booked, unroutedDemands } =
    demands.length === 0 ? { booked: [], unroutedDemands: [] } : await pool.run('book-demands', snapshot, { demands });
  return { snapshot, booked, hypothetical: { overlay, unroutedDemands } };
}
