import { VppCrash } from './crash.js';
import { getRoute, removeRoute, setRoute } from './fib.js';
import type { Interfaces } from './interfaces.js';
import type { Ip46 } from './ip46.js';
import { ipv4Of } from './ip46.js';
import { Pool } from './pool.js';
import type { Tables } from './tables.js';

export const BEHAVIORS = {
  end: 1,
  endX: 2,
  endT: 3,
  dx2: 5,
  dx6: 6,
  dx4: 7,
  dt6: 8,
  dt4: 9,
  unPerf: 11,
  un: 12,
  ua: 13,
} as const;
const FIRST_PLUGIN_BEHAVIOR = 14;
const CROSS_CONNECTS: readonly number[] = [BEHAVIORS.endX, BEHAVIORS.dx2, BEHAVIORS.dx4, BEHAVIORS.dx6, BEHAVIORS.ua];
const USID: readonly number[] = [BEHAVIORS.unPerf, BEHAVIORS.un, BEHAVIORS.ua];
const INVALID_VALUE = -7;

export interface LocalsidCounters {
  readonly goodBytes: bigint;
  readonly goodPackets: bigint;
  readonly badBytes: bigint;
  readonly badPackets: bigint;
}

const NO_TRAFFIC: LocalsidCounters = { goodBytes: 0n, goodPackets: 0n, badBytes: 0n, badPackets: 0n };

export interface Localsid {
  readonly address: Buffer;
  readonly prefixLength: number;
  readonly endPsp: number;
  readonly behavior: number;
  readonly fibTable: number;
  /** Interface of a cross-connect, table id of DT4, DT6 and T; undefined is a table that did not exist. */
  readonly interfaceOrTable: number | undefined;
  readonly nextHop: Ip46;
  counters: LocalsidCounters;
}

export interface LocalsidRequest {
  readonly isDelete: boolean;
  readonly address: Buffer;
  readonly endPsp: number;
  readonly behavior: number;
  readonly swIfIndex: number;
  readonly fibTable: number;
  readonly nextHop: Ip46;
  /** Bits of block, node and function; only sr_localsid_add_del_v2 has them. */
  readonly lengths: readonly [block: number, node: number, fn: number];
}

export class SrLocalsids {
  readonly pool = new Pool<Localsid>();
  readonly #slotByKey = new Map<string, number>();
  readonly #tables: Tables;
  readonly #interfaces: Interfaces;

  constructor(tables: Tables, interfaces: Interfaces) {
    this.#tables = tables;
    this.#interfaces = interfaces;
  }

  find(address: Buffer): Localsid | undefined {
    for (const [, localsid] of this.pool.live()) if (localsid.address.equals(address)) return localsid;
    return undefined;
  }

  /** Return code of sr_localsid_add_del and its v2. */
  addOrDelete(request: LocalsidRequest): number {
    if (CROSS_CONNECTS.includes(request.behavior) && !this.#interfaces.has(request.swIfIndex)) return -2;
    const prefixLength = prefixLengthOf(request);
    if (prefixLength === undefined) return INVALID_VALUE;
    // The prefix length, and so the behavior of the request, is part of the key, also for a deletion.
    const key = `${request.address.toString('hex')}/${String(prefixLength)}`;
    const slot = this.#slotByKey.get(key);
    if (request.isDelete) return slot === undefined ? -2 : this.#delete(request, slot, key, prefixLength);
    if (slot !== undefined) return -1;
    if (request.behavior >= FIRST_PLUGIN_BEHAVIOR) throw new VppCrash('localsid-behavior-without-plugin');

    const table = this.#tables.ipv6.find(request.fibTable);
    if (table === undefined) return -3;
    if (getRoute(table, request.address, prefixLength) !== undefined) return -4;
    const localsid: Localsid = {
      address: request.address,
      prefixLength,
      endPsp: request.endPsp,
      behavior: request.behavior,
      fibTable: request.fibTable,
      interfaceOrTable: this.#interfaceOrTable(request),
      nextHop: nextHopOf(request),
      counters: NO_TRAFFIC,
    };
    this.#slotByKey.set(key, this.pool.allocate(localsid));
    setRoute(table, request.address, prefixLength, 'sr', { kind: 'localsid', localsid: request.address });
    return 0;
  }

  #delete(request: LocalsidRequest, slot: number, key: string, prefixLength: number): number {
    // The route is taken out of the table the request names, wherever the localsid was put.
    const table = this.#tables.ipv6.find(request.fibTable);
    if (table === undefined) throw new VppCrash('table-vanished-under-its-route');
    removeRoute(table, request.address, prefixLength, 'sr');
    this.pool.release(slot);
    this.#slotByKey.delete(key);
    return 0;
  }

  #interfaceOrTable({ behavior, swIfIndex }: LocalsidRequest): number | undefined {
    switch (behavior) {
      case BEHAVIORS.dt4:
        return this.#tables.ipv4.find(swIfIndex)?.id;
      case BEHAVIORS.dt6:
      case BEHAVIORS.endT:
        return this.#tables.ipv6.find(swIfIndex)?.id;
      default:
        return CROSS_CONNECTS.includes(behavior) ? swIfIndex : 0;
    }
  }
}

function prefixLengthOf({ behavior, lengths }: LocalsidRequest): number | undefined {
  const [block, node, fn] = lengths;
  const total = block + node + fn;
  if (total === 0) return behavior === BEHAVIORS.ua ? 64 : USID.includes(behavior) ? 48 : 128;
  if (((block | node | fn) & 7) !== 0 || total > 128) return undefined;
  if (USID.includes(behavior) && ![16, 32].includes(node + fn)) return undefined;
  return total;
}

function nextHopOf({ behavior, nextHop }: LocalsidRequest): Ip46 {
  if (behavior === BEHAVIORS.dx4) return Buffer.concat([Buffer.alloc(12), ipv4Of(nextHop)]);
  const keepsIt = behavior === BEHAVIORS.endX || behavior === BEHAVIORS.ua || behavior === BEHAVIORS.dx6;
  return keepsIt ? nextHop : Buffer.alloc(16);
}
