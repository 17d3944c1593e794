/** Everything a packet can take between two routers when the IGP alone decides. */
export interface EcmpBranches {
  /** Arcs that can be taken. */
  readonly arcs: readonly number[];
  readonly isSinglePath: boolean;
  /** Per weight asked for: the sum over the branch where it is largest. */
  readonly worst: readonly number[];
}

/** Longest sums over the branches, each node after all it leads to; a node that never gets its turn is in a loop. */
export function sumBranches(
  router: number,
  node: number,
  nextHops: ReadonlyMap<number, readonly number[]>,
  arcTo: Uint32Array,
  weights: readonly Float64Array[],
): EcmpBranches | null {
  const entering = new Map<number, { readonly from: number; readonly arc: number }[]>();
  const open = new Map<number, number>();
  const arcs: number[] = [];
  let isSinglePath = true;
  for (const [from, leaving] of nextHops) {
    open.set(from, leaving.length);
    if (leaving.length > 1) isSinglePath = false;
    for (const arc of leaving) {
      arcs.push(arc);
      const to = arcTo[arc] as number;
      const known = entering.get(to);
      if (known === undefined) entering.set(to, [{ from, arc }]);
      else known.push({ from, arc });
    }
  }
  const worst = new Map<number, number[]>([[node, weights.map(() => 0)]]);
  const ready = [node];
  for (let at = ready.pop(); at !== undefined; at = ready.pop()) {
    const sumsHere = worst.get(at) as number[];
    for (const { from, arc } of entering.get(at) ?? []) {
      const sums = weights.map((weight, i) => (sumsHere[i] as number) + (weight[arc] as number));
      const known = worst.get(from);
      worst.set(from, known === undefined ? sums : known.map((sum, i) => Math.max(sum, sums[i] as number)));
      const left = (open.get(from) as number) - 1;
      open.set(from, left);
      if (left === 0) ready.push(from);
    }
  }
  const isFinished = [...open.values()].every((left) => left === 0);
  const sums = worst.get(router);
  return isFinished && sums !== undefined ? { arcs, isSinglePath, worst: sums } : null;
}
