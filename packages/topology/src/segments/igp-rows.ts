import { ArcFlag } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { adjacenciesOf } from '../spf/adjacency.js';
import { TreeBuilder } from '../spf/distance-tree.js';
import { flexMetric } from './flex-links.js';

/** Rows kept per snapshot, in bytes; the least recently used go first. 4,000 nodes have all of theirs. */
const CACHE_BYTES = 128 * 1024 * 1024;

/** What one algorithm of the IGP adds up, and over which arcs. */
export interface AlgorithmLinks {
  readonly metric: Float64Array;
  /** By arc, 1: packets between routers may take it, and into a host those for the host. */
  readonly carries: Uint8Array;
  /** A link between routers has the metric zero: over it "as near" does not mean "on the way". */
  readonly hasZero: boolean;
}

/**
 * Distances by the algorithms of the IGP from routers to all nodes, each row computed once and kept: whoever asks for paths from
 * every source asks for the same rows again and again. Hosts are reached over their links like stub networks.
 */
export class IgpRows {
  readonly #snapshot: Snapshot;
  readonly #trees: TreeBuilder;
  readonly #capacity: number;
  readonly #rows = new Map<number, Float64Array>();
  readonly #links = new Map<number, AlgorithmLinks>();

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    this.#trees = new TreeBuilder(snapshot.nodeCount);
    this.#capacity = Math.max(16, Math.floor(CACHE_BYTES / (8 * Math.max(1, snapshot.nodeCount))));
  }

  linksOf(algorithm: number): AlgorithmLinks {
    const known = this.#links.get(algorithm);
    if (known !== undefined) return known;
    const links = linksOf(this.#snapshot, algorithm);
    this.#links.set(algorithm, links);
    return links;
  }

  /** Infinity where there is no route. */
  from(router: number, algorithm: number): Float64Array {
    const key = algorithm * this.#snapshot.nodeCount + router;
    const known = this.#rows.get(key);
    if (known !== undefined && this.#rows.size < this.#capacity) return known;
    const row = known ?? this.#compute(router, algorithm);
    this.#rows.delete(key);
    this.#rows.set(key, row);
    const oldest = this.#rows.keys().next();
    if (this.#rows.size > this.#capacity && oldest.done !== true) this.#rows.delete(oldest.value);
    return row;
  }

  #compute(router: number, algorithm: number): Float64Array {
    const { metric, carries } = this.linksOf(algorithm);
    const graph = { adjacencies: adjacenciesOf(this.#snapshot.data), length: metric, mask: carries };
    return this.#trees.grow(graph, router, 'from').distance;
  }
}

function linksOf(snapshot: Snapshot, algorithm: number): AlgorithmLinks {
  const { arcFlags, arcFrom, arcTo, igpMetric } = snapshot.data;
  const metric = algorithm === 0 ? igpMetric : flexMetric(snapshot, algorithm);
  const carries = new Uint8Array(snapshot.arcCount);
  let hasZero = false;
  for (let arc = 0; arc < carries.length; arc++) {
    const flags = arcFlags[arc] as number;
    const isBetweenRouters = (flags & ArcFlag.Igp) !== 0;
    const isIntoHost =
      (flags & ArcFlag.Usable) !== 0 &&
      snapshot.isHost(arcTo[arc] as number) &&
      !snapshot.isHost(arcFrom[arc] as number);
    if (Number.isNaN(metric[arc]) || !(isBetweenRouters || isIntoHost)) continue;
    carries[arc] = 1;
    hasZero ||= isBetweenRouters && metric[arc] === 0;
  }
  return { metric, carries, hasZero };
}

/** Of the snapshots in use; they hold nothing that the snapshot does not determine. */
const known = new WeakMap<Snapshot, IgpRows>();

export function igpRowsOf(snapshot: Snapshot): IgpRows {
  const found = known.get(snapshot) ?? new IgpRows(snapshot);
  known.set(snapshot, found);
  return found;
}
