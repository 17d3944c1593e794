import type { Objective } from '../../model/path-request.js';
import { sumOver } from '../search-problem.js';
import type { WorkBudget } from '../work-budget.js';
import type { GroupMember, Route, RouteSearch } from './group-member.js';
import type { Prices } from './prices.js';
import type { Risks } from './risks.js';

/** What is asked of one member's route. */
export interface RouteQuery {
  /** Risks and arcs that it leaves alone. Sorted. */
  readonly forbidden: readonly number[];
  readonly closed: readonly number[];
  /** The best list instead of the cheapest path. */
  readonly isList: boolean;
  /** Added to the costs of paths; lists are not priced. */
  readonly prices: Prices;
}

export interface RouteTask {
  readonly members: readonly GroupMember[];
  readonly risks: Risks;
  readonly objective: Objective;
  /** `exclusive`: nothing is shared but what is shareable. `fewest-shared`: before all else as few links as possible. */
  readonly sharing: 'exclusive' | 'fewest-shared';
}

/** The best route of each member under restrictions, looked for once; members that ask for the same share them. */
export class MemberRoutes {
  readonly #members: readonly GroupMember[];
  readonly #risks: Risks;
  readonly #budget: WorkBudget;
  readonly #worth: (i: number, prices: Prices) => number;
  readonly #leastWith = new WeakMap<Prices, Map<number, number>>();
  readonly #known = new WeakMap<Prices, Map<string, RouteSearch>>();

  /** `limit`: what a group may cost at most to be of interest; it may only fall. */
  constructor({ members, risks, objective, sharing }: RouteTask, budget: WorkBudget, limit: () => number) {
    this.#members = members;
    this.#risks = risks;
    this.#budget = budget;
    this.#worth = (i, prices) => {
      if (limit() === Infinity || sharing !== 'exclusive') return Infinity;
      if (objective === 'worst') return limit();
      const others = members.map((_, j) => (j === i ? 0 : this.#leastOf(j, prices)));
      // Sums of metrics that are not whole numbers differ in their last bits by the order of the terms.
      return (limit() + prices.total - sumOf(others)) * (1 + 1e-9);
    };
  }

  /** Equal for queries that have equal answers. */
  keyOf(i: number, { forbidden, closed, isList }: Omit<RouteQuery, 'prices'>): string {
    return [(this.#members[i] as GroupMember).likeness, isList, forbidden, closed].join('|');
  }

  /**
   * The route, whose `lowerBound` includes what it pays. null: there is none, or none with which a group could be of interest.
   */
  find(i: number, query: RouteQuery): RouteSearch {
    const { forbidden, closed, isList, prices } = query;
    const among = this.#known.get(prices) ?? new Map<string, RouteSearch>();
    this.#known.set(prices, among);
    const key = this.keyOf(i, query);
    const known = among.get(key);
    if (known !== undefined) return known;
    const member = this.#members[i] as GroupMember;
    const mask = member.maskWithout(forbidden, closed);
    const route = isList
      ? member.findList(mask, this.#budget)
      : this.#findPath(member, mask, prices, this.#worth(i, prices));
    among.set(key, route);
    return route;
  }

  /** A path with what it costs under prices as its lower bound. */
  priced(i: number, route: Route, prices: Prices): Route {
    const { problem } = (this.#members[i] as GroupMember).prepared;
    const cost = sumOver(prices.addedTo(problem.weight, this.#risks), route.arcs);
    return { ...route, lowerBound: cost + prices.of(this.#risks.nodeRisk(problem.source)) };
  }

  /** What a member's route costs without restrictions. */
  #leastOf(i: number, prices: Prices): number {
    const least = this.#leastWith.get(prices) ?? new Map<number, number>();
    this.#leastWith.set(prices, least);
    const member = this.#members[i] as GroupMember;
    const known = least.get(member.likeness);
    if (known !== undefined) return known;
    const found = this.#findPath(member, member.prepared.problem.mask, prices, Infinity);
    const value = found === null ? Infinity : typeof found === 'number' ? found : found.lowerBound;
    least.set(member.likeness, value);
    return value;
  }

  #findPath(member: GroupMember, mask: Uint8Array, prices: Prices, worth: number): RouteSearch {
    const { problem } = member.prepared;
    // No arc that the path crosses leads to its source.
    const entry = prices.of(this.#risks.nodeRisk(problem.source));
    const weight = prices.addedTo(problem.weight, this.#risks);
    const route = member.findPath(mask, this.#budget, { weight, limit: worth - entry });
    if (route === null) return null;
    return typeof route === 'number' ? route + entry : { ...route, lowerBound: route.lowerBound + entry };
  }
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
