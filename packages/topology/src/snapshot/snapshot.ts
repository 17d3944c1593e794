import type { EndpointBehavior, LinkId, NodeId, SidOrigin } from '../model/ted.js';
import { isAnycast } from './anycast-sids.js';
import { locatorTable, type LocatorTable } from './locator-table.js';
import { packedNames, type PackedNames } from './packed-names.js';
import { ArcFlag, BEHAVIORS, NodeFlag, ORIGINS, type SnapshotData } from './snapshot-data.js';

/**
 * The frozen TED of one revision: typed arrays in `data`, and look-ups between ids and numbers. Nothing of it ever
 * changes; the look-ups are built on first use, because a worker often needs only some of them.
 */
export class Snapshot {
  readonly data: SnapshotData;
  readonly #nodes: PackedNames;
  readonly #links: PackedNames;
  readonly #sids: PackedNames;
  readonly #affinities: PackedNames;

  readonly #predecessor: WeakRef<Snapshot> | undefined;

  /** `predecessor`: a snapshot of the same nodes, links, locators and SIDs, in the same packed lists. */
  constructor(data: SnapshotData, predecessor?: Snapshot) {
    this.data = data;
    this.#predecessor = predecessor && new WeakRef(predecessor);
    this.#nodes = packedNames(data.nodeIds, data.nodeCount);
    this.#links = packedNames(data.linkIds, data.arcCount);
    this.#sids = packedNames(data.sidTexts, data.sidCount);
    this.#affinities = packedNames(data.affinityNames, data.affinityCount);
  }

  /**
   * The nearest snapshot before this one that has something to be carried over, which need only be repaired: they differ in
   * values only. undefined where there is none, or nobody else uses it any more: revisions do not keep each other in memory.
   */
  predecessorIn(known: { has(snapshot: Snapshot): boolean }): Snapshot | undefined {
    let before = this.#predecessor?.deref();
    while (before !== undefined && !known.has(before)) before = before.#predecessor?.deref();
    return before;
  }

  get revision(): number {
    return this.data.revision;
  }

  get nodeCount(): number {
    return this.data.nodeCount;
  }

  /** Directed links. */
  get arcCount(): number {
    return this.data.arcCount;
  }

  get nodeIds(): readonly NodeId[] {
    return this.#nodes.values;
  }

  get linkIds(): readonly LinkId[] {
    return this.#links.values;
  }

  get sidTexts(): readonly string[] {
    return this.#sids.values;
  }

  get affinityNames(): readonly string[] {
    return this.#affinities.values;
  }

  /** Sorted; `data.nodeSite` points into them. */
  get siteNames(): readonly string[] {
    return packedNames(this.data.siteNames, this.data.siteCount).values;
  }

  get locators(): LocatorTable {
    return locatorTable(this.data);
  }

  /** -1 when there is no such node. */
  nodeIndexOf(id: NodeId): number {
    return this.#nodes.indexOf(id);
  }

  /** -1 when there is no such link, or when one of its ends is not in the TED. */
  arcOf(linkId: LinkId): number {
    return this.#links.indexOf(linkId);
  }

  /** The SID with this RFC 5952 text; -1 when nobody owns it. The first owner when several do. */
  sidOf(text: string): number {
    return this.#sids.indexOf(text);
  }

  /** All SIDs with this text: of several nodes where it is anycast, or a mistake. */
  sidsWith(text: string): readonly number[] {
    const first = this.sidOf(text);
    return first < 0 ? [] : (this.#sids.placesOfRepeated(text) ?? [first]);
  }

  /** Several nodes own this SID, and it is no anycast SID: where a packet ends up is not known. */
  isAmbiguousSid(text: string): boolean {
    const owners = this.#sids.placesOfRepeated(text);
    return owners !== undefined && !isAnycast(this, text, owners);
  }

  /** Bit number of an affinity name; -1 when no link carries it. */
  affinityOf(name: string): number {
    return this.#affinities.indexOf(name);
  }

  /** Throws RangeError for a number that is not a node. */
  nodeIdOf(node: number): NodeId {
    return at(this.nodeIds, node);
  }

  /** Throws RangeError for a number that is not an arc. */
  linkIdOf(arc: number): LinkId {
    return at(this.linkIds, arc);
  }

  sidTextOf(sid: number): string {
    return at(this.sidTexts, sid);
  }

  sidBehaviorOf(sid: number): EndpointBehavior {
    return at(BEHAVIORS, this.data.sidBehavior[sid] ?? -1);
  }

  sidOriginOf(sid: number): SidOrigin {
    return at(ORIGINS, this.data.sidOrigin[sid] ?? -1);
  }

  /** Numbers of the SIDs a node owns. */
  sidsOf(node: number): number[] {
    return range(this.data.sidStart, node);
  }

  /** Arcs that leave a node, in the order of their link ids. */
  linksOf(node: number): number[] {
    return range(this.data.outStart, node);
  }

  /** Arcs that enter a node. */
  linksInto(node: number): readonly number[] {
    const { inStart, inArcs } = this.data;
    return Array.from(inArcs.subarray(inStart[node], inStart[node + 1]));
  }

  /** The opposite arc of the same link; -1 when the TED has none. */
  reverseOf(arc: number): number {
    return this.data.arcReverse[arc] as number;
  }

  /** The operational state. */
  isUp(node: number): boolean {
    return ((this.data.nodeFlags[node] as number) & NodeFlag.Up) !== 0;
  }

  isHost(node: number): boolean {
    return ((this.data.nodeFlags[node] as number) & NodeFlag.Host) !== 0;
  }

  isUsable(arc: number): boolean {
    return ((this.data.arcFlags[arc] as number) & ArcFlag.Usable) !== 0;
  }
}

function range(start: Uint32Array, row: number): number[] {
  const first = start[row] ?? 0;
  const end = start[row + 1] ?? first;
  return Array.from({ length: end - first }, (_, i) => first + i);
}

function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new RangeError(`there is no entry ${index}`);
  return value;
}
