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
  /** Id of the IPv6 table that packets from it are looked up in; default 0. Only shown, for packets are not here. */
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
  counters: InterfaceCounters;
}

export class Interfaces {
  readonly #all: readonly Interface[];

  /** `local0` comes first, as in every VPP. */
  constructor(specs: readonly InterfaceSpec[]) {
    const local0: InterfaceSpec = { name: 'local0', deviceType: 'local', isUp: false, mtu: 0 };
    this.#all = [local0, ...specs].map((spec, swIfIndex) => ({ ...spec, swIfIndex, counters: {} }));
  }

  has(swIfIndex: number): boolean {
    return this.#all[swIfIndex] !== undefined;
  }

  get(swIfIndex: number): Interface | undefined {
    return this.#all[swIfIndex];
  }

  named(name: string): Interface | undefined {
    return this.#all.find((each) => each.name === name);
  }

  all(): readonly Interface[] {
    return this.#all;
  }
}
