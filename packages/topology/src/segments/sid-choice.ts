import type { Snapshot } from '../snapshot/snapshot.js';
import { entryLimitsOf } from './entry-limits.js';
import type { CSids } from './c-sids.js';
import { adjacencySidsOf, endSidsOf, reachOf } from './owned-sids.js';

/**
 * Which SIDs name routers and cross links, remembered: a search over segments asks for the same ones again and again.
 * Several only where they differ in how they pack, or in whether they remove the SRH and that matters to some node.
 */
export class SidChoice {
  readonly #snapshot: Snapshot;
  readonly #cSids: CSids;
  readonly #endSids: (readonly number[] | undefined)[];
  /** All of them, and those that the whole IGP routes. */
  readonly #adjacencySids: (readonly [readonly number[], readonly number[]] | undefined)[];

  constructor(snapshot: Snapshot, cSids: CSids) {
    this.#snapshot = snapshot;
    this.#cSids = cSids;
    this.#endSids = new Array<undefined>(snapshot.nodeCount).fill(undefined);
    this.#adjacencySids = new Array<undefined>(snapshot.arcCount).fill(undefined);
  }

  /** Empty when the router has none that the whole IGP routes. */
  endSids(node: number): readonly number[] {
    return (this.#endSids[node] ??= this.#distinct(endSidsOf(this.#snapshot, node)));
  }

  /** The SIDs that cross an arc when used at the owner, or (not `isAtOwner`) from anywhere. */
  adjacencySids(arc: number, isAtOwner: boolean): readonly number[] {
    const [all, routed] = (this.#adjacencySids[arc] ??= this.#adjacencySidsOf(arc));
    return isAtOwner ? all : routed;
  }

  #adjacencySidsOf(arc: number): readonly [readonly number[], readonly number[]] {
    const own = adjacencySidsOf(this.#snapshot, arc);
    const all = this.#distinct(own);
    const isRouted = (sid: number) => reachOf(this.#snapshot, sid) === 'igp';
    return [all, this.#cSids.isInUse ? this.#distinct(own.filter(isRouted)) : all.filter(isRouted)];
  }

  /** The first of those that pack alike. Without C-SIDs all do: into an entry each. */
  #distinct(sids: readonly number[]): readonly number[] {
    const cSids = this.#cSids;
    const limits = entryLimitsOf(this.#snapshot);
    const kinds = new Set<string>();
    return sids.filter((sid) => {
      const pops = limits.isInUse && limits.has(sid, 'PSP');
      const kind = `${cSids.blockOf(sid)} ${cSids.bitsOf(sid)} ${cSids.continues(sid)} ${pops}`;
      return kinds.size !== kinds.add(kind).size;
    });
  }
}
