import { VppCrash } from './crash.js';
import type { Table } from './fib.js';
import { getRoute, removeRoute, setRoute } from './fib.js';
import type { Interfaces } from './interfaces.js';
import type { Ip46 } from './ip46.js';
import { ipv4Of } from './ip46.js';
import { Pool } from './pool.js';
import type { SrPolicies } from './sr-policies.js';
import type { Tables } from './tables.js';

export const TRAFFIC = { l2: 2, ipv4: 4, ipv6: 6 } as const;

/** What is steered. The prefix keeps its host bits, as VPP keeps them. */
export interface SteeringKey {
  readonly trafficType: number;
  readonly tableId: number;
  readonly prefix: Ip46;
  readonly length: number;
  readonly swIfIndex: number;
}

export interface Steering extends SteeringKey {
  /** Slot of the policy, not its BSID: a deleted policy leaves it dangling, and the slot may be taken again. */
  policySlot: number;
}

const NO_PREFIX = Buffer.alloc(16);

export class SrSteering {
  readonly pool = new Pool<Steering>();
  readonly #slotByKey = new Map<string, number>();
  readonly #tables: Tables;
  readonly #policies: SrPolicies;
  readonly #interfaces: Interfaces;

  constructor(tables: Tables, policies: SrPolicies, interfaces: Interfaces) {
    this.#tables = tables;
    this.#policies = policies;
    this.#interfaces = interfaces;
  }

  /** Return code of sr_steering_add_del. */
  addOrDelete(isDelete: boolean, request: SteeringKey, bsid: Buffer): number {
    const isL2 = request.trafficType === TRAFFIC.l2;
    if (isL2 && !this.#interfaces.has(request.swIfIndex)) return -2;
    if (!isL2 && request.trafficType !== TRAFFIC.ipv4 && request.trafficType !== TRAFFIC.ipv6) return -1;

    const key = normalise(request);
    const keyText = textOf(key);
    const slot = this.#slotByKey.get(keyText);
    if (isDelete) return slot === undefined ? -4 : this.#delete(slot, keyText);

    const policySlot = this.#policies.slotOf(bsid);
    const policy = policySlot === undefined ? undefined : this.#policies.pool.at(policySlot);
    if (policySlot === undefined || policy === undefined) return -2;
    const existing = slot === undefined ? undefined : this.pool.at(slot);
    if (existing !== undefined) {
      // Re-pointing does not ask whether the new policy inserts or encapsulates.
      existing.policySlot = policySlot;
      if (!isL2) this.#removeRoute(existing);
    } else {
      if (request.trafficType !== TRAFFIC.ipv6 && policy.isEncap === 0) return -5;
      this.#slotByKey.set(keyText, this.pool.allocate({ ...key, policySlot }));
    }
    if (!isL2) this.#addRoute(key, bsid);
    return 0;
  }

  #delete(slot: number, keyText: string): number {
    const steering = this.pool.at(slot);
    if (steering !== undefined && steering.trafficType !== TRAFFIC.l2) this.#removeRoute(steering);
    this.pool.release(slot);
    this.#slotByKey.delete(keyText);
    return 0;
  }

  #addRoute(key: SteeringKey, bsid: Buffer): void {
    const table = this.#tableOf(key);
    if (table === undefined) throw new VppCrash('steering-to-missing-table');
    const prefix = prefixOf(key);
    if (key.length > prefix.length * 8) throw new VppCrash('prefix-too-long');
    const route = getRoute(table, prefix, key.length);
    const present = route?.targets.get('sr');
    const [others, besideDrop] =
      present?.kind === 'steering'
        ? [present.bsids.filter((other) => !other.equals(bsid)), present.besideDrop]
        : [[], route !== undefined];
    setRoute(table, prefix, key.length, 'sr', { kind: 'steering', bsids: [...others, bsid], besideDrop });
  }

  /** Takes the whole SR route, with the paths of any other steering that falls on the same masked prefix. */
  #removeRoute(steering: Steering): void {
    const table = this.#tableOf(steering);
    if (table === undefined) throw new VppCrash('table-vanished-under-its-route');
    removeRoute(table, prefixOf(steering), steering.length, 'sr');
  }

  #tableOf(key: SteeringKey): Table | undefined {
    return (key.trafficType === TRAFFIC.ipv4 ? this.#tables.ipv4 : this.#tables.ipv6).find(key.tableId);
  }
}

function normalise(request: SteeringKey): SteeringKey {
  if (request.trafficType === TRAFFIC.l2) return { ...request, tableId: 0, prefix: NO_PREFIX, length: 0 };
  return { ...request, tableId: request.tableId === 0xffffffff ? 0 : request.tableId, swIfIndex: 0 };
}

function textOf(key: SteeringKey): string {
  return [key.trafficType, key.tableId, key.prefix.toString('hex'), key.length, key.swIfIndex].join(' ');
}

function prefixOf(key: SteeringKey): Buffer {
  return key.trafficType === TRAFFIC.ipv4 ? ipv4Of(key.prefix) : key.prefix;
}
