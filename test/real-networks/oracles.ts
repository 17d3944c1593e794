import type { MetricType, Ted, TedLink } from '@waymark/topology';

/*
 * Slow and plain: none of them shares code with the engine.
 */

export type Value = (link: TedLink) => number;

export function valueOf(metric: MetricType): Value {
  return (link) => (metric === 'delay' ? (link.delayUs ?? Infinity) : metric === 'hop' ? 1 : link.igpMetric);
}

/** Links that carry traffic between routers. A value that is unknown is infinite here. */
export function usable(ted: Ted): TedLink[] {
  const isUp = (link: TedLink | undefined) => link?.operationalState === 'up' && link.adminState === 'up';
  const routers = new Set(ted.nodes.filter(({ kind }) => kind === 'router').map(({ id }) => id));
  const byId = new Map(ted.links.map((link) => [link.id, link]));
  return ted.links.filter(
    (link) => isUp(link) && isUp(byId.get(link.reverseId)) && routers.has(link.from) && routers.has(link.to),
  );
}

function byStart(links: readonly TedLink[]): Map<string, TedLink[]> {
  const out = new Map<string, TedLink[]>();
  for (const link of links) out.set(link.from, [...(out.get(link.from) ?? []), link]);
  return out;
}

/** Least value within a bound on another: all incomparable pairs of sums at every node. Infinity: none. */
export function leastWithin(
  ted: Ted,
  [source, destination]: readonly [string, string],
  value: Value,
  bounded: Value,
  max: number,
): number {
  const out = byStart(usable(ted));
  const pareto = new Map<string, [number, number][]>([[source, [[0, 0]]]]);
  const waiting: [string, number, number][] = [[source, 0, 0]];
  for (const [node, cost, used] of waiting) {
    if (pareto.get(node)?.some(([a, b]) => a <= cost && b <= used && (a < cost || b < used)) === true) continue;
    for (const link of out.get(node) ?? []) {
      const [a, b] = [cost + value(link), used + bounded(link)];
      const known = pareto.get(link.to) ?? [];
      if (a === Infinity || b > max || known.some(([x, y]) => x <= a && y <= b)) continue;
      pareto.set(link.to, [...known.filter(([x, y]) => !(a <= x && b <= y)), [a, b]]);
      waiting.push([link.to, a, b]);
    }
  }
  return Math.min(...(pareto.get(destination) ?? []).map(([cost]) => cost));
}

const MOST_PARTIAL_PATHS = 2000;

/** Values of the k best simple paths: partial paths, the most promising first. null: there are too many to look at. */
export function bestSimplePaths(
  ted: Ted,
  [source, destination]: readonly [string, string],
  value: Value,
  k: number,
): number[] | null {
  const links = usable(ted);
  const rest = new Map([[destination, 0]]);
  for (let isStable = false; !isStable;) {
    isStable = true;
    for (const link of links) {
      const candidate = value(link) + (rest.get(link.to) ?? Infinity);
      if (candidate >= (rest.get(link.from) ?? Infinity)) continue;
      rest.set(link.from, candidate);
      isStable = false;
    }
  }
  const out = byStart(links);
  const partial = [{ nodes: [source], cost: 0, estimate: rest.get(source) ?? Infinity }];
  const found: number[] = [];
  while (found.length < k && partial.length > 0) {
    if (partial.length > MOST_PARTIAL_PATHS) return null;
    const at = partial.reduce((best, one, i) => (one.estimate < (partial[best]?.estimate ?? Infinity) ? i : best), 0);
    const [path] = partial.splice(at, 1);
    const last = path?.nodes.at(-1) ?? '';
    if (path === undefined || path.estimate === Infinity) break;
    if (last === destination) {
      found.push(path.cost);
      continue;
    }
    for (const link of out.get(last) ?? []) {
      if (path.nodes.includes(link.to) || value(link) === Infinity) continue;
      const cost = path.cost + value(link);
      partial.push({ nodes: [...path.nodes, link.to], cost, estimate: cost + (rest.get(link.to) ?? Infinity) });
    }
  }
  return found;
}

/** Least sum of two disjoint paths: two units of flow, each by Bellman and Ford on the residual network. null: none. */
export function leastPair(
  ted: Ted,
  [source, destination]: readonly [string, string],
  value: Value,
  kind: 'link' | 'node',
): number | null {
  const arcs: { from: string; to: string; cost: number; room: number; back: number }[] = [];
  const add = (from: string, to: string, cost: number, room: number) => {
    arcs.push(
      { from, to, cost, room, back: arcs.length + 1 },
      { from: to, to: from, cost: -cost, room: 0, back: arcs.length },
    );
  };
  for (const { id } of ted.nodes) {
    add(`in ${id}`, `out ${id}`, 0, kind === 'link' || id === source || id === destination ? 2 : 1);
  }
  for (const link of usable(ted)) add(`out ${link.from}`, `in ${link.to}`, value(link), 1);
  let total = 0;
  for (let unit = 0; unit < 2; unit++) {
    const cost = new Map([[`in ${source}`, 0]]);
    const via = new Map<string, number>();
    for (let isStable = false; !isStable;) {
      isStable = true;
      arcs.forEach(({ from, to, cost: price, room }, i) => {
        const candidate = (cost.get(from) ?? Infinity) + price;
        if (room === 0 || candidate >= (cost.get(to) ?? Infinity)) return;
        cost.set(to, candidate);
        via.set(to, i);
        isStable = false;
      });
    }
    const reached = cost.get(`out ${destination}`);
    if (reached === undefined) return null;
    total += reached;
    for (let node = `out ${destination}`; node !== `in ${source}`;) {
      const arc = arcs[via.get(node) ?? -1];
      if (arc === undefined) throw new Error('the flow has lost its way');
      const back = arcs[arc.back];
      arc.room--;
      if (back !== undefined) back.room++;
      node = arc.from;
    }
  }
  return total;
}
