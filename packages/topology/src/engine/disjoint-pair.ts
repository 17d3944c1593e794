import type { ComputedPath, PathAnswer } from '../model/path-answer.js';
import type { Disjointness } from '../model/path-request.js';
import { explainNoPath } from './explain-no-path.js';
import { explainFailures } from './explain-failures.js';
import { finishPath, type FinishedPath } from './finish-path.js';
import { LooplessPaths } from './loopless-paths.js';
import { refusal, type PreparedRequest } from './prepare-request.js';
import { isWithinBounds } from './search-problem.js';
import { findDisjointPair, type PairSearch, type Shareable } from './suurballe.js';
import type { WorkBudget } from './work-budget.js';

/** First paths tried when the pair of the least sum cannot be used. */
const REPAIR_ATTEMPTS = 32;

interface FinishedPair {
  readonly paths: readonly [ComputedPath, ComputedPath];
  readonly loads: readonly [ReadonlySet<number>, ReadonlySet<number>];
  /** Sum of the optimised metric over both, each on its worst branch. */
  readonly total: number;
}

/**
 * A disjoint pair of the least sum of the optimised metric, measured between attachment routers. Exact without bounds
 * and include list; with them, or when the best pair cannot be encoded, first paths are tried in ascending order, each
 * with the best partner that is disjoint from it, and the answer is `feasible`. `lowerBound` is the sum over the pair.
 */
export function computeDisjointPair(prepared: PreparedRequest, kind: Disjointness, budget: WorkBudget): PathAnswer {
  const { snapshot, request, problem, state } = prepared;
  const failures: FinishedPath[] = [];
  const search = (shareable: Shareable) => findDisjointPair(problem, kind, shareable, state.search, budget);
  let shareable = endsOnly(prepared);
  let best: PairSearch = search(shareable);
  if (best.kind === 'cut' && snapshot.isHost(problem.destination)) {
    shareable = endsAndAttachments(prepared);
    best = search(shareable);
  }
  if (best.kind === 'no-path') return explainNoPath(prepared, budget);
  if (best.kind === 'cut') return explainCut(prepared, kind, best);

  const { paths, total } = best;
  const isPlain = problem.include.length === 0 && paths.every((path) => isWithinBounds(problem.bounds, path.arcs));
  const pair = isPlain ? finishPair(prepared, kind, shareable, paths[0].arcs, paths[1].arcs, failures) : null;
  const repaired = pair ?? repair(prepared, kind, shareable, budget, failures);
  if (repaired === null) {
    if (failures.length > 0) {
      const depths = failures.flatMap((failure) => (failure.kind === 'too-deep' ? [failure.srhEntries] : []));
      return explainFailures(prepared, failures, Math.min(...depths), budget);
    }
    const within = isPlain ? '' : ' within the bounds and include list';
    const message = `no ${kind}-disjoint pair from ${request.source} to ${request.destination} was found${within}`;
    return refusal(snapshot, 'disjoint-path-not-found', message, { constraint: '/disjoint' });
  }
  return {
    status: 'computed',
    revision: snapshot.revision,
    metric: request.metric,
    optimality: repaired.total <= total ? 'optimal' : 'feasible',
    lowerBound: total,
    paths: repaired.paths,
    shared: sharedBy(prepared, repaired),
  };
}

/** What a headend cannot choose: a host's own links, and the routers they lead to. */
function endsOnly(prepared: PreparedRequest): Shareable {
  const { snapshot, problem, headendArcs, deliveryArcs } = prepared;
  const entries = headendArcs.map((arc) => snapshot.data.arcTo[arc] as number);
  const nodes = new Set([problem.source, problem.destination, ...entries]);
  const exits = new Set(deliveryArcs.map((arc) => snapshot.data.arcFrom[arc] as number));
  return exits.size === 1 ? endsAndAttachments(prepared) : { nodes, arcs: new Set(headendArcs) };
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

function repair(
  prepared: PreparedRequest,
  kind: Disjointness,
  shareable: Shareable,
  budget: WorkBudget,
  failures: FinishedPath[],
): FinishedPair | null {
  const { problem, state } = prepared;
  const firsts = new LooplessPaths(problem, state.search, budget);
  let best: FinishedPair | null = null;
  for (let attempt = 0; attempt < REPAIR_ATTEMPTS && !budget.isSpent; attempt++) {
    const first = firsts.next();
    // Every partner still to come is at least as dear as its first path.
    if (first === null || (best !== null && 2 * first.cost >= best.total)) break;
    const mask = maskWithout(prepared, kind, shareable, first.arcs);
    const second = new LooplessPaths({ ...problem, mask }, state.search, budget).next();
    if (second === null) continue;
    const pair = finishPair(prepared, kind, shareable, first.arcs, second.arcs, failures);
    if (pair !== null && (best === null || pair.total < best.total)) best = pair;
  }
  return best;
}

function explainCut(
  prepared: PreparedRequest,
  kind: Disjointness,
  cut: Extract<PairSearch, { kind: 'cut' }>,
): PathAnswer {
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
