import type { CSids } from '../../segments/c-sids.js';
import { EMPTY_LIST, isNoLarger, sizeWith, type ListSize } from '../../segments/containers.js';
import { hostLinks } from '../../segments/host-links.js';
import type { IgpRows } from '../../segments/igp-rows.js';
import type { SidChoice } from '../../segments/sid-choice.js';
import { SourceSegments } from '../../segments/source-segments.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import type { Ending } from './endings.js';

export interface SharedListTask {
  readonly snapshot: Snapshot;
  readonly rows: IgpRows;
  readonly sids: SidChoice;
  readonly cSids: CSids;
  /** Where packets are before the first SID: the source, or the one router that a host sends to. */
  readonly start: number;
  /** By arc, 1: it is on a best path from the source. Whatever is done over these arcs alone is as good as can be. */
  readonly best: Uint8Array;
  /** Of the optimised metric, by arc. */
  readonly weight: Float64Array;
  /** No segment may have more than one branch. */
  readonly singlePath: boolean;
  readonly maxEntries: number;
  /** By node; null: it is no destination. */
  readonly endings: readonly (Ending | null)[];
  /** How many of them are within reach: once all have their list, nothing more is sought. */
  readonly destinations: number;
  /** Called between lists; it may throw. */
  readonly checkpoint: () => void;
}

/** A list of the fewest entries. */
export interface SharedList {
  /** The SIDs in front of the final ones. */
  readonly transport: readonly number[];
  readonly entries: number;
}

/**
 * For every destination the list of the fewest entries that keeps packets on best paths from the source. Lists begun are shared: one
 * that gets packets to a node with no more entries than any other serves all that lies behind it. As over all arcs that are
 * allowed the cost to a node is the same whichever way is taken, nothing but the size of a list has to be compared.
 */
export class SharedLists {
  readonly #task: SharedListTask;
  readonly #segments: SourceSegments;
  /** Lists begun: packets are all at the node. In parallel arrays by number; -1 is none. */
  readonly #node: number[] = [];
  readonly #sid: number[] = [];
  readonly #parent: number[] = [];
  readonly #size: ListSize[] = [];
  /** The next list begun that is kept at the same node. */
  readonly #next: number[] = [];
  readonly #isDominated: boolean[] = [];
  readonly #firstAt: Int32Array;
  /** Those to go on from, by entries and then bits of the last one. */
  readonly #open: number[][] = [];
  /** By destination: the size of its list, and the list begun that it ends. */
  readonly #finished: (ListSize | undefined)[];
  readonly #finishedBy: Int32Array;
  #found = 0;

  constructor(task: SharedListTask) {
    const { snapshot, rows, best, singlePath, weight } = task;
    this.#task = task;
    this.#segments = new SourceSegments(snapshot, rows, best, singlePath, weight);
    this.#firstAt = new Int32Array(snapshot.nodeCount).fill(-1);
    this.#finished = new Array<undefined>(snapshot.nodeCount).fill(undefined);
    this.#finishedBy = new Int32Array(snapshot.nodeCount).fill(-1);
  }

  run(): void {
    this.#keep(this.#task.start, -1, -1, EMPTY_LIST);
    let level = 0;
    for (let key = 0; key < this.#open.length; key++) {
      const lists = this.#open[key];
      if (lists === undefined) continue;
      const entries = Math.floor(key / BITS);
      if (entries > level) {
        level = entries;
        if (this.#isComplete(entries)) return;
      }
      for (const list of lists) if (this.#isDominated[list] !== true) this.#expand(list);
      this.#open[key] = [];
    }
  }

  /** null: no list within the limits keeps packets on best paths. */
  to(destination: number): SharedList | null {
    const size = this.#finished[destination];
    if (size === undefined) return null;
    const transport: number[] = [];
    for (let list = this.#finishedBy[destination] as number; list >= 0; list = this.#parent[list] as number) {
      if ((this.#sid[list] as number) >= 0) transport.push(this.#sid[list] as number);
    }
    return { transport: transport.reverse(), entries: size.entries };
  }

  /** Can no list that has so many entries already be shorter than the one that its destination has? */
  #isComplete(entries: number): boolean {
    if (this.#found < this.#task.destinations) return false;
    const least = this.#task.cSids.isInUse ? entries : entries + 1;
    return this.#finished.every((size) => size === undefined || size.entries <= least);
  }

  #expand(list: number): void {
    const { snapshot, sids } = this.#task;
    const node = this.#node[list] as number;
    this.#task.checkpoint();
    this.#finish(list, node);
    if (snapshot.isHost(node)) return;
    this.#attach(list, node);
    const canGrow = this.#canGrow(list);
    for (const algorithm of sids.algorithms) {
      const count = this.#segments.from(node, algorithm);
      for (let i = 1; i < count; i++) this.#useEndSids(list, this.#segments.nodes[i] as number, algorithm, canGrow);
      // Where packets are already they need no route: once for all algorithms.
      for (let i = algorithm === 0 ? 0 : 1; canGrow && i < count; i++) {
        this.#useAdjacencySids(list, this.#segments.nodes[i] as number, algorithm, i === 0);
      }
    }
  }

  #useEndSids(list: number, to: number, algorithm: number, canGrow: boolean): void {
    const { snapshot, sids } = this.#task;
    this.#deliver(list, to, algorithm);
    if (!canGrow || snapshot.isHost(to)) return;
    for (const sid of sids.endSids(to, algorithm)) this.#offer(list, to, sid);
  }

  #useAdjacencySids(list: number, via: number, algorithm: number, isHere: boolean): void {
    const { snapshot, sids, best } = this.#task;
    const { arcTo, outStart } = snapshot.data;
    if (snapshot.isHost(via)) return;
    const end = outStart[via + 1] as number;
    for (let arc = outStart[via] as number; arc < end; arc++) {
      if (best[arc] === 0) continue;
      const own = isHere ? sids.adjacencySidsAtOwner(arc) : sids.adjacencySids(arc, algorithm);
      for (const sid of own) this.#offer(list, arcTo[arc] as number, sid);
    }
  }

  #deliver(list: number, destination: number, algorithm: number): void {
    const route = this.#task.endings[destination]?.route;
    if (route?.kind === 'igp' && route.algorithm === algorithm) this.#finish(list, destination);
  }

