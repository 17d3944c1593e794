import type { Snapshot } from '../snapshot/snapshot.js';
import { adjacenciesOf, type Adjacency } from '../spf/adjacency.js';
import type { IgpRows } from './igp-rows.js';

/** More than there are arcs: a node with so many ways into it is never reached. */
const NEVER = 0x7fffffff;

/**
 * To which nodes one segment takes packets over nothing but allowed arcs, whatever ECMP branch they are on. Where no link between
 * routers has the metric zero, these are the nodes all of whose shortest arcs are allowed and come from such nodes.
 */
export class SourceSegments {
  readonly #snapshot: Snapshot;
  readonly #rows: IgpRows;
  readonly #incoming: Adjacency;
  readonly #allowed: Uint8Array;
  readonly #singlePath: boolean;
  readonly #reached: Uint32Array;
  /** Shortest arcs into a node that packets have not come over yet, valid where `#touched` says so. */
  readonly #missing: Int32Array;
  readonly #touched: Uint32Array;
  #query = 0;
  #count = 0;

  constructor(snapshot: Snapshot, rows: IgpRows, allowed: Uint8Array, singlePath: boolean) {
    this.#snapshot = snapshot;
    this.#rows = rows;
    this.#incoming = adjacenciesOf(snapshot.data).incoming;
    this.#allowed = allowed;
    this.#singlePath = singlePath;
    this.#reached = new Uint32Array(snapshot.nodeCount);
    this.#missing = new Int32Array(snapshot.nodeCount);
    this.#touched = new Uint32Array(snapshot.nodeCount);
  }

  /** The nodes that `from` found; entries up to what it returned. Valid until the next call. */
  get nodes(): Uint32Array {
    return this.#reached;
  }

  /** How many nodes a router reaches by an algorithm, itself first, each after those on the way to it. */
  from(router: number, algorithm: number): number {
    const { arcTo, outStart } = this.#snapshot.data;
    const { metric, carries } = this.#rows.linksOf(algorithm);
    const row = this.#rows.from(router, algorithm);
    const query = ++this.#query;
    const allowed = this.#allowed;
    const reached = this.#reached;
    const missing = this.#missing;
    const touched = this.#touched;
    reached[0] = router;
    this.#count = 1;
    for (let i = 0; i < this.#count; i++) {
      const node = reached[i] as number;
      const here = row[node] as number;
      const end = outStart[node + 1] as number;
      for (let arc = outStart[node] as number; arc < end; arc++) {
        if (allowed[arc] === 0 || carries[arc] === 0) continue;
        const to = arcTo[arc] as number;
        if (here + (metric[arc] as number) !== row[to]) continue;
        if (touched[to] !== query) {
          touched[to] = query;
          missing[to] = this.#shortestInto(to, row, metric, carries);
        }
        const left = (missing[to] as number) - 1;
        missing[to] = left;
        if (left === 0) reached[this.#count++] = to;
      }
    }
    return this.#count;
  }

  #shortestInto(node: number, row: Float64Array, metric: Float64Array, carries: Uint8Array): number {
    const { start, arcs, ends } = this.#incoming;
    const here = row[node] as number;
    let count = 0;
    const end = start[node + 1] as number;
    for (let i = start[node] as number; i < end; i++) {
      const arc = arcs[i] as number;
      if (carries[arc] === 1 && (row[ends[i] as number] as number) + (metric[arc] as number) === here) count++;
    }
    return this.#singlePath && count > 1 ? NEVER : count;
  }
}
