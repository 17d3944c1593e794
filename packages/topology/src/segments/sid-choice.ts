import type { Snapshot } from '../snapshot/snapshot.js';
import { adjacencySidOf, endSidOf, reachOf } from './owned-sids.js';

const UNASKED = -2;

/** Which SIDs name routers and cross links, remembered: a search over segments asks for the same ones again and again. */
export class SidChoice {
  readonly #snapshot: Snapshot;
  readonly #endSid: Int32Array;
  readonly #adjacencySid: Int32Array;
  /** 1: the whole IGP routes the adjacency SID. Set together with it. */
  readonly #isRouted: Uint8Array;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    this.#endSid = new Int32Array(snapshot.nodeCount).fill(UNASKED);
    this.#adjacencySid = new Int32Array(snapshot.arcCount).fill(UNASKED);
    this.#isRouted = new Uint8Array(snapshot.arcCount);
  }

  /** -1 when the router has none that the whole IGP routes. */
  endSid(node: number): number {
    const known = this.#endSid[node] as number;
    return known === UNASKED ? (this.#endSid[node] = endSidOf(this.#snapshot, node)) : known;
  }

  /** The SID that crosses an arc when used at the owner, or (not `isAtOwner`) from anywhere; -1 when there is none. */
  adjacencySid(arc: number, isAtOwner: boolean): number {
    if (this.#adjacencySid[arc] === UNASKED) {
      const sid = adjacencySidOf(this.#snapshot, arc);
      this.#adjacencySid[arc] = sid;
      this.#isRouted[arc] = sid >= 0 && reachOf(this.#snapshot, sid) === 'igp' ? 1 : 0;
    }
    return isAtOwner || this.#isRouted[arc] === 1 ? (this.#adjacencySid[arc] as number) : -1;
  }
}
