import type { Objective } from '../../model/path-request.js';
import { isWithinBounds, statesAlong } from '../search-problem.js';
import type { Finished } from '../finish-path.js';
import type { WorkBudget } from '../work-budget.js';
import {
  capacityConflict,
  fits,
  forcedByOthers,
  isShareable,
  meetings,
  riskConflict,
  type RiskConflict,
} from './conflicts.js';
import type { GroupMember, Route, RouteSearch } from './group-member.js';
import { greater, isLess, lesser, NOTHING, objectiveOf, type GroupValue } from './group-value.js';
import type { Risks } from './risks.js';
import { NodeQueue, type Restrictions, type SearchNode } from './search-node.js';

export interface GroupTask {
  readonly members: readonly GroupMember[];
  readonly risks: Risks;
  readonly objective: Objective;
  /** `exclusive`: nothing is shared but what is shareable. `fewest-shared`: before all else as few links as possible. */
  readonly sharing: 'exclusive' | 'fewest-shared';
  /** Known before the search begins: no group is worth less. */
  readonly lowerBound: GroupValue;
  /** Greater than the metric of any path. */
  readonly surcharge: number;
  readonly unreservedBps: Float64Array;
}

export interface GroupResult {
  /** One per member, proved. */
  readonly best: readonly Finished[] | null;
  /** Nothing better exists; nothing at all, when there is no best. */
  readonly isExact: boolean;
  readonly lowerBound: GroupValue;
}

/**
 * Branch and bound over conflicts (conflict-based search, Sharon et al. 2015). Each member takes its own best route; where
 * two meet in a risk, one branch forbids it to the one, the other to all others. Routes start as paths, which bound their
 * lists from below; once no paths conflict they are encoded, and only where that costs more, or fails, are the best lists
 * sought instead. What it returns with `isExact` is the optimum over all lists.
 */
export class GroupSearch {
  readonly #task: GroupTask;
  readonly #budget: WorkBudget;
  readonly #queue = new NodeQueue();
  readonly #seen = new Set<string>();
  readonly #known = new Map<string, RouteSearch>();
  #best: { readonly finished: readonly Finished[]; readonly value: GroupValue } | null = null;
  /** The least bound of what had to be given up. */
  #open: GroupValue = NOTHING;
  #popped = 0;

  constructor(task: GroupTask, budget: WorkBudget) {
    this.#task = task;
    this.#budget = budget;
  }

  /** Offers paths that come from elsewhere, one per member. False: they do not obey, or have no lists. */
  tryPaths(paths: readonly (readonly number[])[]): boolean {
    const { members } = this.#task;
    const isAllowed = paths.every((arcs, i) => {
      const { problem } = (members[i] as GroupMember).prepared;
      const { nodeCount } = problem.snapshot;
      const isOpen = arcs.every((arc) => problem.mask[arc] === 1) && isWithinBounds(problem.bounds, arcs);
      return isOpen && Math.floor((statesAlong(problem, arcs).at(-1) as number) / nodeCount) === problem.include.length;
    });
    return isAllowed && this.#offer(paths.map((arcs, i) => (members[i] as GroupMember).routeOver(arcs))) !== null;
  }

