import { join } from 'node:path';
import {
  grpcTlsPaths,
  redisTlsPaths,
  transportProperties,
  type TlsPaths,
  type TransportEnvironment,
} from '@waymark/agent-protocol';
import { envSchema } from 'env-schema';
import { canonicalBlock } from './dataplane/address.js';
import type { ProbeRuleSettings } from './dataplane/linux/probe-rules.js';
import { LOCAL_SID_ACTIONS } from './dataplane/linux/route-lines.js';
import { LINUX_DEFAULTS, type LinuxSettings } from './dataplane/linux/settings.js';
import type { LocalSid } from './dataplane/port.js';
import { LOCAL_SID_BEHAVIORS } from './dataplane/vpp/local-sids.js';
import type { VppSettings } from './dataplane/vpp/settings.js';
import { PROBE_DEFAULTS, type ProbeTiming } from './liveness/probe-engine.js';
import { ipv6Setting, setting } from './setting.js';
import { vppProperties, vppSettings, type VppEnvironment } from './vpp-config.js';

/** All settings of the agent, from the environment. docs/node-agent.md lists them. */
export interface AgentConfig {
  readonly nodeId: string;
  readonly controllers: readonly string[];
  /** Mutual TLS with controllers; undefined: sessions in the clear. */
  readonly grpcTls: TlsPaths | undefined;
  /** Sessions in the clear are wanted, though they leave this machine. */
  readonly grpcInsecure: boolean;
  /** undefined: no bus, changes come with the heartbeats. */
  readonly redisUrl: string | undefined;
  /** For `rediss://`; undefined: what Node trusts. */
  readonly redisTls: TlsPaths | undefined;
  readonly stateDirectory: string;
  readonly localSids: readonly LocalSid[];
  readonly rereadIntervalMs: number;
  readonly probeTiming: ProbeTiming;
  /** undefined: no status endpoint. */
  readonly statusPort: number | undefined;
  readonly logLevel: string;
  readonly dataPlane:
    | { readonly kind: 'linux'; readonly settings: LinuxSettings }
    | { readonly kind: 'vpp'; readonly settings: VppSettings }
    | {
        readonly kind: 'dry-run';
        readonly encapMode: 'full' | 'reduced';
        readonly msdHEncaps: number;
        /** undefined: steps are only logged. */
        readonly file: string | undefined;
      };
}

interface Environment extends VppEnvironment, TransportEnvironment {
  readonly WAYMARK_NODE_ID: string;
  readonly WAYMARK_CONTROLLER: string;
  readonly WAYMARK_DATAPLANE: 'dry-run' | 'linux' | 'vpp';
  readonly WAYMARK_DATA_DIR: string;
  readonly WAYMARK_LOCAL_SIDS?: string;
  readonly WAYMARK_EDGE_BLOCKS?: string;
  readonly WAYMARK_REREAD_SECONDS: number;
  readonly WAYMARK_PROBE_PREFIX?: string;
  readonly WAYMARK_PROBE_INTERVAL_MS: number;
  readonly WAYMARK_PROBE_MULTIPLIER: number;
  readonly WAYMARK_PROBE_HOLD_DOWN_SECONDS: number;
  readonly WAYMARK_STATUS_PORT: number;
  readonly WAYMARK_LOG_LEVEL: string;
  readonly WAYMARK_ENCAP_MODE: 'full' | 'reduced';
  readonly WAYMARK_DRY_RUN_MSD: number;
  readonly WAYMARK_DRY_RUN_FILE?: string;
  readonly WAYMARK_LINUX_DEVICE: string;
  readonly WAYMARK_LINUX_TABLE: number;
  readonly WAYMARK_LINUX_PROTOCOL: number;
  readonly WAYMARK_LINUX_METRIC: number;
  readonly WAYMARK_LINUX_PROBE_TABLE: number;
  readonly WAYMARK_LINUX_PROBE_RULE: number;
  readonly WAYMARK_LINUX_CLASS_TABLE_BASE: number;
  readonly WAYMARK_LINUX_CLASS_RULE: number;
  readonly WAYMARK_LINUX_ENCAP_SOURCE?: string;
  readonly WAYMARK_LINUX_MANAGE_SYSCTLS: boolean;
  readonly WAYMARK_LINUX_UNDERLAY?: string;
}

