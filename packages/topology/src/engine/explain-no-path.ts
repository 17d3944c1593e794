import type { NoPath, NoPathReason } from '../model/path-answer.js';
import type { Restriction } from './eligibility.js';
import { explainBounds } from './explain-bounds.js';
import { crossingLimitsOfPath } from './crossing-limits.js';
import { fittingBandwidths } from './fitting-bandwidths.js';
import { LooplessPaths } from './loopless-paths.js';
import { refusal, type PreparedRequest } from './prepare-request.js';
import { reachableFrom, reachesTo } from './reachable.js';
import type { WorkBudget } from './work-budget.js';

const BLAME: Readonly<
  Record<Restriction, { readonly reason: NoPathReason; readonly constraint: string | null; readonly what: string }>
> = {
  exclude: { reason: 'resource-excluded', constraint: '/constraints/exclude', what: 'are excluded' },
  srlg: { reason: 'srlg-excluded', constraint: '/constraints/exclude/srlgs', what: 'are in excluded SRLGs' },
  affinity: { reason: 'affinity-excluded', constraint: '/constraints/affinities', what: 'do not match the affinities' },
  bandwidth: { reason: 'insufficient-bandwidth', constraint: '/constraints/bandwidthBps', what: 'lack the bandwidth' },
  'unknown-value': {
    reason: 'path-not-found',
    constraint: null,
    what: 'have no known value of a metric that is optimised or bounded, or lose everything',
  },
  admin: {
    reason: 'resource-excluded',
    constraint: null,
    what: 'are drained or down by the operator, or lead to a node that is',
  },
};

/** Says why the search found nothing: which constraint to blame, what blocks, and the value that would be met. */
export function explainNoPath(prepared: PreparedRequest, budget: WorkBudget): NoPath {
  const { problem, eligibility } = prepared;
  budget.decide();
  if (prepared.isProbe) return refusal(prepared.snapshot, 'path-not-found', 'there is no path');
  const open = eligibility.mask(new Set(eligibility.restrictionsInUse()));
  if (!connects(prepared, open)) return explainDisconnected(prepared, open);
  if (!connects(prepared, problem.mask)) return explainRestricted(prepared, budget);
  return explainInclude(prepared, budget) ?? explainCrossings(prepared, budget) ?? explainBounds(prepared, budget);
}

function connects(prepared: PreparedRequest, mask: Uint8Array): boolean {
  const { snapshot, problem } = prepared;
  return reachableFrom(snapshot, mask, problem.source)[problem.destination] === 1;
}

function explainDisconnected(prepared: PreparedRequest, open: Uint8Array): NoPath {
  const { snapshot, request, problem } = prepared;
  const { arcFrom, arcTo } = snapshot.data;
  const reached = reachableFrom(snapshot, open, problem.source);
  const blocking = arcsWhere(open, (arc) => {
    const to = arcTo[arc] as number;
    const isTransit = !snapshot.isHost(to) || to === problem.destination;
    return reached[arcFrom[arc] as number] === 1 && reached[to] === 0 && isTransit && !snapshot.isUsable(arc);
  });
  const links = linkIds(prepared, blocking);
  const message =
    links.length === 0
      ? `no links lead from ${request.source} to ${request.destination}`
      : `every way from ${request.source} to ${request.destination} crosses a link that is down: ${some(links)}`;
  return refusal(snapshot, 'path-not-found', message, { blockingLinks: links });
}

function explainRestricted(prepared: PreparedRequest, budget: WorkBudget): NoPath {
  const { snapshot, request, eligibility } = prepared;
  const inUse = eligibility.restrictionsInUse();
  const alone = inUse.find((restriction) => connects(prepared, eligibility.mask(new Set([restriction]))));
  const without = new Set<Restriction>(alone === undefined ? [] : [alone]);
  if (alone === undefined) {
    for (const restriction of inUse) {
      without.add(restriction);
      if (connects(prepared, eligibility.mask(without))) break;
    }
  }
  const blamed = alone ?? [...without].at(-1) ?? 'exclude';
  const cut = blockingCut(prepared, eligibility.mask(without));
  const links = linkIds(prepared, cut);
  const { reason, constraint, what } = BLAME[blamed];
  const together = alone === undefined ? ` (together with: ${[...without].slice(0, -1).join(', ')})` : '';
  const { nodes: excludedNodes = [], sites = [] } = request.constraints.exclude ?? {};
  const isExcluded = (node: number) => {
    const site = snapshot.siteNames[snapshot.data.nodeSite[node] as number];
    const isEndpoint = node === prepared.problem.source || node === prepared.problem.destination;
    const isAtSite = !isEndpoint && site !== undefined && sites.includes(site);
    return isAtSite || excludedNodes.includes(snapshot.nodeIdOf(node));
  };
  const ends = new Set(
    cut.flatMap((arc) => [snapshot.data.arcFrom[arc] as number, snapshot.data.arcTo[arc] as number]),
  );
  const nodes = blamed === 'exclude' ? [...ends].filter(isExcluded).map((node) => snapshot.nodeIdOf(node)) : [];
  const widest = blamed === 'bandwidth' ? widestBottleneck(prepared, budget) : null;
  const room = widest === null ? '' : `; at most ${widest} bit/s would fit`;
  const pair = `${request.source} to ${request.destination}`;
  return refusal(snapshot, reason, `all ways from ${pair} cross links that ${what}: ${some(links)}${together}${room}`, {
    constraint: blamed === 'exclude' ? excludePointer(prepared, cut) : constraint,
    nearestFeasible: widest,
    blockingLinks: links,
    blockingNodes: nodes.sort(),
  });
}

