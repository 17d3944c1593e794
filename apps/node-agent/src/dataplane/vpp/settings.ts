import type { ProbeRuleSettings } from '../linux/probe-rules.js';
import type { LocalSid } from '../port.js';

/** How the agent uses a VPP. docs/vpp.md explains each. Prefixes and addresses are in their one spelling. */
export interface VppSettings {
  /** Unix socket of the binary API. */
  readonly socketPath: string;
  /** Outer source address of every tunnel. */
  readonly encapSource: string;
  /** IPv6 prefix. An SR policy whose binding SID is in it is ours, every other is not. */
  readonly bsidBlock: string;
  /** FIB table, by id, of both families, where prefixes are steered. */
  readonly table: number;
  /** The FIB tables of the service class of a color, of both families, have this id plus the color. */
  readonly classTables: number;
  /** Calico-VPP runs this VPP: no local SIDs, and what it routes in table 0 inside a steered prefix stays reachable. */
  readonly besideCalico: boolean;
  /** SRH entries that fit the headroom of a buffer; `auto`: by the interfaces there are. */
  readonly msd: number | 'auto';
  /** The local SIDs that the agent is to own. */
  readonly localSids: readonly LocalSid[];
  /** IPv6 prefix whose local SIDs are all ours, wanted or not; null: only the wanted ones are. */
  readonly localSidBlock: string | null;
  /** FIB table where End.DT4 and End.DT6 look the inner packet up. */
  readonly decapTable: number;
  /** How liveness probes get into VPP; null: there are none. */
  readonly probe: ProbeSettings | null;
  /** SID and BSID blocks of the SR domain, which nothing that looks up `table` may send to; nor may it bring routing headers then. */
  readonly edgeBlocks: readonly string[];
  /** How often local SID counters are read; VPP loses memory at each time. 0: never. */
  readonly localSidCountersIntervalMs: number;
}

/** An interface between this host and VPP that carries probes and nothing else. */
export interface ProbeSettings {
  /** IPv6 prefix (at most /96) that the underlay routes to this VPP. */
  readonly prefix: string;
  /** VPP's name of the interface. */
  readonly interfaceName: string;
  /** IPv6 FIB table, by id, that the interface is in and that nothing else uses. */
  readonly table: number;
  /** VPP's address on it. */
  readonly gateway: string;
  /** The host's address on it. */
  readonly host: string;
  /** Of the host: where its kernel takes probes out and in. */
  readonly rules: ProbeRuleSettings;
}

export const VPP_DEFAULTS = {
  socketPath: '/run/vpp/api.sock',
  calicoSocketPath: '/var/run/vpp/vpp-api.sock',
  bsidBlock: 'fdbb:b51d::/32',
  table: 0,
  calicoTable: 2,
  decapTable: 0,
  probeTable: 7_300,
  classTables: 1_000_000,
  localSidCountersIntervalMs: 600_000,
} as const;
