import { VppCrash } from './crash.js';
import { getRoute, removeRoute, setRoute } from './fib.js';
import { effectiveBuckets } from './load-balance.js';
import { Pool } from './pool.js';
import { StaleVector } from './stale-vector.js';
import type { Tables } from './tables.js';

const NONE = 0xffffffff;
export const POLICY_TYPES = { default: 0, spray: 1, tef: 2 } as const;

/** A segment list in VPP's global pool. Encap source and hop limit are those of the moment it was created. */
export interface SegmentList {
  /** Empty once freed. */
  segments: readonly Buffer[];
  weight: number;
  readonly encapSource: Buffer;
  readonly hopLimit: number;
}

/** A list that forwards, with its hash buckets. */
export interface ListShare {
  readonly slIndex: number;
  readonly buckets: number;
}

export interface SrPolicy {
  readonly bsid: Buffer;
  readonly type: number;
  /** The byte of the request; 0 is SRH insertion. */
  readonly isEncap: number;
  readonly fibTable: number;
  /** Of the list created last. */
  encapSource: Buffer;
  readonly lists: StaleVector;
  /** What the load balance was last programmed with. */
  forwarding: readonly ListShare[];
}

/** Only what VPP reads of sr_policy_add and sr_policy_mod. */
export interface NewList {
  readonly segments: readonly Buffer[];
  readonly weight: number;
  /** Undefined: take the global one. */
  readonly encapSource: Buffer | undefined;
}

const UNSPECIFIED = Buffer.alloc(16);

export class SrPolicies {
  readonly pool = new Pool<SrPolicy>();
  readonly lists = new Pool<SegmentList>();
  encapSource: Buffer = UNSPECIFIED;
  hopLimit = 64;
  readonly #slotByBsid = new Map<string, number>();
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  slotOf(bsid: Buffer): number | undefined {
    return this.#slotByBsid.get(bsid.toString('hex'));
  }

  find(bsid: Buffer): SrPolicy | undefined {
    const slot = this.slotOf(bsid);
    return slot === undefined ? undefined : this.pool.at(slot);
  }

  /** Return code of sr_policy_add. */
  add(bsid: Buffer, type: number, isEncap: number, fibTable: number, list: NewList): number {
    if (this.slotOf(bsid) !== undefined) return -12;
    const table = this.#tables.ipv6.find(fibTable === NONE ? 0 : fibTable);
    if (table === undefined) return -13;
    if (getRoute(table, bsid, 128) !== undefined) return -12;

    const policy: SrPolicy = {
      bsid,
      type,
      isEncap,
      fibTable: table.id,
      encapSource: UNSPECIFIED,
      lists: new StaleVector(),
      forwarding: [],
    };
    this.#slotByBsid.set(bsid.toString('hex'), this.pool.allocate(policy));
    this.#createList(policy, list);
    this.#tables.createHiddenTables();
    if (Object.values<number>(POLICY_TYPES).includes(type)) {
      this.#program(policy);
      setRoute(table, bsid, 128, 'sr', { kind: 'bsid', bsid });
    }
    return 0;
  }

  /** Return code of sr_policy_del. Steering is not looked at. */
  remove(bsid: Buffer): number {
    const slot = this.slotOf(bsid);
    const policy = slot === undefined ? undefined : this.pool.at(slot);
    if (slot === undefined || policy === undefined) return -1;
    const table = this.#tables.ipv6.find(policy.fibTable);
    if (table === undefined) throw new VppCrash('table-vanished-under-its-route');
    removeRoute(table, bsid, 128, 'sr');
    for (const index of policy.lists.values()) this.#freeList(index);
    this.#slotByBsid.delete(bsid.toString('hex'));
    this.pool.release(slot);
    return 0;
  }

  /** Operation 1 of sr_policy_mod. */
  addList(bsid: Buffer, list: NewList): number {
    const policy = this.find(bsid);
    if (policy === undefined) return -1;
    this.#createList(policy, list);
    this.#reprogram(policy);
    return 0;
  }

  /** Operation 2 of sr_policy_mod. */
  removeList(bsid: Buffer, slIndex: number): number {
    const policy = this.find(bsid);
    if (policy === undefined) return -1;
    if (policy.lists.length === 1) return -21;
    const position = policy.lists.findAsVppDoes(slIndex);
    if (position === undefined) return -22;
    // Found behind the end: the list was already gone. Its index is freed a second time and the vector still shrinks
    // by one, so that the policy loses its last list instead.
    this.#freeList(slIndex);
    policy.lists.removeAt(position);
    this.#reprogram(policy);
    return 0;
  }

  /** Operation 3 of sr_policy_mod. */
  changeWeight(bsid: Buffer, slIndex: number, weight: number): number {
    const policy = this.find(bsid);
    if (policy === undefined) return -1;
    const list = this.lists.at(slIndex);
    if (policy.lists.findAsVppDoes(slIndex) === undefined || list === undefined) return -32;
    list.weight = weight;
    if (policy.type === POLICY_TYPES.default) this.#program(policy);
    return 0;
  }

  #createList(policy: SrPolicy, list: NewList): void {
    if (list.segments.length === 0) throw new VppCrash('empty-segment-list');
    const encapSource = policy.isEncap === 0 ? UNSPECIFIED : (list.encapSource ?? this.encapSource);
    policy.encapSource = encapSource;
    const weight = list.weight === NONE ? 1 : list.weight;
    policy.lists.push(this.lists.allocate({ segments: list.segments, weight, encapSource, hopLimit: this.hopLimit }));
  }

  #freeList(index: number): void {
    const list = this.lists.at(index);
    this.lists.release(index);
    if (list !== undefined) list.segments = [];
  }

  /** A TEF policy keeps the load balance it was created with. */
  #reprogram(policy: SrPolicy): void {
    if (policy.type !== POLICY_TYPES.tef) this.#program(policy);
  }

  #program(policy: SrPolicy): void {
    const indices = policy.lists.values();
    const weights = indices.map((index) => this.lists.at(index)?.weight ?? 0);
    const buckets = policy.type === POLICY_TYPES.spray ? indices.map(() => 1) : effectiveBuckets(weights);
    policy.forwarding = indices.map((slIndex, position) => ({ slIndex, buckets: buckets[position] ?? 0 }));
  }
}
