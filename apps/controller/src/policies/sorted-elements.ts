interface Element {
  readonly id: string;
}

/** An element before and after a change; undefined where it is not there. */
export interface Pair<T> {
  readonly id: string;
  readonly before: T | undefined;
  readonly after: T | undefined;
}

/**
 * Merges two lists that are sorted by id. Of elements that are the same object in both only those that `isTouched`, which is called
 * in the order of the ids: what a change did not touch costs a comparison and nothing else.
 */
export function pairsOf<T extends Element>(
  before: readonly T[],
  after: readonly T[],
  isTouched: (same: T) => boolean = () => false,
): Pair<T>[] {
  const merged: Pair<T>[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    const a = before[i];
    const b = after[j];
    if (a !== undefined && a === b) {
      if (isTouched(a)) merged.push({ id: a.id, before: a, after: a });
      i++;
      j++;
    } else if (b === undefined || (a !== undefined && a.id < b.id)) {
      if (a !== undefined) merged.push({ id: a.id, before: a, after: undefined });
      i++;
    } else if (a === undefined || b.id < a.id) {
      merged.push({ id: b.id, before: undefined, after: b });
      j++;
    } else {
      merged.push({ id: a.id, before: a, after: b });
      i++;
      j++;
    }
  }
  return merged;
}

/** In a list that is sorted by id; undefined when it is not there. */
export function elementOf<T extends Element>(sorted: readonly T[], id: string): T | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as T).id < id) low = middle + 1;
    else high = middle;
  }
  const found = sorted[low];
  return found?.id === id ? found : undefined;
}