/** A cut of arcs that are closed, but open in `open`: seen from the source or the destination, whichever is smaller. */
function blockingCut(prepared: PreparedRequest, open: Uint8Array): number[] {
  const { snapshot, problem } = prepared;
  const { arcFrom, arcTo } = snapshot.data;
  const reached = reachableFrom(snapshot, problem.mask, problem.source);
  const useful = reachesTo(snapshot, open, problem.destination);
  const fromSource = arcsWhere(
    open,
    (arc) =>
      open[arc] === 1 &&
      problem.mask[arc] === 0 &&
      reached[arcFrom[arc] as number] === 1 &&
      reached[arcTo[arc] as number] === 0 &&
      useful[arcTo[arc] as number] === 1,
  );
  const arrives = reachesTo(snapshot, problem.mask, problem.destination);
  const started = reachableFrom(snapshot, open, problem.source);
  const fromDestination = arcsWhere(
    open,
    (arc) =>
      open[arc] === 1 &&
      problem.mask[arc] === 0 &&
      arrives[arcTo[arc] as number] === 1 &&
      arrives[arcFrom[arc] as number] === 0 &&
      started[arcFrom[arc] as number] === 1,
  );
  return fromDestination.length < fromSource.length ? fromDestination : fromSource;
}

function excludePointer(prepared: PreparedRequest, cut: readonly number[]): string {
  const { snapshot, request } = prepared;
  const { links = [], nodes = [] } = request.constraints.exclude ?? {};
  const isByLinks = cut.every((arc) => links.includes(snapshot.linkIdOf(arc)));
  if (isByLinks) return '/constraints/exclude/links';
  const { arcFrom, arcTo } = snapshot.data;
  const isNamed = (arc: number) =>
    [arcFrom[arc], arcTo[arc]].some((node) => nodes.includes(snapshot.nodeIdOf(node as number)));
  return `/constraints/exclude/${cut.some(isNamed) ? 'nodes' : 'sites'}`;
}

/** The most bandwidth with which a path that keeps everything else exists; null when there is none. */
function widestBottleneck(prepared: PreparedRequest, budget: WorkBudget): number | null {
  const { problem, eligibility, unreservedBps, state } = prepared;
  const open = eligibility.mask(new Set<Restriction>(['bandwidth']));
  const values = fittingBandwidths(prepared);
  const fits = (value: number): boolean => {
    const mask = open.map((allowed, arc) => (allowed === 1 && (unreservedBps[arc] as number) >= value ? 1 : 0));
    // One of a host's links that is too narrow closes them all, as for the request itself.
    if (prepared.headendArcs.some((arc) => mask[arc] === 0)) return false;
    const demand = { bandwidthBps: value, unreservedBps, isSplit: prepared.headendArcs.length > 1 };
    return new LooplessPaths({ ...problem, mask, demand }, state.search, budget).next() !== null;
  };
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (fits(values[middle] as number)) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? null : (values[low - 1] as number);
}

function explainInclude(prepared: PreparedRequest, budget: WorkBudget): NoPath | null {
  const { snapshot, request, problem, state } = prepared;
  const entries = request.constraints.include ?? [];
  for (let count = 1; count <= entries.length; count++) {
    const upTo = { ...problem, include: problem.include.slice(0, count) };
    if (state.search.find(upTo, budget) !== null) continue;
    const entry = entries[count - 1] as (typeof entries)[number];
    const what = 'node' in entry ? `node ${entry.node}` : `link ${entry.link}`;
    const how = entry.hop === 'strict' ? 'directly after the entry before it' : 'in the order asked for';
    const message = `${what} cannot be passed between ${request.source} and ${request.destination} ${how}`;
    return refusal(snapshot, 'include-unreachable', message, {
      constraint: `/constraints/include/${count - 1}`,
      blockingLinks: 'link' in entry ? [entry.link] : [],
      blockingNodes: 'node' in entry ? [entry.node] : [],
    });
  }
  return null;
}

/** For the include list links have to be crossed more often than the demand fits there; null: not what is in the way. */
function explainCrossings(prepared: PreparedRequest, budget: WorkBudget): NoPath | null {
  const { snapshot, request, problem, state } = prepared;
  const { demand, ...once } = problem;
  if (demand === undefined) return null;
  const path = new LooplessPaths(once, state.search, budget).next();
  if (path === null) return null;
  const limits = crossingLimitsOfPath(problem, path.arcs);
  const narrow = limits.map(({ weight }) => weight.indexOf(1));
  const links = linkIds(prepared, narrow);
  const widest = widestBottleneck(prepared, budget);
  const room = widest === null ? '' : `; at most ${widest} bit/s would fit`;
  const pair = `${request.source} to ${request.destination}`;
  const message = `to pass what it includes, every path from ${pair} crosses links more often than they have the bandwidth for, as the best one does ${some(links)}${room}`;
  return refusal(snapshot, 'insufficient-bandwidth', message, {
    constraint: '/constraints/bandwidthBps',
    nearestFeasible: widest,
    blockingLinks: links,
  });
}

function arcsWhere(mask: Uint8Array, matches: (arc: number) => boolean): number[] {
  const arcs: number[] = [];
  for (let arc = 0; arc < mask.length; arc++) if (matches(arc)) arcs.push(arc);
  return arcs;
}

function linkIds(prepared: PreparedRequest, arcs: readonly number[]): string[] {
  return arcs.map((arc) => prepared.snapshot.linkIdOf(arc)).sort();
}

/** The first few ids, for a sentence. */
function some(ids: readonly string[]): string {
  const shown = ids.slice(0, 5).join(', ');
  return ids.length > 5 ? `${shown} and ${ids.length - 5} more` : shown;
}
