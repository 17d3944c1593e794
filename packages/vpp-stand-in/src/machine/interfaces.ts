import { Pool } from './pool.js';

/** An interface as sw_interface_details shows it. Defaults: hardware, up, Ethernet, MTU 9000. */
export interface InterfaceSpec {
  readonly name: string;
  /** Device type, e.g. `dpdk`, `TUN`, `af_packet`. */
  readonly deviceType?: string;
  /** Colon-separated; absent for interfaces without Ethernet (tun, IP tunnels). */
  readonly mac?: string;
  /** Index of the parent, for a VLAN subinterface. */
  readonly parent?: number;
  readonly vlan?: number;
  readonly mtu?: number;
  readonly isUp?: boolean;
  /** Ids of the tables that packets from it are looked up in; default 0. */
  readonly ipv4Table?: number;
  readonly ipv6Table?: number;
  readonly tag?: string;
}

/** Totals since the start of this life, by the names of VPP's CLI; what is left out is 0. */
export interface InterfaceCounters {
  readonly rxPackets?: number;
  readonly rxBytes?: number;
  readonly txPackets?: number;
  readonly txBytes?: number;
  readonly drops?: number;
  readonly punt?: number;
  readonly ip4?: number;
  readonly ip6?: number;
}

export interface Interface extends InterfaceSpec {
  readonly swIfIndex: number;
  ipv4Table?: number;
  ipv6Table?: number;
  counters: InterfaceCounters;
  /** Nodes of the input ACLs that its packets pass, by feature arc. They go with the interface. */
  readonly inputAclArcs: Set<string>;
}

/** Indices are those of a pool: a new interface takes that of the one deleted last. */
export class Interfaces {
  readonly #pool = new Pool<Interface>();

  /** `local0` comes first, as in every VPP. */
  constructor(specs: readonly InterfaceSpec[]) {
    for (const spec of [{ name: 'local0', deviceType: 'local', isUp: false, mtu: 0 }, ...specs]) this.add(spec);
  }

  add(spec: InterfaceSpec): void {
    // The index is only known once it is taken.
    const swIfIndex = this.#pool.nextIndex;
    this.#pool.allocate({ ...spec, swIfIndex, counters: {}, inputAclArcs: new Set() });
  }

  remove({ swIfIndex }: Interface): void {
    this.#pool.release(swIfIndex);
  }

  has(swIfIndex: number): boolean {
    return !this.#pool.isFree(swIfIndex);
  }

  get(swIfIndex: number): Interface | undefined {
    return this.has(swIfIndex) ? this.#pool.at(swIfIndex) : undefined;
  }

  named(name: string): Interface | undefined {
    return this.all().find((each) => each.name === name);
  }

  all(): readonly Interface[] {
    return [...this.#pool.live()].map(([, each]) => each);
  }
}
