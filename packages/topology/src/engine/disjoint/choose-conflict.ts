import { riskConflicts, type RiskConflict } from './conflicts.js';
import type { Route, RouteSearch } from './group-member.js';
import { objectiveOf } from './group-value.js';
import type { MemberRoutes, RouteTask } from './member-routes.js';
import type { SearchNode } from './search-node.js';

/** Meetings that are looked at before one is chosen, and in a dive. */
const LOOKED_AT = 8;
const LOOKED_AT_IN_DIVE = 4;

export interface Branching {
  readonly task: RouteTask;
  readonly routes: MemberRoutes;
  /** Nothing that is worth so much, or more, is of interest. */
  readonly limit: number;
}

/** A meeting that decides much, with what the part is worth at least; null: nothing in it is of interest. */
export function chooseConflict(
  node: SearchNode,
  branching: Branching,
): { readonly conflict: RiskConflict | null; readonly value: number } | null {
  const { members, risks, objective } = branching.task;
  const conflicts = riskConflicts(risks, members, node.routes);
  const [first = null] = conflicts;
  // Lists are dear to find: what is met first has to do.
  if (conflicts.length <= 1 || node.routes.some(({ finished }) => finished !== null)) {
    return { conflict: first, value: node.bound.value };
  }
  const waysOut = new Map<string, [number, number][]>();
  let best: { readonly conflict: RiskConflict; readonly least: number; readonly most: number } | null = null;
  for (const conflict of conflicts.slice(0, LOOKED_AT)) {
    const { one, other } = conflict;
    const rises: [number, number] = [riseOf(node, one, conflict, branching), riseOf(node, other, conflict, branching)];
    const [least, most] = [Math.min(...rises), Math.max(...rises)];
    if (least === Infinity) return null;
    const pair = `${one} ${other}`;
    waysOut.set(pair, [...(waysOut.get(pair) ?? []), rises]);
    const isBetter =
      best === null ||
      (most === Infinity) > (best.most === Infinity) ||
      least > best.least ||
      (least === best.least && most > best.most);
    if (isBetter) best = { conflict, least, most };
  }
  const own =
    objectiveOf(
      objective,
      node.routes.map(({ lowerBound }) => lowerBound),
    ) - node.prices.total;
  const rise = objective === 'sum' ? Math.max(...[...waysOut.values()].map(leastToPart)) : 0;
  const value = Math.max(node.bound.value, own + rise);
  return value >= branching.limit ? null : { conflict: best?.conflict ?? null, value };
}

/** Solves one meeting after the other, each the cheaper way, down to routes that do not meet; null when that fails. */
export function dive(node: SearchNode, branching: Branching): readonly Route[] | null {
  const { members, risks } = branching.task;
  let current = node;
  for (;;) {
    const conflicts = riskConflicts(risks, members, current.routes);
    if (conflicts.length === 0) return current.routes;
    let best: { readonly i: number; readonly conflict: RiskConflict; readonly regret: number } | null = null;
    for (const conflict of conflicts.slice(0, LOOKED_AT_IN_DIVE)) {
      const { one, other } = conflict;
      const [a, b] = [riseOf(current, one, conflict, branching), riseOf(current, other, conflict, branching)];
      if (a === Infinity && b === Infinity) return null;
      const regret = Math.abs(a - b);
      if (best === null || regret > best.regret) best = { i: a <= b ? one : other, conflict, regret };
    }
    if (best === null) return null;
    const { i, conflict } = best;
    const route = wayOut(current, i, conflict, branching);
    if (route === null || typeof route === 'number') return null;
    current = {
      ...current,
      forbidden: current.forbidden.map((list, j) => (j === i ? added(list, conflict.risk) : list)),
      routes: current.routes.map((old, j) => (j === i ? route : old)),
    };
  }
}

/** How much more a member's route costs that makes way; Infinity: nothing of interest is left. */
function riseOf(node: SearchNode, i: number, conflict: RiskConflict, branching: Branching): number {
  const found = wayOut(node, i, conflict, branching);
  if (found === null) return Infinity;
  const cost = typeof found === 'number' ? found : found.lowerBound;
  const costs = node.routes.map(({ lowerBound }, j) => (j === i ? cost : lowerBound));
  const value = objectiveOf(branching.task.objective, costs) - node.prices.total;
  return value >= branching.limit ? Infinity : cost - (node.routes[i] as Route).lowerBound;
}

function wayOut(node: SearchNode, i: number, { risk }: RiskConflict, { routes }: Branching): RouteSearch {
  const { forbidden, closed, prices } = node;
  return routes.find(i, {
    forbidden: added(forbidden[i] as readonly number[], risk),
    closed: closed[i] as readonly number[],
    isList: (node.routes[i] as Route).finished !== null,
    prices,
  });
}

function added(risks: readonly number[], risk: number): number[] {
  return [...risks, risk].sort((a, b) => a - b);
}

/**
 * Two members meet several times, and of each meeting one or the other has to make way, which raises its cost as given: what
 * they pay together at least, because who makes way several times pays for the dearest. The first makes way wherever that
 * costs it no more than some limit; all limits are tried.
 */
export function leastToPart(rises: readonly (readonly [number, number])[]): number {
  const inOrder = [...rises].sort((a, b) => a[0] - b[0]);
  let ofOther = 0;
  let least = inOrder.at(-1)?.[0] ?? 0;
  for (let i = inOrder.length - 1; i >= 0; i--) {
    ofOther = Math.max(ofOther, (inOrder[i] as readonly [number, number])[1]);
    least = Math.min(least, (inOrder[i - 1]?.[0] ?? 0) + ofOther);
  }
  return least;
}