// nft takes a final * for any ending.
const interfaceName = '[^\\s/:,*]{1,15}';

/** The settings with their bounds and defaults; docs/node-agent.md is checked against the keys. */
export const environmentSchema = {
  type: 'object',
  required: ['WAYMARK_NODE_ID'],
  properties: {
    WAYMARK_NODE_ID: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' },
    WAYMARK_CONTROLLER: { type: 'string', default: '127.0.0.1:50051', pattern: '^[^\\s,]+:\\d+(,[^\\s,]+:\\d+)*$' },
    ...transportProperties,
    WAYMARK_DATAPLANE: { type: 'string', enum: ['dry-run', 'linux', 'vpp'], default: 'dry-run' },
    WAYMARK_DATA_DIR: { type: 'string', default: '/var/lib/waymark', minLength: 1 },
    WAYMARK_LOCAL_SIDS: { type: 'string' },
    WAYMARK_EDGE_BLOCKS: { type: 'string' },
    WAYMARK_REREAD_SECONDS: { type: 'integer', minimum: 1, maximum: 3_600, default: 30 },
    WAYMARK_PROBE_PREFIX: { type: 'string' },
    WAYMARK_PROBE_INTERVAL_MS: { type: 'integer', minimum: 50, maximum: 60_000, default: PROBE_DEFAULTS.intervalMs },
    WAYMARK_PROBE_MULTIPLIER: { type: 'integer', minimum: 2, maximum: 50, default: PROBE_DEFAULTS.multiplier },
    WAYMARK_PROBE_HOLD_DOWN_SECONDS: {
      type: 'integer',
      minimum: 0,
      maximum: 3_600,
      default: PROBE_DEFAULTS.holdDownMs / 1_000,
    },
    WAYMARK_STATUS_PORT: { type: 'integer', minimum: 0, maximum: 65_535, default: 9850 },
    WAYMARK_LOG_LEVEL: { type: 'string', enum: ['trace', 'debug', 'info', 'warn', 'error', 'silent'], default: 'info' },
    WAYMARK_ENCAP_MODE: { type: 'string', enum: ['full', 'reduced'], default: LINUX_DEFAULTS.encapMode },
    WAYMARK_DRY_RUN_MSD: { type: 'integer', minimum: 0, maximum: 127, default: 0 },
    WAYMARK_DRY_RUN_FILE: { type: 'string', minLength: 1 },
    WAYMARK_LINUX_DEVICE: { type: 'string', pattern: `^${interfaceName}$`, default: LINUX_DEFAULTS.device },
    WAYMARK_LINUX_TABLE: { type: 'integer', minimum: 1, maximum: 4_294_967_295, default: LINUX_DEFAULTS.table },
    // Up to 4 are the kernel's own; 255 is the largest number there is.
    WAYMARK_LINUX_PROTOCOL: { type: 'integer', minimum: 5, maximum: 255, default: LINUX_DEFAULTS.protocol },
    // 0 would mean 1024 in IPv6; the next one is used too.
    WAYMARK_LINUX_METRIC: { type: 'integer', minimum: 1, maximum: 4_294_967_294, default: LINUX_DEFAULTS.metric },
    // The next table is used too, as are the two preferences after the rule's; 32766 is that of table main.
    WAYMARK_LINUX_PROBE_TABLE: {
      type: 'integer',
      minimum: 256,
      maximum: 4_294_967_294,
      default: LINUX_DEFAULTS.probeTable,
    },
    WAYMARK_LINUX_PROBE_RULE: { type: 'integer', minimum: 1, maximum: 32_763, default: LINUX_DEFAULTS.probeRule },
    // The first table is that of color 1; up to 255 are the kernel's own.
    WAYMARK_LINUX_CLASS_TABLE_BASE: {
      type: 'integer',
      minimum: 255,
      maximum: 4_294_967_294,
      default: LINUX_DEFAULTS.classTableBase,
    },
    WAYMARK_LINUX_CLASS_RULE: { type: 'integer', minimum: 1, maximum: 32_765, default: LINUX_DEFAULTS.classRule },
    WAYMARK_LINUX_ENCAP_SOURCE: { type: 'string' },
    WAYMARK_LINUX_MANAGE_SYSCTLS: { type: 'boolean', default: LINUX_DEFAULTS.manageSysctls },
    WAYMARK_LINUX_UNDERLAY: { type: 'string', pattern: `^${interfaceName}(,${interfaceName})*$` },
    ...vppProperties,
  },
} as const;

