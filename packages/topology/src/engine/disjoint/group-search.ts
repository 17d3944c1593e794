import { isWithinBounds, statesAlong } from '../search-problem.js';
import type { Finished } from '../finish-path.js';
import type { WorkBudget } from '../work-budget.js';
import { chooseConflict, dive, type Branching } from './choose-conflict.js';
import { capacityConflict, fits, forcedByOthers, isShareable, meetings, type RiskConflict } from './conflicts.js';
import type { GroupMember, Route } from './group-member.js';
import { greater, isLess, lesser, NOTHING, objectiveOf, type GroupValue } from './group-value.js';
import { MemberRoutes, type RouteTask } from './member-routes.js';
import { Prices } from './prices.js';
import { NodeQueue, type Restrictions, type SearchNode } from './search-node.js';

export interface GroupTask extends RouteTask {
  /** Known before the search begins: no group is worth less. */
  readonly lowerBound: GroupValue;
  /** Of risks that at most one member may use, to begin with. */
  readonly prices: Prices;
  /** Greater than the metric of any path. */
  readonly surcharge: number;
  readonly unreservedBps: Float64Array;
}

export interface GroupResult {
  /** One per member, proved. */
  readonly best: readonly Finished[] | null;
  /** Nothing better exists; nothing at all, when there is no best. */
  readonly isExact: boolean;
  /** Of the objective: no group that shares as little as the best is worth less. */
  readonly lowerBound: number;
}

