import { canonicalBlock, inPrefix } from './dataplane/address.js';
import type { ProbeRuleSettings } from './dataplane/linux/probe-rules.js';
import type { LocalSid } from './dataplane/port.js';
import { LAST_TABLE } from './dataplane/vpp/class-table-ids.js';
import { VPP_DEFAULTS, type ProbeSettings, type VppSettings } from './dataplane/vpp/settings.js';
import { ipv6Setting, setting } from './setting.js';

/** The settings of the VPP data plane, from the environment. docs/vpp.md explains them. */
export interface VppEnvironment {
  readonly WAYMARK_VPP_SOCKET?: string;
  readonly WAYMARK_VPP_ENCAP_SOURCE?: string;
  readonly WAYMARK_VPP_BSID_BLOCK: string;
  readonly WAYMARK_VPP_TABLE?: number;
  readonly WAYMARK_VPP_CLASS_TABLES: number;
  readonly WAYMARK_VPP_BESIDE_CALICO: boolean;
  readonly WAYMARK_VPP_MSD: string;
  readonly WAYMARK_VPP_LOCAL_SID_BLOCK?: string;
  readonly WAYMARK_VPP_DECAP_TABLE: number;
  readonly WAYMARK_VPP_LOCAL_SID_COUNTERS_SECONDS: number;
  readonly WAYMARK_VPP_PROBE_INTERFACE?: string;
  readonly WAYMARK_VPP_PROBE_TABLE: number;
  readonly WAYMARK_VPP_PROBE_GATEWAY?: string;
  readonly WAYMARK_VPP_PROBE_HOST?: string;
}

export const vppProperties = {
  WAYMARK_VPP_SOCKET: { type: 'string', minLength: 1 },
  WAYMARK_VPP_ENCAP_SOURCE: { type: 'string' },
  WAYMARK_VPP_BSID_BLOCK: { type: 'string', default: VPP_DEFAULTS.bsidBlock },
  WAYMARK_VPP_TABLE: { type: 'integer', minimum: 0, maximum: LAST_TABLE },
  WAYMARK_VPP_CLASS_TABLES: { type: 'integer', minimum: 1, maximum: LAST_TABLE, default: VPP_DEFAULTS.classTables },
  WAYMARK_VPP_BESIDE_CALICO: { type: 'boolean', default: false },
  WAYMARK_VPP_MSD: { type: 'string', pattern: '^(auto|[1-9]|1[0-6])$', default: 'auto' },
  WAYMARK_VPP_LOCAL_SID_BLOCK: { type: 'string' },
  WAYMARK_VPP_DECAP_TABLE: { type: 'integer', minimum: 0, maximum: LAST_TABLE, default: VPP_DEFAULTS.decapTable },
  WAYMARK_VPP_LOCAL_SID_COUNTERS_SECONDS: {
    type: 'integer',
    minimum: 0,
    maximum: 86_400,
    default: VPP_DEFAULTS.localSidCountersIntervalMs / 1_000,
  },
  WAYMARK_VPP_PROBE_INTERFACE: { type: 'string', minLength: 1 },
  WAYMARK_VPP_PROBE_TABLE: { type: 'integer', minimum: 1, maximum: LAST_TABLE, default: VPP_DEFAULTS.probeTable },
  WAYMARK_VPP_PROBE_GATEWAY: { type: 'string' },
  WAYMARK_VPP_PROBE_HOST: { type: 'string' },
} as const;

