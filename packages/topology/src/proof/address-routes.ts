import { BEHAVIORS } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { destinationsOf, type Destination } from './destination.js';
import { forwardingOf, type Forwarding } from './forwarding.js';
import { objectionTo } from './walk.js';

/** Next hops kept per snapshot, in bytes; the oldest go first. */
const CACHE_BYTES = 64 * 1024 * 1024;
/** Addresses kept per snapshot; then all are forgotten. */
const MOST_ADDRESSES = 100_000;

/** A destination address that one node alone owns and processes. */
export interface OwnedAddress {
  readonly owner: number;
  readonly behavior: (typeof BEHAVIORS)[number];
  /** Of an End.X SID; -1 for none. */
  readonly arc: number;
  /** What the owner makes of it when C-SIDs are left; null at the end of the entry. */
  readonly next: OwnedAddress | null;
  readonly destination: Destination;
  /** Addresses of the same number have the same routes. */
  readonly routes: number;
}

/** Several next hops, or none: as negative as no arc is. */
const UNASKED = -1;
const NONE = -2;
const SEVERAL = -3;

/**
 * Where routers send packets for the addresses that lists consist of, remembered: each node is asked once per destination, in the
 * same words as for a single proof.
 */
export class AddressRoutes {
  readonly #snapshot: Snapshot;
  readonly #forwarding: Forwarding;
  readonly #addresses = new Map<string, OwnedAddress | null>();
  readonly #routeNumbers = new Map<string, number>();
  readonly #tables = new Map<number, NextHops>();
  readonly #capacity: number;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    this.#forwarding = forwardingOf(snapshot);
    this.#capacity = Math.max(16, Math.floor(CACHE_BYTES / (4 * Math.max(1, snapshot.nodeCount))));
  }

  /** An entry as it is pushed; null where it is not clear at sight who processes it and how. */
  ofEntry(text: string): OwnedAddress | null {
    const known = this.#addresses.get(text);
    if (known !== undefined) return known;
    const read = this.#own(destinationsOf(this.#snapshot).ofEntry(text, 0));
    if (this.#addresses.size >= MOST_ADDRESSES) this.#addresses.clear();
    this.#addresses.set(text, read);
    return read;
  }

  /** The arcs over which a node that does not own the address sends packets for it; none where it drops them. */
  from(node: number, address: OwnedAddress): readonly number[] | number {
    const known = this.#tables.get(address.routes);
    const table = known ?? this.#addTable(address.routes);
    const arc = table.sole[node] as number;
    if (arc >= 0) return arc;
    if (arc === SEVERAL) return table.several.get(node) ?? [];
    return arc === NONE ? [] : this.#ask(node, address, table);
  }

  #ask(node: number, { destination }: OwnedAddress, table: NextHops): readonly number[] | number {
    const decision = this.#forwarding.decide(node, destination);
    const arcs = decision.kind === 'forward' ? decision.arcs : [];
    const [first] = arcs;
    table.sole[node] = first === undefined ? NONE : arcs.length === 1 ? first : SEVERAL;
    if (arcs.length > 1) table.several.set(node, arcs);
    return arcs.length === 1 && first !== undefined ? first : arcs;
  }

  #addTable(number: number): NextHops {
    const table = { sole: new Int32Array(this.#snapshot.nodeCount).fill(UNASKED), several: new Map() };
    this.#tables.set(number, table);
    const oldest = this.#tables.keys().next();
    if (this.#tables.size > this.#capacity && oldest.done !== true) this.#tables.delete(oldest.value);
    return table;
  }

  #own(destination: Destination): OwnedAddress | null {
    const { sidNode, sidBehavior, sidArc } = this.#snapshot.data;
    const [match, ...others] = destination.matches;
    if (match === undefined || objectionTo(this.#snapshot, destination) !== null) return null;
    const owner = sidNode[match.sid] as number;
    if (others.some(({ sid }) => sidNode[sid] !== owner)) return null;
    const decision = this.#forwarding.decide(owner, destination);
    const behavior = BEHAVIORS[sidBehavior[match.sid] as number];
    if (decision.kind !== 'process' || decision.match !== match || behavior === undefined) return null;
    const destinations = destinationsOf(this.#snapshot);
    const hasMore = destinations.hasArgument(destination, match);
    if (hasMore && !destinations.takesNextCSid(match)) return null;
    const next = hasMore ? this.#own(destinations.next(destination, match)) : null;
    if (hasMore && next === null) return null;
    const routes = this.#routesOf(owner, destination.text);
    return { owner, behavior, arc: sidArc[match.sid] as number, next, destination, routes };
  }

  /** What decides at nodes that are not the owner: whose it is, and the prefixes that cover it. */
  #routesOf(owner: number, text: string): number {
    const key = `${owner} ${this.#snapshot.locators.covering(text).flat().join()}`;
    const number = this.#routeNumbers.get(key) ?? this.#routeNumbers.size;
    this.#routeNumbers.set(key, number);
    return number;
  }
}

interface NextHops {
  /** By node: its only next hop, or UNASKED, NONE or SEVERAL. */
  readonly sole: Int32Array;
  readonly several: Map<number, readonly number[]>;
}

/** Of the snapshots in use; they hold nothing that the snapshot does not determine. */
const known = new WeakMap<Snapshot, AddressRoutes>();

export function addressRoutesOf(snapshot: Snapshot): AddressRoutes {
  const found = known.get(snapshot) ?? new AddressRoutes(snapshot);
  known.set(snapshot, found);
  return found;
}
