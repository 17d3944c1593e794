import type { Snapshot } from '../snapshot/snapshot.js';

/** A bound compiled to the arc values it sums. */
export interface CompiledBound {
  readonly weight: Float64Array;
  readonly max: number;
}

/** An include entry by number; -1 for the kind it is not. */
export interface IncludeStep {
  readonly node: number;
  readonly arc: number;
}

/**
 * One search. With an include list of m entries the graph has m + 1 layers: state = layer * nodes + node, and a path is
 * in layer l once it has passed the first l entries. Passing early never hurts, so each arc leads to exactly one layer.
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
}

export interface FoundPath {
  /** Source to destination. */
  readonly arcs: readonly number[];
  readonly cost: number;
}

/** Layer after visiting a node. */
export function layerAtNode(include: readonly IncludeStep[], layer: number, node: number): number {
  let next = layer;
  while (next < include.length && (include[next] as IncludeStep).node === node) next++;
  return next;
}

/** Layer after crossing an arc and visiting the node it leads to. */
export function layerAfterArc(include: readonly IncludeStep[], layer: number, arc: number, to: number): number {
  if (layer === include.length) return layer;
  return layerAtNode(include, (include[layer] as IncludeStep).arc === arc ? layer + 1 : layer, to);
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