  run(): GroupResult {
    if (this.#best !== null && !isLess(this.#task.lowerBound, this.#best.value)) return this.#result(this.#best.value);
    this.#queueRoot();
    for (let node = this.#queue.pop(); node !== undefined; node = this.#queue.pop()) {
      const best = this.#best;
      if (best !== null && !isLess(greater(node.bound, this.#task.lowerBound), best.value))
        return this.#result(best.value);
      if (this.#budget.isSpent) return this.#result(node.bound);
      if (isPowerOfTwo(++this.#popped)) this.#complete(node);
      this.#branch(node);
    }
    return this.#result(this.#best?.value ?? NOTHING);
  }

  #result(reached: GroupValue): GroupResult {
    const lowerBound = greater(lesser(this.#open, reached), this.#task.lowerBound);
    const best = this.#best;
    if (best === null) return { best: null, isExact: lowerBound.shared === Infinity, lowerBound };
    return {
      best: best.finished,
      isExact: !isLess(lowerBound, best.value),
      lowerBound: lesser(lowerBound, best.value),
    };
  }

  /** What one member is forced to use is closed to those who are not. */
  #queueRoot(): void {
    const { members, sharing } = this.#task;
    const forbidden = members.map((member) => (sharing === 'exclusive' ? forcedByOthers(members, member) : []));
    const closed = members.map((): number[] => []);
    this.#queueNode({ forbidden, closed, permitted: new Set() }, [], 0, { shared: 0, value: 0 });
  }

  #branch(node: SearchNode): void {
    const { members, risks, unreservedBps, sharing } = this.#task;
    this.#budget.spend(members.length * members.length);
    const isPermitted = (conflict: RiskConflict) => node.permitted.has(meetingKey(conflict));
    const meeting = riskConflict(risks, members, node.routes, isPermitted);
    if (meeting !== null && sharing === 'exclusive') {
      const { one, other, risk } = meeting;
      this.#queueChild(node, (i) => (i === one ? { risk } : {}));
      const [owner, guest] = [members[one] as GroupMember, members[other] as GroupMember];
      // The owner keeps the risk; whoever may share it with the owner must still not meet the guest in it.
      this.#queueChild(node, (i) => {
        const member = members[i] as GroupMember;
        return i !== one && (member === guest || !isShareable(risk, owner, member)) ? { risk } : {};
      });
      return;
    }
    if (meeting !== null) {
      const { one, other, risk } = meeting;
      this.#queueChild(node, (i) => (i === one ? { risk } : {}));
      this.#queueChild(node, (i) => (i === other ? { risk } : {}));
      this.#queueChild(node, () => ({}), meetingKey(meeting));
      return;
    }
    const overload = capacityConflict(members, node.routes, unreservedBps);
    if (overload === null) this.#close(node);
    else
      for (const member of overload.members) this.#queueChild(node, (i) => (i === member ? { arc: overload.arc } : {}));
  }

  #queueChild(
    node: SearchNode,
    change: (member: number) => { readonly risk?: number; readonly arc?: number },
    permit?: string,
  ): void {
    const added = (lists: SearchNode['forbidden'], what: 'risk' | 'arc') =>
      lists.map((list, i) => {
        const value = change(i)[what];
        return value === undefined || list.includes(value) ? list : sorted([...list, value]);
      });
    const restrictions = {
      forbidden: added(node.forbidden, 'risk'),
      closed: added(node.closed, 'arc'),
      permitted: permit === undefined ? node.permitted : new Set([...node.permitted, permit]),
    };
    this.#queueNode(restrictions, node.routes, node.depth + 1, node.bound);
  }

  /** Queues a part of the search, unless it is known or cannot hold anything; routes that still obey are kept. */
  #queueNode(
    restrictions: Restrictions,
    routes: readonly Route[],
    depth: number,
    atLeast: GroupValue,
    asLists = false,
  ): void {
    const { members, objective } = this.#task;
    const isList = members.map((member, i) => asLists || member.isSplit || (routes[i]?.finished ?? null) !== null);
    const keys = members.map((member, i) =>
      [member.likeness, isList[i], restrictions.forbidden[i], restrictions.closed[i]].join('|'),
    );
    const isSymmetric = restrictions.permitted.size === 0;
    const key = [...(isSymmetric ? [...keys].sort() : keys), ...[...restrictions.permitted].sort()].join(';');
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const found: Route[] = [];
    const bounds: number[] = [];
    for (const [i, member] of members.entries()) {
      const forbidden = restrictions.forbidden[i] as readonly number[];
      const closed = restrictions.closed[i] as readonly number[];
      const old = routes[i];
      const isKept =
        old !== undefined &&
        (isList[i] === true) === (old.finished !== null) &&
        !forbidden.some((risk) => old.risks.has(risk)) &&
        !closed.some((arc) => old.load.has(arc));
      const route = isKept ? old : this.#route(member, keys[i] as string, isList[i] === true, forbidden, closed);
      if (route === null) return;
      if (typeof route === 'number') {
        bounds.push(route);
        continue;
      }
      found.push(route);
      bounds.push(route.lowerBound);
    }
    const shared = restrictions.permitted.size;
    const bound = greater(atLeast, { shared, value: objectiveOf(objective, bounds) });
    if (found.length < members.length) {
      this.#open = lesser(this.#open, bound);
      return;
    }
    if (this.#best !== null && !isLess(bound, this.#best.value)) return;
    const sum = found.reduce((total, route) => total + route.cost, 0);
    this.#queue.push({ ...restrictions, routes: found, bound, sum, depth });
  }

  #route(
    member: GroupMember,
    key: string,
    isList: boolean,
    forbidden: readonly number[],
    closed: readonly number[],
  ): RouteSearch {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const mask = member.maskWithout(forbidden, closed);
    const route = isList ? member.findList(mask, this.#budget) : member.findPath(mask, this.#budget);
    this.#known.set(key, route);
    return route;
  }

  /** A part without conflicts: its paths as lists, and where those are worse than the paths, the best lists. */
  #close(node: SearchNode): void {
    const value = this.#offer(node.routes);
    if (value !== null && !isLess(node.bound, value)) return;
    if (node.routes.every((route) => route.finished !== null)) this.#open = lesser(this.#open, node.bound);
    else this.#queueNode(node, node.routes, node.depth, node.bound, true);
  }

  /** Makes lists of paths so that no branch of one meets another member; keeps them when they are the best so far. */
  #offer(routes: readonly Route[]): GroupValue | null {
    const { members, objective, sharing, unreservedBps } = this.#task;
    const current = [...routes];
    for (const [i, member] of members.entries()) {
      const route = current[i] as Route;
      if (route.finished !== null) continue;
      const avoided = current.flatMap((other, j) =>
        j === i
          ? []
          : [...other.risks].filter(
              (risk) => !route.risks.has(risk) && !isShareable(risk, member, members[j] as GroupMember),
            ),
      );
      const finished = member.finish(route.arcs, member.maskWithout(avoided));
      if (finished.kind !== 'finished') return null;
      current[i] = member.routeWith(finished, route.lowerBound);
    }
    const shared = [...meetings(members, current)].length;
    if (sharing === 'exclusive' && shared > 0) return null;
    if (capacityConflict(members, current, unreservedBps) !== null) return null;
    const value = {
      shared,
      value: objectiveOf(
        objective,
        current.map((route) => route.cost),
      ),
    };
    if (this.#best === null || isLess(value, this.#best.value)) {
      this.#best = { finished: current.map((route) => route.finished as Finished), value };
    }
    return value;
  }

  /** Starts from the route of one member after the other, and lets the rest find the best that is left to them. */
  #complete(node: SearchNode): void {
    const { members } = this.#task;
    const starts = this.#popped === 1 ? members.length : 1;
    for (let n = 0; n < starts; n++) {
      const start = (Math.log2(this.#popped) + n) % members.length;
      if (n > 0 && members.every((member) => member.likeness === members[0]?.likeness)) return;
      const routes = this.#completeFrom(node, start);
      if (routes !== null) this.#offer(routes);
    }
  }

  #completeFrom(node: SearchNode, start: number): readonly Route[] | null {
    const { members, sharing, surcharge, unreservedBps, risks } = this.#task;
    const chosen = new Map<number, Route>([[start, node.routes[start] as Route]]);
    for (let n = 1; n < members.length; n++) {
      const i = (start + n) % members.length;
      const member = members[i] as GroupMember;
      const used = [...chosen].flatMap(([j, route]) =>
        [...route.risks].filter((risk) => !isShareable(risk, member, members[j] as GroupMember)),
      );
      const demand = new Map<number, number>();
      for (const [j, route] of chosen) {
        const { bandwidthBps } = members[j] as GroupMember;
        for (const [arc, share] of route.load) demand.set(arc, (demand.get(arc) ?? 0) + share * bandwidthBps);
      }
      const full = [...demand].filter(
        ([arc, bps]) => member.bandwidthBps > 0 && !fits(bps + member.bandwidthBps, unreservedBps[arc] as number),
      );
      const isHard = sharing === 'exclusive';
      const mask = member.maskWithout(
        [...(node.forbidden[i] as readonly number[]), ...(isHard ? used : [])],
        [...(node.closed[i] as readonly number[]), ...full.map(([arc]) => arc)],
      );
      let { weight } = member.prepared.problem;
      if (!isHard) {
        weight = weight.slice();
        for (const arc of used.flatMap((risk) => risks.arcsOf(risk))) weight[arc] = (weight[arc] as number) + surcharge;
      }
      const route = member.isSplit ? member.findList(mask, this.#budget) : member.findPath(mask, this.#budget, weight);
      if (route === null || typeof route === 'number') return null;
      chosen.set(i, route);
    }
    return members.map((_, i) => chosen.get(i) as Route);
  }
}

function meetingKey({ one, other, risk }: RiskConflict): string {
  return `${one}:${other}:${risk}`;
}

function isPowerOfTwo(n: number): boolean {
  return (n & (n - 1)) === 0;
}

function sorted(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}
