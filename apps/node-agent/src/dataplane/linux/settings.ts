/** How the Linux kernel data plane is used. What carries `protocol` is ours, and nothing else. */
export interface LinuxSettings {
  /** Device that all our routes name. Its only use is to be up for ever: egress follows the first SID. */
  readonly device: string;
  /** Routing table of our routes and local SIDs; 254 is main. */
  readonly table: number;
  /** Route protocol number that marks what is ours. */
  readonly protocol: number;
  /** Metric of our routes, IPv4 and IPv6. */
  readonly metric: number;
  /** Whose addresses probe routes take; null: no probing. */
  readonly probePrefix: string | null;
  /** Routing table of the probe routes; the next one takes in the probes that come back. */
  readonly probeTable: number;
  /** Preference of the first of the three rules that lead to these tables. */
  readonly probeRule: number;
  /** The routes of a service class are in the table of this number and its color added up. */
  readonly classTableBase: number;
  /** Preference of the rules that lead the sources of service classes to these tables. */
  readonly classRule: number;
  readonly encapMode: 'full' | 'reduced';
  /** Outer source address, set for the whole network namespace; null leaves it alone. */
  readonly encapSource: string | null;
  /** Set sysctls that are missing, instead of refusing to work. */
  readonly manageSysctls: boolean;
  /** Interfaces towards the SR domain, whose own sysctls matter besides `all` and `default`. */
  readonly underlayInterfaces: readonly string[];
  /** SID and BSID blocks that only the underlay may send to, canonical prefixes; none = no edge. Needs underlayInterfaces. */
  readonly edgeBlocks: readonly string[];
  /** Whether this node terminates tunnels, which needs more sysctls than sending into them. */
  readonly ownsLocalSids: boolean;
}

export const LINUX_DEFAULTS: LinuxSettings = {
  device: 'waymark0',
  table: 254,
  protocol: 200,
  metric: 90,
  probePrefix: null,
  probeTable: 7301,
  probeRule: 90,
  classTableBase: 10_000,
  classRule: 100,
  encapMode: 'reduced',
  encapSource: null,
  manageSysctls: false,
  underlayInterfaces: [],
  edgeBlocks: [],
  ownsLocalSids: false,
};

/** Text of iproute2 for an encapsulation mode. */
export function modeName(encapMode: LinuxSettings['encapMode']): 'encap' | 'encap.red' {
  return encapMode === 'full' ? 'encap' : 'encap.red';
}
