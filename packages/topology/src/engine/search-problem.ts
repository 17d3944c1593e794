import type { Snapshot } from '../snapshot/snapshot.js';

/** A bound compiled to the arc values it sums. */
export interface CompiledBound {
  readonly weight: Float64Array;
  readonly max: number;
  /** Of traffic that is split what counts is the mean over its branches, not the worst. */
  readonly isMean?: true;
}

/** What traffic takes of a link each time it crosses it. */
export interface Demand {
  readonly bandwidthBps: number;
  readonly unreservedBps: Float64Array;
  /** The headend splits it over several links. */
  readonly isSplit: boolean;
}

/** An include entry by number; -1 for the kind it is not. `isStrict`: directly after the entry before. */
export interface IncludeStep {
  readonly node: number;
  readonly arc: number;
  readonly isStrict: boolean;
}

/**
 * One search. With an include list of m entries the graph has m + 1 layers: state = layer * nodes + node, and a path is
 * in layer l once it has passed the first l entries. Passing early never hurts, because whatever follows a later pass
 * could follow the first one; so each arc leads to at most one layer.
 */
export interface SearchProblem {
  readonly snapshot: Snapshot;
  /** Value per arc of the optimised metric. */
  readonly weight: Float64Array;
  /** Breaks ties of `weight`: IGP metric first, because what the IGP does anyway needs no SID; then hops. */
  readonly tie: Float64Array;
  /** 1 where the request allows the arc. Arcs at hosts are set for the endpoints only. */
  readonly mask: Uint8Array;
  readonly source: number;
  readonly destination: number;
  readonly include: readonly IncludeStep[];
  readonly bounds: readonly CompiledBound[];
  /** Has to fit as often as a link is crossed; the mask says where it fits once. */
  readonly demand?: Demand;
}

export interface FoundPath {
  /** Source to destination. */
  readonly arcs: readonly number[];
  readonly cost: number;
}

/** The layer of a path that has missed a strict entry for good: it can never be completed. */
export const MISSED = -1;

/** Layer after visiting a node. */
export function layerAtNode(include: readonly IncludeStep[], layer: number, node: number): number {
  let next = layer;
  while (next < include.length && (include[next] as IncludeStep).node === node) next++;
  return next;
}

/**
 * Layer after crossing an arc and visiting the node it leads to. A path that leaves a strict entry aside falls back to the
 * loose one that it follows, to pass that again; MISSED when there is none.
 */
export function layerAfterArc(include: readonly IncludeStep[], layer: number, arc: number, to: number): number {
  if (layer === include.length || layer === MISSED) return layer;
  const entry = include[layer] as IncludeStep;
  if (entry.arc === arc) return layerAtNode(include, layer + 1, to);
  if (!entry.isStrict || entry.node === to) return layerAtNode(include, layer, to);
  let loose = layer;
  while (loose >= 0 && (include[loose] as IncludeStep).isStrict) loose--;
  return loose < 0 ? MISSED : layerAfterArc(include, loose, arc, to);
}

/**
 * The layer in which branches that meet at a node go on together: the lower one, because what passes its entries later
 * passes them for the others once more. Not so where both must pass different strict entries next: MISSED.
 */
export function commonLayer(include: readonly IncludeStep[], a: number, b: number): number {
  const lower = Math.min(a, b);
  const isStuck = (layer: number) => include[layer]?.isStrict === true;
  return a !== b && isStuck(a) && isStuck(b) ? MISSED : lower;
}

export function startState(problem: SearchProblem): number {
  return layerAtNode(problem.include, 0, problem.source) * problem.snapshot.nodeCount + problem.source;
}

/** States along a path, one more than its arcs. */
export function statesAlong(problem: SearchProblem, arcs: readonly number[]): number[] {
  const { nodeCount, data } = problem.snapshot;
  const states = [startState(problem)];
  for (const arc of arcs) {
    const layer = Math.floor((states.at(-1) as number) / nodeCount);
    const to = data.arcTo[arc] as number;
    states.push(layerAfterArc(problem.include, layer, arc, to) * nodeCount + to);
  }
  return states;
}

export function sumOver(weight: Float64Array, arcs: readonly number[]): number {
  let sum = 0;
  for (const arc of arcs) sum += weight[arc] as number;
  return sum;
}

/** Does the path keep every bound? */
export function isWithinBounds(bounds: readonly CompiledBound[], arcs: readonly number[]): boolean {
  return bounds.every((bound) => sumOver(bound.weight, arcs) <= bound.max);
}
