import type { EndpointBehavior, LinkId, NodeId, SidOrigin } from '../model/ted.js';
import { isAnycast } from './anycast-sids.js';
import { LocatorTable } from './locator-table.js';
import { ArcFlag, BEHAVIORS, NodeFlag, ORIGINS, type SnapshotData } from './snapshot-data.js';
import { unpackStrings } from './string-table.js';

/**
 * The frozen TED of one revision: typed arrays in `data`, and look-ups between ids and numbers. Nothing of it ever
 * changes; the look-ups are built on first use, because a worker often needs only some of them.
 */
export class Snapshot {
  readonly data: SnapshotData;
  #nodeIds: readonly NodeId[] | undefined;
  #linkIds: readonly LinkId[] | undefined;
  #sidTexts: readonly string[] | undefined;
  #affinityNames: readonly string[] | undefined;
  #siteNames: readonly string[] | undefined;
  #nodeIndex: ReadonlyMap<NodeId, number> | undefined;
  #arcIndex: ReadonlyMap<LinkId, number> | undefined;
  #sidIndex: ReadonlyMap<string, number> | undefined;
  #sharedSids: ReadonlyMap<string, readonly number[]> | undefined;
  #affinityIndex: ReadonlyMap<string, number> | undefined;
  #locators: LocatorTable | undefined;

  constructor(data: SnapshotData) {
    this.data = data;
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
    return (this.#nodeIds ??= unpackStrings(this.data.nodeIds, this.data.nodeCount));
  }

  get linkIds(): readonly LinkId[] {
    return (this.#linkIds ??= unpackStrings(this.data.linkIds, this.data.arcCount));
  }

  get sidTexts(): readonly string[] {
    return (this.#sidTexts ??= unpackStrings(this.data.sidTexts, this.data.sidCount));
  }

  get affinityNames(): readonly string[] {
    return (this.#affinityNames ??= unpackStrings(this.data.affinityNames, this.data.affinityCount));
  }

  /** Sorted; `data.nodeSite` points into them. */
  get siteNames(): readonly string[] {
    return (this.#siteNames ??= unpackStrings(this.data.siteNames, this.data.siteCount));
  }

  get locators(): LocatorTable {
    return (this.#locators ??= new LocatorTable(this.data));
  }

  /** -1 when there is no such node. */
  nodeIndexOf(id: NodeId): number {
    return (this.#nodeIndex ??= indexOf(this.nodeIds)).get(id) ?? -1;
  }

  /** -1 when there is no such link, or when one of its ends is not in the TED. */
  arcOf(linkId: LinkId): number {
    return (this.#arcIndex ??= indexOf(this.linkIds)).get(linkId) ?? -1;
  }

  /** The SID with this RFC 5952 text; -1 when nobody owns it. The first owner when several do. */
  sidOf(text: string): number {
    return (this.#sidIndex ??= indexOf(this.sidTexts)).get(text) ?? -1;
  }

  /** All SIDs with this text: of several nodes where it is anycast, or a mistake. */
  sidsWith(text: string): readonly number[] {
    const first = this.sidOf(text);
    return first < 0 ? [] : (this.#shared.get(text) ?? [first]);
  }

  /** Several nodes own this SID, and it is no anycast SID: where a packet ends up is not known. */
  isAmbiguousSid(text: string): boolean {
    const owners = this.#shared.get(text);
    return owners !== undefined && !isAnycast(this, text, owners);
  }

  /** Those that several nodes own. */
  get #shared(): ReadonlyMap<string, readonly number[]> {
    if (this.#sharedSids !== undefined) return this.#sharedSids;
    const shared = new Map<string, number[]>();
    this.sidTexts.forEach((text, sid) => {
      const first = this.sidOf(text);
      if (first === sid) return;
      const known = shared.get(text);
      if (known === undefined) shared.set(text, [first, sid]);
      else known.push(sid);
    });
    this.#sharedSids = shared;
    return shared;
  }

  /** Bit number of an affinity name; -1 when no link carries it. */
  affinityOf(name: string): number {
    return (this.#affinityIndex ??= indexOf(this.affinityNames)).get(name) ?? -1;
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

  isHost(node: number): boolean {
    return ((this.data.nodeFlags[node] as number) & NodeFlag.Host) !== 0;
  }

  isUsable(arc: number): boolean {
    return ((this.data.arcFlags[arc] as number) & ArcFlag.Usable) !== 0;
  }
}

function indexOf(values: readonly string[]): Map<string, number> {
  const index = new Map<string, number>();
  values.forEach((value, i) => {
    if (!index.has(value)) index.set(value, i);
  });
  return index;
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
