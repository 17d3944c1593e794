import type { SegmentList } from '../port.js';
import { starves } from './effective-split.js';
import type { NumberedList } from './vpp-state.js';

/** How the lists of an SR policy become the wanted ones, in this order. */
export interface ListPlan {
  readonly additions: readonly SegmentList[];
  readonly reweighings: readonly { readonly slIndex: number; readonly weight: number }[];
  /** Lists that go once the others have been read back. At least one wanted list is there by then. */
  readonly obsolete: readonly NumberedList[];
}

/** VPP counts the lists of an SR policy in one byte when it shows them. */
export const MOST_LISTS = 255;

/**
 * Make before break within one SR policy. Null when flows would meet a mix of lists in between whose weights leave one
 * without a share (with three lists or more VPP then drops everything), or that VPP cannot hold: the whole policy must then
 * be made anew, and prefixes be steered into that.
 */
export function planLists(found: readonly NumberedList[], wanted: readonly SegmentList[]): ListPlan | null {
  // Lists that were deleted twice share a number: to delete one of them would make that worse.
  if (new Set(found.map(({ slIndex }) => slIndex)).size < found.length) return null;
  const kept = new Map<string, NumberedList>();
  for (const list of found) if (!kept.has(list.sids.join())) kept.set(list.sids.join(), list);
  const weights = new Map(wanted.map(({ sids, weight }) => [sids.join(), weight]));
  const additions = wanted.filter(({ sids }) => !kept.has(sids.join()));
  const reweighings = [...kept].flatMap(([key, list]) => {
    const weight = weights.get(key);
    return weight === undefined || weight === list.weight ? [] : [{ slIndex: list.slIndex, weight }];
  });
  const obsolete = found.filter((list) => kept.get(list.sids.join()) !== list || !weights.has(list.sids.join()));
  const plan = { additions, reweighings, obsolete };
  return states(found, plan).some((state) => state.length > MOST_LISTS || starves(state)) ? null : plan;
}

/** The weights that are in force after each change, but for the first state, which is as it was found. */
function states(found: readonly NumberedList[], { additions, reweighings, obsolete }: ListPlan): number[][] {
  const now = new Map<SegmentList, number>(found.map((list) => [list, list.weight]));
  const all: number[][] = [];
  const note = (): void => void all.push([...now.values()]);
  for (const list of additions) {
    now.set(list, list.weight);
    note();
  }
  for (const { slIndex, weight } of reweighings) {
    const list = found.find((candidate) => candidate.slIndex === slIndex);
    if (list !== undefined) now.set(list, weight);
    note();
  }
  for (const list of obsolete) {
    now.delete(list);
    note();
  }
  return all;
}
