import type { Family } from './address.js';
import { mask } from './address.js';
import { Pool } from './pool.js';

/** Who put a route into a table, with VPP's number on the wire. The best one present forwards. */
export const ROUTE_SOURCES = { special: 1, sr: 5, api: 8, default: 20 } as const;
export type RouteSource = keyof typeof ROUTE_SOURCES;
const BEST_FIRST: readonly RouteSource[] = ['special', 'sr', 'api', 'default'];

/** One path of a route, as ip_route_add_del gives it. Numbers are those of the API. */
export interface RoutePath {
  readonly swIfIndex: number;
  readonly tableId: number;
  readonly weight: number;
  readonly preference: number;
  readonly type: number;
  readonly flags: number;
  readonly proto: number;
  /** 16 bytes; IPv4 in the first 4. */
  readonly nextHop: Buffer;
}

/** What one source contributes to a prefix. */
export type RouteTarget =
  | { readonly kind: 'drop' }
  | { readonly kind: 'paths'; readonly paths: readonly RoutePath[] }
  /** SR steering: recursive through these BSIDs; more than one only when two unmasked prefixes fell together. */
  | {
      readonly kind: 'steering';
      readonly bsids: readonly Buffer[];
      /** The prefix had a route already when it was steered: another path, beside these, drops its share. */
      readonly besideDrop: boolean;
    }
  | { readonly kind: 'bsid'; readonly bsid: Buffer }
  | { readonly kind: 'localsid'; readonly localsid: Buffer };

export interface Route {
  readonly prefix: Buffer;
  readonly length: number;
  readonly targets: Map<RouteSource, RouteTarget>;
}

export interface Table {
  readonly id: number;
  readonly family: Family;
  readonly name: string;
  readonly routes: Map<string, Route>;
  /** A table goes with the last who holds it: the API, once however often it asked, and each classifier session. */
  heldByApi: boolean;
  sessions: number;
}

const keyOf = (prefix: Buffer, length: number): string => `${String(length)}/${mask(prefix, length).toString('hex')}`;

/** What every new table holds: [hex of the prefix, length, source]. */
const PRESENT_FROM_THE_START: Readonly<Record<Family, readonly (readonly [string, number, RouteSource])[]>> = {
  ipv4: [
    ['00000000', 0, 'default'],
    ['00000000', 32, 'default'],
    ['f0000000', 4, 'special'],
    ['e0000000', 4, 'special'],
    ['ffffffff', 32, 'default'],
  ],
  ipv6: [
    ['00'.repeat(16), 0, 'default'],
    [`fe80${'00'.repeat(14)}`, 10, 'special'],
  ],
};

/** The tables of one family, by slot and by id. */
export class TableSet {
  readonly #family: Family;
  readonly #tables = new Pool<Table>();
  readonly #slotById = new Map<number, number>();

  constructor(family: Family) {
    this.#family = family;
    this.create(0, '');
  }

  find(id: number): Table | undefined {
    const slot = this.#slotById.get(id);
    return slot === undefined ? undefined : this.#tables.at(slot);
  }

  /** The live table in this slot. */
  inSlot(slot: number): Table | undefined {
    return this.#tables.isFree(slot) ? undefined : this.#tables.at(slot);
  }

  /** Adds a table; `id` may be taken when it is 0xffffffff, which VPP gives to all its internal tables. */
  create(id: number, name: string): number {
    const table: Table = {
      id,
      family: this.#family,
      name: name || `${this.#family}-VRF:${String(id)}`,
      routes: new Map(),
      heldByApi: false,
      sessions: 0,
    };
    for (const [prefix, length, source] of PRESENT_FROM_THE_START[this.#family])
      setRoute(table, Buffer.from(prefix, 'hex'), length, source, { kind: 'drop' });
    const slot = this.#tables.allocate(table);
    this.#slotById.set(id, slot);
    return slot;
  }

  destroySlot(slot: number): void {
    const table = this.#tables.at(slot);
    if (table === undefined || this.#tables.isFree(slot)) return;
    this.#tables.release(slot);
    this.#slotById.delete(table.id);
  }

  /** A table that exists keeps its name. */
  holdByApi(id: number, name: string): void {
    const table = this.find(id) ?? this.inSlot(this.create(id, name));
    if (table !== undefined) table.heldByApi = true;
  }

  releaseByApi(id: number): void {
    const slot = this.#slotById.get(id);
    if (slot === undefined) return;
    const table = this.inSlot(slot);
    if (table !== undefined) table.heldByApi = false;
    this.#destroyUnheld(slot);
  }

  /** The slot of the table with this id, which is made when it is missing. */
  holdBySession(id: number): number {
    const slot = this.#slotById.get(id) ?? this.create(id, '');
    const table = this.inSlot(slot);
    if (table !== undefined) table.sessions += 1;
    return slot;
  }

  releaseBySession(slot: number): void {
    const table = this.inSlot(slot);
    if (table !== undefined) table.sessions -= 1;
    this.#destroyUnheld(slot);
  }

  #destroyUnheld(slot: number): void {
    const table = this.inSlot(slot);
    if (table !== undefined && table.id !== 0 && !table.heldByApi && table.sessions === 0) this.destroySlot(slot);
  }

  *all(): Generator<Table> {
    for (const [, table] of this.#tables.live()) yield table;
  }
}

export function getRoute(table: Table, prefix: Buffer, length: number): Route | undefined {
  return table.routes.get(keyOf(prefix, length));
}

export function setRoute(table: Table, prefix: Buffer, length: number, source: RouteSource, target: RouteTarget): void {
  const key = keyOf(prefix, length);
  const route = table.routes.get(key) ?? { prefix: mask(prefix, length), length, targets: new Map() };
  route.targets.set(source, target);
  table.routes.set(key, route);
}

/** Removing what is not there is allowed. */
export function removeRoute(table: Table, prefix: Buffer, length: number, source: RouteSource): void {
  const key = keyOf(prefix, length);
  const route = table.routes.get(key);
  route?.targets.delete(source);
  if (route?.targets.size === 0) table.routes.delete(key);
}

export function bestTarget(route: Route): { readonly source: RouteSource; readonly target: RouteTarget } {
  for (const source of BEST_FIRST) {
    const target = route.targets.get(source);
    if (target !== undefined) return { source, target };
  }
  throw new Error('a route without a source stayed in its table');
}

/** @param longest of the routes to look at; default: any. */
export function longestMatch(table: Table, destination: Buffer, longest = destination.length * 8): Route | undefined {
  for (let length = longest; length >= 0; length -= 1) {
    const route = table.routes.get(keyOf(destination, length));
    if (route !== undefined) return route;
  }
  return undefined;
}