/** Each is a rule that packets are held against. */
const MAX_EDGE_BLOCKS = 256;

/** What a data plane can do for a SID of this node. The dry run takes what a controller knows. */
const BEHAVIORS: Readonly<Record<Environment['WAYMARK_DATAPLANE'], readonly string[]>> = {
  linux: Object.keys(LOCAL_SID_ACTIONS),
  vpp: LOCAL_SID_BEHAVIORS,
  'dry-run': ['End', 'End.DT4', 'End.DT6', 'End.DT46'],
};

/** @throws Error naming the variable that does not fit. */
export function readConfig(environment: NodeJS.ProcessEnv): AgentConfig {
  // An empty variable means unset, as operators expect of compose files and unit files.
  const data = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const env = envSchema<Environment>({ schema: environmentSchema, data, env: false });
  const localSids = localSidsIn(env.WAYMARK_LOCAL_SIDS ?? '', env.WAYMARK_DATAPLANE);
  const controllers = env.WAYMARK_CONTROLLER.split(',');
  const hosts = controllers.map((address) => address.slice(0, address.lastIndexOf(':')));
  return {
    nodeId: env.WAYMARK_NODE_ID,
    controllers,
    grpcTls: grpcTlsPaths(env, 'WAYMARK_CONTROLLER', hosts),
    grpcInsecure: env.WAYMARK_GRPC_INSECURE,
    redisUrl: env.REDIS_URL,
    redisTls: redisTlsPaths(env),
    stateDirectory: join(env.WAYMARK_DATA_DIR, env.WAYMARK_NODE_ID),
    localSids,
    rereadIntervalMs: env.WAYMARK_REREAD_SECONDS * 1_000,
    probeTiming: {
      intervalMs: env.WAYMARK_PROBE_INTERVAL_MS,
      multiplier: env.WAYMARK_PROBE_MULTIPLIER,
      holdDownMs: env.WAYMARK_PROBE_HOLD_DOWN_SECONDS * 1_000,
    },
    statusPort: env.WAYMARK_STATUS_PORT === 0 ? undefined : env.WAYMARK_STATUS_PORT,
    logLevel: env.WAYMARK_LOG_LEVEL,
    dataPlane: dataPlaneOf(env, localSids),
  };
}

function dataPlaneOf(env: Environment, localSids: readonly LocalSid[]): AgentConfig['dataPlane'] {
  const edgeBlocks = edgeBlocksIn(env.WAYMARK_EDGE_BLOCKS ?? '');
  switch (env.WAYMARK_DATAPLANE) {
    case 'linux':
      return { kind: 'linux', settings: linuxSettings(env, localSids, edgeBlocks) };
    case 'vpp':
      return { kind: 'vpp', settings: vppSettings(env, localSids, edgeBlocks, probeRules(env)) };
    case 'dry-run':
      return {
        kind: 'dry-run',
        encapMode: env.WAYMARK_ENCAP_MODE,
        msdHEncaps: env.WAYMARK_DRY_RUN_MSD,
        file: env.WAYMARK_DRY_RUN_FILE,
      };
  }
}

