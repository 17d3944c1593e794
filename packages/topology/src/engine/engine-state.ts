import { AlgorithmReaches } from '../segments/algorithm-reaches.js';
import { cSidsOf, type CSids } from '../segments/c-sids.js';
import { SidChoice } from '../segments/sid-choice.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { TreeBuilder } from '../spf/distance-tree.js';
import { CorridorTrees } from './corridor.js';
import { LabelStore } from './label-store.js';
import { PricedSearch } from './priced-search.js';
import { ShortestPathSearch } from './shortest-path.js';

/**
 * Working memory that queries on one snapshot share, and values derived from it: the engine's only state. Queries run to
 * their end one after another, so nothing here is in use by two of them.
 */
export interface EngineState {
  readonly search: ShortestPathSearch;
  /** Of bounded searches. */
  readonly labels: LabelStore;
  readonly priced: PricedSearch;
  readonly corridor: CorridorTrees;
  /** Of distances to a destination. */
  readonly trees: TreeBuilder;
  readonly reaches: AlgorithmReaches;
  readonly cSids: CSids;
  readonly sids: SidChoice;
  /** Breaks ties of the optimised metric: IGP metric, then hops. A hop weighs 2^-20, less than any IGP difference. */
  readonly tie: Float64Array;
  readonly hop: Float64Array;
}

const HOP_IN_TIE = 2 ** -20;

const states = new WeakMap<Snapshot, EngineState>();

export function engineState(snapshot: Snapshot): EngineState {
  const known = states.get(snapshot);
  if (known !== undefined) return known;
  const predecessor = snapshot.predecessorIn(states);
  const before = predecessor && states.get(predecessor);
  // A what-if, and the past, are asked little and forgotten soon: they take nothing away.
  const isNext = predecessor !== undefined && predecessor.revision < snapshot.revision;
  const cSids = cSidsOf(snapshot);
  const state: EngineState = {
    search: new ShortestPathSearch(),
    labels: new LabelStore(),
    priced: new PricedSearch(snapshot.nodeCount),
    corridor: new CorridorTrees(snapshot.nodeCount),
    trees: new TreeBuilder(snapshot.nodeCount),
    reaches: new AlgorithmReaches(snapshot, isNext ? before?.reaches : undefined),
    cSids,
    sids: new SidChoice(snapshot, cSids, before?.sids),
    tie: snapshot.data.igpMetric.map((metric) => metric + HOP_IN_TIE),
    hop: new Float64Array(snapshot.arcCount).fill(1),
  };
  states.set(snapshot, state);
  return state;
}