/** Parts of the search after which it looks for a solution down to the end. */
const BETWEEN_DIVES = 16;

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
  readonly #routes: MemberRoutes;
  readonly #isPriced: boolean;
  /** Routes that may be as good as the cheapest; none, or one per member. */
  #hints: readonly Route[] = [];
  #best: { readonly finished: readonly Finished[]; readonly value: GroupValue } | null = null;
  /** The least bound of what had to be given up. */
  #open: GroupValue = NOTHING;
  #popped = 0;

  constructor(task: GroupTask, budget: WorkBudget) {
    this.#task = task;
    this.#budget = budget;
    this.#routes = new MemberRoutes(task, budget, () => this.#limit);
    this.#isPriced =
      task.sharing === 'exclusive' &&
      task.objective === 'sum' &&
      task.members.every((member) => !member.isSplit && member.prepared.problem.include.length === 0);
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
    if (!isAllowed) return false;
    this.#hints = paths.map((arcs, i) => (members[i] as GroupMember).routeOver(arcs));
    return this.#offer(this.#hints) !== null;
  }

  run(): GroupResult {
    if (this.#best !== null && !isLess(this.#task.lowerBound, this.#best.value)) return this.#result(this.#best.value);
    this.#queueRoot();
    for (let node = this.#queue.pop(); node !== undefined; node = this.#queue.pop()) {
      const best = this.#best;
      if (best !== null && !isLess(greater(node.bound, this.#task.lowerBound), best.value))
        return this.#result(best.value);
      if (this.#budget.isSpent) return this.#result(node.bound);
      if (this.#task.sharing === 'exclusive' && !node.isLookedAt) {
        const chosen = chooseConflict(node, this.#branching());
        if (chosen === null) continue;
        const looked = { ...node, conflict: chosen.conflict, isLookedAt: true };
        if (chosen.value > node.bound.value) {
          this.#queue.push({ ...looked, bound: { shared: 0, value: chosen.value } });
          continue;
        }
        node = looked;
      }
      if (isPowerOfTwo(++this.#popped)) this.#complete(node);
      if (this.#popped % BETWEEN_DIVES === 1) this.#dive(node);
      this.#branch(node);
    }
    return this.#result(this.#best?.value ?? NOTHING);
  }

  /** A group that is worth so much is of no interest any more. */
  get #limit(): number {
    return this.#best?.value.value ?? Infinity;
  }

  #branching(): Branching {
    return { task: this.#task, routes: this.#routes, limit: this.#limit };
  }

  #dive(node: SearchNode): void {
    if (this.#task.sharing !== 'exclusive') return;
    const routes = dive(node, this.#branching());
    const costs = routes?.map(({ cost }) => cost) ?? [Infinity];
    if (routes !== null && objectiveOf(this.#task.objective, costs) < this.#limit) this.#offer(routes);
  }

  #result(reached: GroupValue): GroupResult {
    const lowerBound = greater(lesser(this.#open, reached), this.#task.lowerBound);
    const best = this.#best;
    if (best === null) return { best: null, isExact: lowerBound.shared === Infinity, lowerBound: lowerBound.value };
    const isExact = !isLess(lowerBound, best.value);
    // A bound on groups that share less says nothing of the value of those that share as much.
    const least = lowerBound.shared < best.value.shared ? this.#leastOfAll() : lowerBound.value;
    return { best: best.finished, isExact, lowerBound: isExact ? best.value.value : Math.min(least, best.value.value) };
  }

  /** What the members are worth when each takes its best path and minds none of the others. */
  #leastOfAll(): number {
    const { members, objective } = this.#task;
    const costs = members.map((member) => {
      const route = member.findPath(member.prepared.problem.mask, this.#budget);
      return typeof route === 'number' ? route : (route?.lowerBound ?? 0);
    });
    return objectiveOf(objective, costs);
  }

  /** What one member is forced to use is closed to those who are not. */
  #queueRoot(): void {
    const { members, sharing } = this.#task;
    const forbidden = members.map((member) => (sharing === 'exclusive' ? forcedByOthers(members, member) : []));
    const closed = members.map((): number[] => []);
    const restrictions = { forbidden, closed, permitted: new Set<string>() };
    const prices = this.#isPriced ? this.#task.prices : Prices.NONE;
    const routes = this.#hints.map((route, i): Route => {
      const query = { forbidden: forbidden[i] as readonly number[], closed: [], isList: false, prices };
      const found = this.#routes.find(i, query);
      const hint = this.#routes.priced(i, route, prices);
      const isAsGood = found !== null && typeof found !== 'number' && hint.lowerBound <= found.lowerBound;
      return isAsGood && !query.forbidden.some((risk) => hint.risks.has(risk)) ? hint : (found as Route);
    });
    this.#queueNode(restrictions, prices, { routes, prices, depth: -1, bound: { shared: 0, value: 0 } });
  }

  #branch(node: SearchNode): void {
    const { members, unreservedBps, sharing } = this.#task;
    this.#budget.spend(members.length * members.length);
    if (sharing === 'exclusive') {
      const { conflict } = node;
      if (conflict !== null) {
        this.#split(node, conflict);
        return;
      }
    } else {
      const isPermitted = (conflict: RiskConflict) => node.permitted.has(meetingKey(conflict));
      const meeting = [...meetings(members, node.routes)].find((conflict) => !isPermitted(conflict)) ?? null;
      if (meeting !== null) {
        const { one, other, risk } = meeting;
        this.#queueChild(node, (i) => (i === one ? { risk } : {}));
        this.#queueChild(node, (i) => (i === other ? { risk } : {}));
        this.#queueChild(node, () => ({}), meetingKey(meeting));
        return;
      }
    }
    const overload = capacityConflict(members, node.routes, unreservedBps);
    if (overload === null) this.#close(node);
    else
      for (const member of overload.members) this.#queueChild(node, (i) => (i === member ? { arc: overload.arc } : {}));
  }

  /** One part forbids a risk to a member, the other to all who may not share it with that member. */
  #split(node: SearchNode, { one, other, risk }: RiskConflict): void {
    const { members } = this.#task;
    const [owner, guest] = [members[one] as GroupMember, members[other] as GroupMember];
    this.#queueChild(node, (i) => (i === one ? { risk } : {}));
    // The owner keeps the risk; whoever may share it with the owner must still not meet the guest in it.
    this.#queueChild(node, (i) => {
      const member = members[i] as GroupMember;
      return i !== one && (member === guest || !isShareable(risk, owner, member)) ? { risk } : {};
    });
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
    this.#queueNode(restrictions, this.#pricesLeft(node.prices, restrictions.forbidden), node);
  }

  /** What all but one member leave alone needs no price any more. */
  #pricesLeft(prices: Prices, forbidden: SearchNode['forbidden']): Prices {
    const most = forbidden.length - 2;
    return prices.without((risk) => forbidden.filter((list) => list.includes(risk)).length > most);
  }

  /** Queues a part of the search, unless it is known or cannot hold anything; routes that still obey are kept. */
  #queueNode(
    restrictions: Restrictions,
    prices: Prices,
    parent: Pick<SearchNode, 'routes' | 'prices' | 'depth' | 'bound'>,
    asLists = false,
  ): void {
    const { routes, bound: atLeast } = parent;
    const depth = parent.depth + 1;
    const { members, objective } = this.#task;
    const queries = members.map((member, i) => ({
      forbidden: restrictions.forbidden[i] as readonly number[],
      closed: restrictions.closed[i] as readonly number[],
      isList: asLists || member.isSplit || (routes[i]?.finished ?? null) !== null,
      prices,
    }));
    const keys = queries.map((query, i) => this.#routes.keyOf(i, query));
    const isSymmetric = restrictions.permitted.size === 0;
    const key = [...(isSymmetric ? [...keys].sort() : keys), ...[...restrictions.permitted].sort()].join(';');
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const found: Route[] = [];
    const bounds: number[] = [];
    for (const [i, query] of queries.entries()) {
      const old = routes[i];
      const isKept =
        old !== undefined &&
        query.isList === (old.finished !== null) &&
        prices === parent.prices &&
        !query.forbidden.some((risk) => old.risks.has(risk)) &&
        !query.closed.some((arc) => old.load.has(arc));
      const route = isKept ? old : this.#routes.find(i, query);
      if (route === null) return;
      if (typeof route === 'number') {
        bounds.push(route);
        continue;
      }
      found.push(route);
      bounds.push(route.lowerBound);
    }
    const shared = restrictions.permitted.size;
    const bound = greater(atLeast, { shared, value: objectiveOf(objective, bounds) - prices.total });
    if (found.length < members.length) {
      this.#open = lesser(this.#open, bound);
      return;
    }
    if (this.#best !== null && !isLess(bound, this.#best.value)) return;
    const sum = found.reduce((total, route) => total + route.cost, 0);
    this.#queue.push({ ...restrictions, conflict: null, isLookedAt: false, prices, routes: found, bound, sum, depth });
  }

  /** A part without conflicts: its paths as lists, and where those are worse than the paths, the best lists. */
  #close(node: SearchNode): void {
    const value = this.#offer(node.routes);
    if (value !== null && !isLess(node.bound, value)) return;
    const idle = this.#idlePrice(node);
    if (idle !== null) this.#split(node, idle);
    else if (node.routes.every((route) => route.finished !== null)) this.#open = lesser(this.#open, node.bound);
    else this.#queueNode(node, Prices.NONE, node, true);
  }

  /** The dearest risk that nobody uses: its price is what keeps the bound below the value. */
  #idlePrice({ prices, routes, forbidden }: SearchNode): RiskConflict | null {
    let dearest: number | null = null;
    for (const [risk, price] of prices.byRisk) {
      const isIdle = price > 0 && !routes.some((route) => route.risks.has(risk));
      if (isIdle && (dearest === null || price > prices.of(dearest))) dearest = risk;
    }
    if (dearest === null) return null;
    const risk = dearest;
    const [one, other] = [...forbidden.keys()].filter((i) => forbidden[i]?.includes(risk) === false);
    return one === undefined || other === undefined ? null : { kind: 'risk', risk, one, other };
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
      const route = member.isSplit
        ? member.findList(mask, this.#budget)
        : member.findPath(mask, this.#budget, { weight });
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
