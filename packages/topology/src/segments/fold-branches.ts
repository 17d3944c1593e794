import type { Snapshot } from '../snapshot/snapshot.js';

/**
 * A value at `to` computed along the branches that lead there from `from`: `merge` makes that of a node from those of
 * the nodes before it. `arcs`: all of the branches, without a loop.
 */
export function foldBranches<T>(
  snapshot: Snapshot,
  arcs: readonly number[],
  from: number,
  to: number,
  start: T,
  merge: (node: number, arcs: readonly number[], before: (node: number) => T) => T,
): T {
  const { arcFrom, arcTo } = snapshot.data;
  const into = new Map<number, number[]>();
  for (const arc of arcs) {
    const known = into.get(arcTo[arc] as number);
    if (known === undefined) into.set(arcTo[arc] as number, [arc]);
    else known.push(arc);
  }
  const values = new Map<number, T>([[from, start]]);
  const stack = [to];
  for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
    const entering = into.get(node) ?? [];
    const missing = values.has(node)
      ? []
      : entering.map((arc) => arcFrom[arc] as number).filter((before) => !values.has(before));
    if (missing.length > 0) {
      stack.push(...missing);
      continue;
    }
    if (!values.has(node))
      values.set(
        node,
        merge(node, entering, (before) => values.get(before) as T),
      );
    stack.pop();
  }
  return values.get(to) as T;
}