  /** Hosts to which the router that packets are at delivers over its own links. */
  #attach(list: number, router: number): void {
    const { snapshot, endings, best, singlePath } = this.#task;
    const { arcTo, outStart } = snapshot.data;
    const end = outStart[router + 1] as number;
    for (let arc = outStart[router] as number; arc < end; arc++) {
      const host = arcTo[arc] as number;
      const route = endings[host]?.route;
      if (best[arc] === 0 || route?.kind !== 'attachment') continue;
      const links = hostLinks(snapshot, router, host, route.others);
      const isOpen = links.length > 0 && links.every((link) => best[link] === 1) && !(singlePath && links.length > 1);
      if (isOpen) this.#finish(list, host);
    }
  }

  /** Ends a list at a destination to which its packets get with the final SIDs. */
  #finish(list: number, destination: number): void {
    const { cSids, endings, maxEntries } = this.#task;
    const ending = endings[destination];
    if (ending === null || ending === undefined) return;
    const sizes = ending.finalSids.map((sid) => sizeWith(cSids, this.#size[list] as ListSize, sid));
    const size = sizes.reduce((a, b) => (isShorter(a, b) ? b : a));
    const known = this.#finished[destination];
    if (size.entries > maxEntries || (known !== undefined && !isShorter(size, known))) return;
    if (known === undefined) this.#found++;
    this.#finished[destination] = size;
    this.#finishedBy[destination] = list;
  }

  /** May a list have one SID more in front of the final one? */
  #canGrow(list: number): boolean {
    const { cSids, maxEntries } = this.#task;
    return (this.#size[list] as ListSize).entries + (cSids.isInUse ? 0 : 2) <= maxEntries;
  }

  #offer(parent: number, node: number, sid: number): void {
    const { cSids } = this.#task;
    const before = this.#size[parent] as ListSize;
    const first = this.#firstAt[node] as number;
    if (!cSids.isInUse && first >= 0 && (this.#size[first] as ListSize).entries <= before.entries + 1) return;
    this.#keep(node, sid, parent, sizeWith(cSids, before, sid));
  }

  #keep(node: number, sid: number, parent: number, size: ListSize): void {
    if (size.entries > this.#task.maxEntries) return;
    for (let other = this.#firstAt[node] as number; other >= 0; other = this.#next[other] as number) {
      if (this.#isDominated[other] === true) continue;
      if (isNoLarger(this.#size[other] as ListSize, size)) return;
      if (isNoLarger(size, this.#size[other] as ListSize)) this.#isDominated[other] = true;
    }
    const list = this.#node.push(node) - 1;
    this.#sid.push(sid);
    this.#parent.push(parent);
    this.#size.push(size);
    this.#next.push(this.#firstAt[node] as number);
    this.#isDominated.push(false);
    this.#firstAt[node] = list;
    const key = size.entries * BITS + size.used;
    const open = this.#open[key];
    if (open === undefined) this.#open[key] = [list];
    else open.push(list);
  }
}

/** More than there are in one entry. */
const BITS = 256;

function isShorter(a: ListSize, b: ListSize): boolean {
  return a.entries !== b.entries ? a.entries < b.entries : a.used < b.used;
}
