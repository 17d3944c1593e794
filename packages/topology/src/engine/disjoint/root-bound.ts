import type { Objective } from '../../model/path-request.js';
import type { WorkBudget } from '../work-budget.js';
import { disjointFlow, type Flow } from './disjoint-flow.js';
import type { Level } from './disjointness-level.js';
import type { GroupMember } from './group-member.js';
import type { GroupValue } from './group-value.js';
import { Prices } from './prices.js';
import type { Risks } from './risks.js';

export interface RootTask {
  readonly members: readonly GroupMember[];
  readonly risks: Risks;
  readonly level: Level;
  readonly objective: Objective;
  /** Finite: links may be shared at this price, and nodes freely. */
  readonly surcharge: number;
}

export type RootBound =
  | {
      readonly kind: 'bound';
      readonly lowerBound: GroupValue;
      /** One per member, cheapest first; null when the flow cannot tell whose they are. */
      readonly paths: readonly (readonly number[])[] | null;
      /** Of links and nodes that only one member may use. */
      readonly prices: Prices;
    }
  | {
      readonly kind: 'cut';
      /** More members have to pass these nodes and links than there are of them. */
      readonly risks: readonly number[];
      readonly arcs: readonly number[];
      readonly crossing: readonly number[];
    };

/**
 * What a flow between all sources and all destinations says about a group: links and nodes are used once, whose path ends
 * where is left open, and bounds, include lists, SRLGs and sites are not looked at. No group is worth less than the flow,
 * and where there is none, its cut proves that there is no group.
 */
export function rootBound(task: RootTask, budget: WorkBudget): RootBound {
  const { members, risks, level, objective, surcharge } = task;
  const problems = members.map((member) => member.prepared.problem);
  const { snapshot, weight } = (members[0] as GroupMember).prepared.problem;
  const isExclusive = surcharge === Infinity;
  const mask = new Uint8Array(snapshot.arcCount);
  for (const own of new Set(problems.map((problem) => problem.mask))) {
    for (let arc = 0; arc < mask.length; arc++) if (own[arc] === 1) mask[arc] = 1;
  }
  const shareable = sharedByTwo(members);
  const isLink = (risk: number) => risks.kindOf(risk) === 'link';
  const wide = new Set([...shareable].filter(isLink).flatMap((risk) => risks.arcsOf(risk)));
  const sources = problems.map((problem) => problem.source);
  const sinks = problems.map((problem) => problem.destination);
  const isNarrow = (node: number) => isExclusive && level.node && !shareable.has(risks.nodeRisk(node));
  const flow = disjointFlow({ snapshot, mask, weight, sources, sinks, isNarrow, wide, surcharge }, budget);
  if (flow.kind === 'cut') return cutOf(risks, flow, sources, sinks);
  const shared = isExclusive ? 0 : Math.floor(flow.total / surcharge);
  const total = isExclusive ? flow.total : flow.total - shared * surcharge;
  const value = objective === 'sum' ? total : atLeastOneOf(total / members.length, weight, mask);
  const cost = (path: readonly number[]) => path.reduce((sum, arc) => sum + (weight[arc] as number), 0);
  const paths = flow.paths === null ? null : [...flow.paths].sort((a, b) => cost(a) - cost(b));
  return { kind: 'bound', lowerBound: { shared, value }, paths, prices: pricesOf(task, flow) };
}

function pricesOf({ members, risks }: RootTask, { arcPrices, nodePrices }: Extract<Flow, { kind: 'flow' }>): Prices {
  const byRisk = new Map<number, number>();
  for (const [arc, price] of arcPrices) {
    const risk = risks.linkRisk(arc);
    byRisk.set(risk, Math.max(price, byRisk.get(risk) ?? 0));
  }
  for (const [node, price] of nodePrices) byRisk.set(risks.nodeRisk(node), price);
  // With an include list a path may cross a link twice, and then would pay twice.
  const isFree = members.some(({ prepared }) => prepared.problem.include.length > 0);
  return isFree ? Prices.NONE : new Prices(byRisk);
}

/** The worst of several paths is at least their mean; whole metrics make it a whole number. */
function atLeastOneOf(mean: number, weight: Float64Array, mask: Uint8Array): number {
  return weight.every((value, arc) => mask[arc] === 0 || Number.isInteger(value)) ? Math.ceil(mean) : mean;
}

function sharedByTwo(members: readonly GroupMember[]): ReadonlySet<number> {
  const once = new Set<number>();
  const twice = new Set<number>();
  for (const risk of members.flatMap((member) => [...member.shareable])) {
    if (once.has(risk)) twice.add(risk);
    once.add(risk);
  }
  return twice;
}

function cutOf(
  risks: Risks,
  flow: Extract<Flow, { kind: 'cut' }>,
  sources: readonly number[],
  sinks: readonly number[],
): RootBound {
  const crossing = sources.flatMap((source, i) =>
    flow.isEntered[source] === 1 && flow.isBefore[sinks[i] as number] === 0 ? [i] : [],
  );
  return { kind: 'cut', risks: flow.nodes.map((node) => risks.nodeRisk(node)), arcs: flow.arcs, crossing };
}
