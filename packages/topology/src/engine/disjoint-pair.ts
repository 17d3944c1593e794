import type { ComputedPath, PathAnswer } from '../model/path-answer.js';
import type { Disjointness } from '../model/path-request.js';
import { explainNoPath } from './explain-no-path.js';
import { explainFailures } from './explain-failures.js';
import { answerWith, finishPath, type FinishedPath } from './finish-path.js';
import { LooplessPaths } from './loopless-paths.js';
import { refusal, type PreparedRequest } from './prepare-request.js';
import { isWithinBounds } from './search-problem.js';
import { findDisjointPair, type PairSearch, type Shareable } from './suurballe.js';
import type { WorkBudget } from './work-budget.js';

type Cut = Extract<PairSearch, { kind: 'cut' }>;

interface FinishedPair {
  readonly paths: readonly [ComputedPath, ComputedPath];
  readonly loads: readonly [ReadonlySet<number>, ReadonlySet<number>];
  /** Sum of the optimised metric over both, each on its worst branch. */
  readonly total: number;
}

/**
 * A disjoint pair of the least sum of the optimised metric, measured between attachment routers; a pair that shares the
 * destination's attachment router too only where there is no other. Where the best pair breaks bounds or the include
 * list, or cannot be encoded, first paths are taken in ascending order, each with the best partner that is disjoint from
 * it: exact when the budget suffices. `lowerBound` is the sum over the pair.
 */
export function computeDisjointPair(prepared: PreparedRequest, kind: Disjointness, budget: WorkBudget): PathAnswer {
  const { snapshot, request, problem, state } = prepared;
  const failures: FinishedPath[] = [];
  let cut: Cut | null = null;
  for (const shareable of shareables(prepared)) {
    const best = findDisjointPair(problem, kind, shareable, state.search, budget);
    if (best.kind === 'no-path') return explainNoPath(prepared, budget);
    cut = best.kind === 'cut' ? best : null;
    if (best.kind === 'cut') continue;
    const { paths, total } = best;
    const isPlain = problem.include.length === 0 && paths.every((path) => isWithinBounds(problem.bounds, path.arcs));
    const [one, two] = paths;
    const pair = isPlain ? finishPair(prepared, kind, shareable, one.arcs, two.arcs, failures) : null;
    if (pair !== null && pair.total <= total) return answerWithPair(prepared, pair, total);
    const repaired = repair(prepared, kind, shareable, budget, failures);
    const better = pair !== null && (repaired.pair === null || pair.total < repaired.pair.total) ? pair : repaired.pair;
    if (better === null) continue;
    return answerWithPair(prepared, better, Math.min(better.total, Math.max(total, repaired.lowerBound)));
  }
  if (cut !== null) return explainCut(prepared, kind, cut);
  if (failures.length > 0) {
    const depths = failures.flatMap((failure) => (failure.kind === 'too-deep' ? [failure.srhEntries] : []));
    return explainFailures(prepared, failures, Math.min(...depths), budget);
  }
  const pairOf = `${kind}-disjoint pair from ${request.source} to ${request.destination}`;
  const message = budget.isSpent
    ? `the work budget ended the search before it found a ${pairOf} within the bounds and include list`
    : `no ${pairOf} keeps the bounds and passes the include list`;
  return refusal(snapshot, 'disjoint-path-not-found', message, { constraint: '/disjoint' });
}

function answerWithPair(prepared: PreparedRequest, pair: FinishedPair, lowerBound: number): PathAnswer {
  const answer = answerWith(prepared, pair.paths, pair.total <= lowerBound, lowerBound);
  return { ...answer, shared: sharedBy(prepared, pair) };
}

/** What two paths may share, the least first. */
function shareables(prepared: PreparedRequest): Shareable[] {
  const { snapshot, problem } = prepared;
  const all = endsAndAttachments(prepared);
  return snapshot.isHost(problem.destination) ? [endsOnly(prepared), all] : [all];
}

/** What a headend cannot choose: a host's own links, and the routers they lead to. */
function endsOnly(prepared: PreparedRequest): Shareable {
  const { snapshot, problem, headendArcs, deliveryArcs } = prepared;
  const entries = headendArcs.map((arc) => snapshot.data.arcTo[arc] as number);
  const nodes = new Set([problem.source, problem.destination, ...entries]);
  const exits = new Set(deliveryArcs.map((arc) => snapshot.data.arcFrom[arc] as number));
  return exits.size <= 1 ? endsAndAttachments(prepared) : { nodes, arcs: new Set(headendArcs) };
}

function endsAndAttachments(prepared: PreparedRequest): Shareable {
  const { snapshot, problem, headendArcs, deliveryArcs } = prepared;
  const entries = headendArcs.map((arc) => snapshot.data.arcTo[arc] as number);
  const exits = deliveryArcs.map((arc) => snapshot.data.arcFrom[arc] as number);
  return {
    nodes: new Set([problem.source, problem.destination, ...entries, ...exits]),
    arcs: new Set([...headendArcs, ...deliveryArcs]),
  };
}