function linuxSettings(env: Environment, localSids: readonly LocalSid[], edgeBlocks: readonly string[]): LinuxSettings {
  const source = env.WAYMARK_LINUX_ENCAP_SOURCE;
  if (edgeBlocks.length > 0 && env.WAYMARK_LINUX_UNDERLAY === undefined) {
    throw new Error(
      'WAYMARK_EDGE_BLOCKS needs WAYMARK_LINUX_UNDERLAY, the interfaces towards the SR domain: without them the edge would cut this node off',
    );
  }
  const rules = probeRules(env);
  if (rules.probePrefix !== null && [0, 1].includes(env.WAYMARK_LINUX_TABLE - rules.probeTable)) {
    throw new Error('WAYMARK_LINUX_PROBE_TABLE: it and the next table must not be WAYMARK_LINUX_TABLE');
  }
  return {
    device: env.WAYMARK_LINUX_DEVICE,
    table: env.WAYMARK_LINUX_TABLE,
    ...rules,
    classTableBase: env.WAYMARK_LINUX_CLASS_TABLE_BASE,
    classRule: env.WAYMARK_LINUX_CLASS_RULE,
    encapMode: env.WAYMARK_ENCAP_MODE,
    encapSource: source === undefined ? null : ipv6Setting('WAYMARK_LINUX_ENCAP_SOURCE', source),
    manageSysctls: env.WAYMARK_LINUX_MANAGE_SYSCTLS,
    underlayInterfaces: env.WAYMARK_LINUX_UNDERLAY?.split(',') ?? [],
    ownsLocalSids: localSids.length > 0,
    edgeBlocks,
  };
}

function probeRules(env: Environment): ProbeRuleSettings {
  return {
    protocol: env.WAYMARK_LINUX_PROTOCOL,
    metric: env.WAYMARK_LINUX_METRIC,
    probePrefix: probePrefixIn(env.WAYMARK_PROBE_PREFIX),
    probeTable: env.WAYMARK_LINUX_PROBE_TABLE,
    probeRule: env.WAYMARK_LINUX_PROBE_RULE,
  };
}

function edgeBlocksIn(text: string): string[] {
  const entries = text.split(',').map((entry) => entry.trim());
  const blocks = entries
    .filter((entry) => entry !== '')
    .map((entry) => setting('WAYMARK_EDGE_BLOCKS', () => canonicalBlock(entry)));
  if (blocks.length > MAX_EDGE_BLOCKS) throw new Error(`WAYMARK_EDGE_BLOCKS: at most ${MAX_EDGE_BLOCKS} prefixes`);
  return [...new Set(blocks)];
}

/** An IPv6 prefix that leaves 32 bits for the addresses of probe routes; null when unset. */
function probePrefixIn(text: string | undefined): string | null {
  if (text === undefined) return null;
  return setting('WAYMARK_PROBE_PREFIX', () => {
    const prefix = canonicalBlock(text);
    if (Number(prefix.split('/')[1]) > 96) throw new RangeError(`"${text}" must be /96 or shorter`);
    return prefix;
  });
}

/** `fc00:1::d4=End.DT4,fc00:1::d6=End.DT6,fc00:1::e1=End.X:fe80::1%eth0` */
function localSidsIn(text: string, dataPlane: Environment['WAYMARK_DATAPLANE']): LocalSid[] {
  const known = BEHAVIORS[dataPlane];
  const entries = text.split(',').filter((entry) => entry.trim() !== '');
  const localSids = entries.map((entry) => {
    const [, address = '', behavior = '', via] = /^([^=]*)=([^:]*)(?::(.*))?$/.exec(entry.trim()) ?? [];
    if (!known.includes(behavior)) {
      throw new Error(`WAYMARK_LOCAL_SIDS: "${entry}" must be <address>=<behavior> with one of ${known.join(', ')}`);
    }
    const localSid = { sid: ipv6Setting('WAYMARK_LOCAL_SIDS', address), behavior };
    return behavior === 'End.X' || via !== undefined ? { ...localSid, via: viaIn(entry, behavior, via) } : localSid;
  });
  if (new Set(localSids.map(({ sid }) => sid)).size !== localSids.length) {
    throw new Error('WAYMARK_LOCAL_SIDS: an address is given twice');
  }
  return localSids;
}

/** Where End.X sends packets: `fe80::1%eth0`. */
function viaIn(entry: string, behavior: string, via = ''): string {
  const [nextHop = '', name = ''] = via.split('%');
  if (behavior !== 'End.X' || name === '') {
    throw new Error(`WAYMARK_LOCAL_SIDS: "${entry}" must be <address>=End.X:<next hop>%<interface>`);
  }
  return `${ipv6Setting('WAYMARK_LOCAL_SIDS', nextHop)}%${name}`;
}