/** @throws Error naming the variable that does not fit. */
export function vppSettings(
  env: VppEnvironment,
  localSids: readonly LocalSid[],
  edgeBlocks: readonly string[],
  rules: ProbeRuleSettings,
): VppSettings {
  const besideCalico = env.WAYMARK_VPP_BESIDE_CALICO;
  const table = env.WAYMARK_VPP_TABLE ?? (besideCalico ? VPP_DEFAULTS.calicoTable : VPP_DEFAULTS.table);
  const source = env.WAYMARK_VPP_ENCAP_SOURCE;
  const block = env.WAYMARK_VPP_LOCAL_SID_BLOCK;
  if (source === undefined) {
    throw new Error('WAYMARK_VPP_ENCAP_SOURCE must be set: the IPv6 address of this node that tunnels come from');
  }
  if (besideCalico && table === 0) {
    throw new Error('WAYMARK_VPP_TABLE must not be 0 beside Calico-VPP, which steers the same prefixes there');
  }
  if (besideCalico && (localSids.length > 0 || block !== undefined)) {
    throw new Error(
      'WAYMARK_LOCAL_SIDS and WAYMARK_VPP_LOCAL_SID_BLOCK must be unset beside Calico-VPP, which announces every local SID as its own',
    );
  }
  if (edgeBlocks.length > 0 && table === 0) {
    throw new Error(
      'WAYMARK_EDGE_BLOCKS needs pods in a table of their own (WAYMARK_VPP_TABLE): in table 0 the drop routes would stop transit traffic too',
    );
  }
  const classTables = env.WAYMARK_VPP_CLASS_TABLES;
  const used = [
    table,
    env.WAYMARK_VPP_DECAP_TABLE,
    ...(rules.probePrefix === null ? [] : [env.WAYMARK_VPP_PROBE_TABLE]),
  ];
  if (used.some((id) => id > classTables)) {
    throw new Error(
      'WAYMARK_VPP_CLASS_TABLES must not be below WAYMARK_VPP_TABLE, WAYMARK_VPP_DECAP_TABLE or WAYMARK_VPP_PROBE_TABLE: all tables above are those of service classes',
    );
  }
  return {
    socketPath: env.WAYMARK_VPP_SOCKET ?? (besideCalico ? VPP_DEFAULTS.calicoSocketPath : VPP_DEFAULTS.socketPath),
    encapSource: nodeAddress('WAYMARK_VPP_ENCAP_SOURCE', firstIpv6Of(source)),
    bsidBlock: setting('WAYMARK_VPP_BSID_BLOCK', () => canonicalBlock(env.WAYMARK_VPP_BSID_BLOCK)),
    table,
    classTables,
    besideCalico,
    msd: env.WAYMARK_VPP_MSD === 'auto' ? 'auto' : Number(env.WAYMARK_VPP_MSD),
    localSids,
    localSidBlock: block === undefined ? null : setting('WAYMARK_VPP_LOCAL_SID_BLOCK', () => canonicalBlock(block)),
    decapTable: env.WAYMARK_VPP_DECAP_TABLE,
    probe: probeSettings(env, table, rules),
    edgeBlocks,
    localSidCountersIntervalMs: env.WAYMARK_VPP_LOCAL_SID_COUNTERS_SECONDS * 1_000,
  };
}

/** How probes get into VPP, when there is a prefix for them. */
function probeSettings(env: VppEnvironment, table: number, rules: ProbeRuleSettings): ProbeSettings | null {
  const { probePrefix: prefix } = rules;
  if (prefix === null) return null;
  if ([table, env.WAYMARK_VPP_DECAP_TABLE].includes(env.WAYMARK_VPP_PROBE_TABLE)) {
    throw new Error('WAYMARK_VPP_PROBE_TABLE must be a table that nothing else uses');
  }
  const block = setting('WAYMARK_VPP_BSID_BLOCK', () => canonicalBlock(env.WAYMARK_VPP_BSID_BLOCK));
  if (inPrefix(block)(prefix) || inPrefix(prefix)(block)) {
    throw new Error(
      "WAYMARK_PROBE_PREFIX must not overlap WAYMARK_VPP_BSID_BLOCK: both tell what is the agent's by its address",
    );
  }
  const of = (variable: 'WAYMARK_VPP_PROBE_INTERFACE' | 'WAYMARK_VPP_PROBE_GATEWAY' | 'WAYMARK_VPP_PROBE_HOST') => {
    const value = env[variable];
    if (value !== undefined) return value;
    throw new Error(
      `${variable} must be set with WAYMARK_PROBE_PREFIX: probes enter VPP through an interface of their own`,
    );
  };
  const address = (variable: 'WAYMARK_VPP_PROBE_GATEWAY' | 'WAYMARK_VPP_PROBE_HOST') =>
    nodeAddress(variable, of(variable));
  return {
    prefix,
    interfaceName: of('WAYMARK_VPP_PROBE_INTERFACE'),
    table: env.WAYMARK_VPP_PROBE_TABLE,
    gateway: address('WAYMARK_VPP_PROBE_GATEWAY'),
    host: address('WAYMARK_VPP_PROBE_HOST'),
    rules,
  };
}

/** Kubernetes hands a pod the addresses of its node as a list, IPv4 or IPv6 first. Without any IPv6 it is returned as it is. */
function firstIpv6Of(addresses: string): string {
  return addresses.split(',').find((address) => address.includes(':')) ?? addresses;
}

/** The address of a node. */
function nodeAddress(variable: string, text: string): string {
  const address = ipv6Setting(variable, text);
  if (address === '::') throw new Error(`${variable}: "::" is no address of a node`);
  return address;
}