/** Encodes both paths so that no ECMP branch of one touches the other. */
function finishPair(
  prepared: PreparedRequest,
  kind: Disjointness,
  shareable: Shareable,
  first: readonly number[],
  second: readonly number[],
  failures: FinishedPath[],
): FinishedPair | null {
  const one = finishPath(prepared, first, maskWithout(prepared, kind, shareable, second));
  if (one.kind !== 'finished') {
    failures.push(one);
    return null;
  }
  const two = finishPath(prepared, second, maskWithout(prepared, kind, shareable, one.load));
  if (two.kind !== 'finished') {
    failures.push(two);
    return null;
  }
  return { paths: [one.path, two.path], loads: [one.load, two.load], total: one.worst + two.worst };
}

/** The request's mask without what a disjoint path must not touch. */
function maskWithout(
  prepared: PreparedRequest,
  kind: Disjointness,
  shareable: Shareable,
  used: Iterable<number>,
): Uint8Array {
  const { snapshot, problem } = prepared;
  const { arcTo } = snapshot.data;
  const mask = problem.mask.slice();
  for (const arc of used) {
    if (!shareable.arcs.has(arc)) {
      mask[arc] = 0;
      const reverse = snapshot.reverseOf(arc);
      if (reverse >= 0) mask[reverse] = 0;
    }
    const to = arcTo[arc] as number;
    if (kind === 'link' || shareable.nodes.has(to)) continue;
    for (const leaving of snapshot.linksOf(to)) mask[leaving] = 0;
    for (const entering of snapshot.linksInto(to)) mask[entering] = 0;
  }
  return mask;
}

interface Repaired {
  readonly pair: FinishedPair | null;
  /** No pair has a smaller sum. */
  readonly lowerBound: number;
}

function repair(
  prepared: PreparedRequest,
  kind: Disjointness,
  shareable: Shareable,
  budget: WorkBudget,
  failures: FinishedPath[],
): Repaired {
  const { problem, state } = prepared;
  const firsts = new LooplessPaths(problem, state.search, budget);
  let best: FinishedPair | null = null;
  // Of the pairs looked at: what the best would have cost, had they all been usable.
  let least = Infinity;
  for (;;) {
    const first = firsts.next();
    if (first === null) {
      return { pair: best, lowerBound: firsts.isExact ? least : Math.min(least, 2 * firsts.lowerBound) };
    }
    // Every partner still to come is at least as dear as its first path.
    if (best !== null && 2 * first.cost >= best.total) return { pair: best, lowerBound: least };
    if (budget.isSpent) return { pair: best, lowerBound: Math.min(least, 2 * first.cost) };
    const mask = maskWithout(prepared, kind, shareable, first.arcs);
    const partners = new LooplessPaths({ ...problem, mask }, state.search, budget);
    const second = partners.next();
    if (second === null) {
      if (!partners.isExact) least = Math.min(least, first.cost + partners.lowerBound);
      continue;
    }
    least = Math.min(least, first.cost + second.cost);
    const pair = finishPair(prepared, kind, shareable, first.arcs, second.arcs, failures);
    if (pair !== null && (best === null || pair.total < best.total)) best = pair;
  }
}

function explainCut(prepared: PreparedRequest, kind: Disjointness, cut: Cut): PathAnswer {
  const { snapshot, request } = prepared;
  const blockingLinks = cut.arcs.map((arc) => snapshot.linkIdOf(arc)).sort();
  const blockingNodes = cut.nodes.map((node) => snapshot.nodeIdOf(node)).sort();
  const what = [...blockingNodes.map((id) => `node ${id}`), ...blockingLinks.map((id) => `link ${id}`)].join(', ');
  const message = `no ${kind}-disjoint pair: every path from ${request.source} to ${request.destination} passes ${what}`;
  return refusal(snapshot, 'disjoint-path-not-found', message, {
    constraint: '/disjoint',
    blockingLinks,
    blockingNodes,
  });
}

/** What packets of both paths can cross, the endpoints aside. */
function sharedBy(prepared: PreparedRequest, pair: FinishedPair) {
  const { snapshot, problem } = prepared;
  const { arcTo } = snapshot.data;
  const [one, two] = pair.loads;
  const nodesOf = (load: ReadonlySet<number>) => new Set([...load].map((arc) => arcTo[arc] as number));
  const others = nodesOf(two);
  const nodes = [...nodesOf(one)].filter(
    (node) => others.has(node) && node !== problem.destination && node !== problem.source,
  );
  return {
    nodes: nodes.sort((a, b) => a - b).map((node) => snapshot.nodeIdOf(node)),
    links: [...one]
      .filter((arc) => two.has(arc))
      .map((arc) => snapshot.linkIdOf(arc))
      .sort(),
  };
}
