import type { Objective } from '../../model/path-request.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import type { Finished } from '../finish-path.js';
import type { PreparedRequest } from '../prepare-request.js';
import type { WorkBudget } from '../work-budget.js';
import { meetings } from './conflicts.js';
import { levelOf, type Level } from './disjointness-level.js';
import { canChooseExit, GroupMember, type Route } from './group-member.js';
import { GroupSearch } from './group-search.js';
import { Risks } from './risks.js';
import { rootBound } from './root-bound.js';

export interface LevelTask {
  readonly snapshot: Snapshot;
  readonly prepared: readonly PreparedRequest[];
  /** Members with equal numbers ask for the same. */
  readonly likeness: readonly number[];
  readonly level: Level;
  readonly objective: Objective;
  readonly unreservedBps: Float64Array;
}

/** A reason why there are no paths: more members have to pass these risks and links than there are of them. */
export interface Cut {
  /** Nodes, SRLGs, sites. */
  readonly risks: readonly number[];
  readonly arcs: readonly number[];
  readonly crossing: readonly number[];
}

export type LevelResult =
  | {
      readonly kind: 'found';
      readonly finished: readonly Finished[];
      readonly isExact: boolean;
      /** Of the objective. */
      readonly lowerBound: number;
      /** As they were at this level. */
      readonly members: readonly GroupMember[];
    }
  | { readonly kind: 'none'; readonly isProved: boolean; readonly cut: Cut | null };

/**
 * The best paths at one level. Destinations with several last links are first reached over different ones; only where
 * that cannot be, the same may serve several members.
 */
export function searchLevel(task: LevelTask, budget: WorkBudget): LevelResult {
  const stages = task.level.link && task.prepared.some(canChooseExit) ? [false, true] : [false];
  let isProved = true;
  let cut: Cut | null = null;
  for (const mayShareExits of stages) {
    const result = searchStage(task, mayShareExits, budget);
    if (result.kind === 'found') return { ...result, isExact: result.isExact && isProved };
    isProved &&= result.isProved;
    cut = result.cut;
  }
  // A cut of the last stage, which allows the most, needs nothing of the stages before.
  return { kind: 'none', isProved: isProved || cut !== null, cut };
}

function searchStage(task: LevelTask, mayShareExits: boolean, budget: WorkBudget): LevelResult {
  const { snapshot, prepared, likeness, objective, unreservedBps } = task;
  const isExclusive = task.level.link;
  const level = isExclusive ? task.level : levelOf(['link']);
  const risks = Risks.of(snapshot);
  const members = prepared.map((one, i) => new GroupMember(one, likeness[i] as number, level, mayShareExits));
  const surcharge = isExclusive ? Infinity : pathLimit(prepared);
  const root = rootBound({ members, risks, level, objective, surcharge }, budget);
  if (root.kind === 'cut') return { kind: 'none', isProved: true, cut: root };
  const sharing = isExclusive ? 'exclusive' : 'fewest-shared';
  const { lowerBound, prices } = root;
  const search = new GroupSearch(
    { members, risks, objective, sharing, lowerBound, prices, surcharge, unreservedBps },
    budget,
  );
  const isFound = root.paths !== null && search.tryPaths(root.paths);
  if (!isFound && isExclusive) {
    const cut = unavoidable(members, risks, budget);
    if (cut !== null) return { kind: 'none', isProved: true, cut };
  }
  const result = search.run();
  if (result.best !== null) return { kind: 'found', finished: result.best, members, ...result };
  return { kind: 'none', isProved: result.isExact, cut: null };
}

/** More than the metric of any path. */
function pathLimit(prepared: readonly PreparedRequest[]): number {
  const { weight } = (prepared[0] as PreparedRequest).problem;
  return 1 + prepared.length * weight.reduce((sum, value) => (Number.isFinite(value) ? sum + value : sum), 0);
}

/** One risk without which neither of two members has a path. */
function unavoidable(members: readonly GroupMember[], risks: Risks, budget: WorkBudget): Cut | null {
  const routes: Route[] = [];
  for (const member of members) {
    const route = member.findPath(member.prepared.problem.mask, budget);
    if (route === null || typeof route === 'number') return null;
    routes.push(route);
  }
  const isNeeded = new Map<string, boolean>();
  const needs = (i: number, risk: number): boolean => {
    const member = members[i] as GroupMember;
    const key = `${member.likeness} ${risk}`;
    const known = isNeeded.get(key);
    if (known !== undefined) return known;
    const needed = member.findPath(member.maskWithout([risk]), budget) === null;
    isNeeded.set(key, needed);
    return needed;
  };
  for (const { one, other, risk } of meetings(members, routes)) {
    if (budget.isSpent) return null;
    if (!needs(one, risk) || !needs(other, risk)) continue;
    const crossed = [...(routes[one] as Route).load.keys()].filter((arc) => risks.linkRisk(arc) === risk);
    return { risks: crossed.length > 0 ? [] : [risk], arcs: crossed, crossing: [one, other] };
  }
  return null;
}
