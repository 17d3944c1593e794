import { canonicalIpv6, type AddressFamily } from '@waymark/topology';
import { parseDocument, stringify } from 'yaml';

/**
 * The Kubernetes control plane of the paper (arXiv 2301.01178): segment lists in ConfigMaps, one per node or one for all.
 *
 *     localsids: {DT4: <SID>, DT6: <SID>}    # service SIDs of this node
 *     node: <name>
 *     policies:                              # this node is their headend
 *       - {bsid: <SID>, node: <IPv6 address of the egress node>, segment_list: [<SID>, ...], traffic: IPv4 | IPv6}
 *
 * A segment list ends in the egress node's service SID for that traffic.
 */

export interface Srv6NodeConfig {
  readonly node: string;
  /** Service SIDs of the node; a family that it does not name is not served. */
  readonly localSids: Readonly<Partial<Record<AddressFamily, string>>>;
  readonly policies: readonly Srv6ConfigPolicy[];
}

export interface Srv6ConfigPolicy {
  readonly bsid: string;
  /** IPv6 address of the egress node. */
  readonly egress: string;
  readonly family: AddressFamily;
  /** In the order of travel; at least the service SID of the egress node, which is last. */
  readonly sids: readonly string[];
}

/** The parts of a v1 ConfigMap that matter here. */
export interface ConfigMap {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
}

/** Where Calico-VPP keeps its configuration. */
export const srv6ConfigNamespace = 'calico-vpp-dataplane';
const nameForAll = 'srv6-config';
const prefixOfOne = `${nameForAll}-`;
const keyOfOne = 'srv6';

/** More than any headend can push: calico-vpp itself panics above 16. */
const maxSids = 64;
const maxPolicies = 20_000;

/** A ConfigMap cannot be used; nothing of it is. */
export class Srv6ConfigError extends Error {
  override readonly name = 'Srv6ConfigError';

  /** `field`: path into the ConfigMap, such as `data.srv6.policies[2].bsid`. */
  constructor(
    readonly field: string,
    message: string,
  ) {
    super(`${field}: ${message}`);
  }
}

/** Is it one of those, by its name? */
export function isSrv6Config(name: string): boolean {
  return name === nameForAll || (name.startsWith(prefixOfOne) && name.length > prefixOfOne.length);
}

/**
 * What a ConfigMap says, of one node or of all. Addresses come out as RFC 5952 has them.
 * Throws Srv6ConfigError with the first field that is wrong.
 */
export function readSrv6Config(configMap: ConfigMap): readonly Srv6NodeConfig[] {
  const { name } = configMap.metadata;
  const data = configMap.data ?? {};
  if (name === nameForAll) return Object.entries(data).map(([node, text]) => readNode(`data.${node}`, text, node));
  const text = data[keyOfOne];
  if (text === undefined) throw new Srv6ConfigError(`data.${keyOfOne}`, `is missing in ${name}`);
  return [readNode(`data.${keyOfOne}`, text, name.slice(prefixOfOne.length))];
}

/** The ConfigMap of one node, as an agent of the paper reads it. */
export function writeSrv6Config(config: Srv6NodeConfig): ConfigMap {
  return {
    metadata: { name: prefixOfOne + config.node, namespace: srv6ConfigNamespace },
    data: { [keyOfOne]: nodeText(config) },
  };
}

/** The one ConfigMap of all nodes. */
export function writeSrv6ConfigForAll(configs: readonly Srv6NodeConfig[]): ConfigMap {
  return {
    metadata: { name: nameForAll, namespace: srv6ConfigNamespace },
    data: Object.fromEntries(configs.map((config) => [config.node, nodeText(config)])),
  };
}

function nodeText({ node, localSids, policies }: Srv6NodeConfig): string {
  const config = {
    localsids: {
      ...(localSids.ipv4 === undefined ? {} : { DT4: localSids.ipv4 }),
      ...(localSids.ipv6 === undefined ? {} : { DT6: localSids.ipv6 }),
    },
    node,
    policies: policies.map(({ bsid, egress, family, sids }) => ({
      bsid,
      node: egress,
      segment_list: sids,
      traffic: family === 'ipv4' ? 'IPv4' : 'IPv6',
    })),
  };
  // Quoted: agents may read YAML 1.1, where `no` is a truth value and 1:20 a number.
  return stringify(config, { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' });
}

function readNode(field: string, text: unknown, node: string): Srv6NodeConfig {
  const config = members(field, parse(field, text), ['localsids', 'node', 'policies']);
  if (config['node'] !== node)
    throw new Srv6ConfigError(`${field}.node`, `must be ${node}, as the ConfigMap's name says`);
  const localSids = members(`${field}.localsids`, config['localsids'] ?? {}, ['DT4', 'DT6']);
  const policies = items(`${field}.policies`, config['policies'] ?? [], maxPolicies).map((policy, i) =>
    readPolicy(`${field}.policies[${i}]`, policy),
  );
  refuseDuplicates(`${field}.policies`, policies);
  return {
    node,
    localSids: {
      ...(localSids['DT4'] === undefined ? {} : { ipv4: address(`${field}.localsids.DT4`, localSids['DT4']) }),
      ...(localSids['DT6'] === undefined ? {} : { ipv6: address(`${field}.localsids.DT6`, localSids['DT6']) }),
    },
    policies,
  };
}

function parse(field: string, text: unknown): unknown {
  if (typeof text !== 'string') throw new Srv6ConfigError(field, `must be text, not ${shown(text)}`);
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) throw new Srv6ConfigError(field, `is not YAML: ${error.message.split('\n', 1)[0] ?? ''}`);
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw new Srv6ConfigError(field, `is not YAML: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function readPolicy(field: string, value: unknown): Srv6ConfigPolicy {
  const policy = members(field, value, ['bsid', 'node', 'segment_list', 'traffic']);
  const sids = items(`${field}.segment_list`, policy['segment_list'], maxSids).map((sid, i) =>
    address(`${field}.segment_list[${i}]`, sid),
  );
  if (sids.length === 0) throw new Srv6ConfigError(`${field}.segment_list`, 'must name at least the service SID');
  return {
    bsid: address(`${field}.bsid`, policy['bsid']),
    egress: address(`${field}.node`, policy['node']),
    family: traffic(`${field}.traffic`, policy['traffic']),
    sids,
  };
}

function refuseDuplicates(field: string, policies: readonly Srv6ConfigPolicy[]): void {
  const bsids = new Set<string>();
  const tunnels = new Set<string>();
  for (const [i, { bsid, egress, family }] of policies.entries()) {
    if (bsids.has(bsid)) throw new Srv6ConfigError(`${field}[${i}].bsid`, `${bsid} is the BSID of an earlier policy`);
    const tunnel = `${egress} ${family}`;
    if (tunnels.has(tunnel)) {
      throw new Srv6ConfigError(`${field}[${i}].node`, `an earlier policy leads ${family} traffic to ${egress}`);
    }
    bsids.add(bsid);
    tunnels.add(tunnel);
  }
}

function traffic(field: string, value: unknown): AddressFamily {
  if (value === 'IPv4') return 'ipv4';
  if (value === 'IPv6') return 'ipv6';
  throw new Srv6ConfigError(field, `must be IPv4 or IPv6, not ${shown(value)}`);
}

function address(field: string, value: unknown): string {
  try {
    if (typeof value === 'string') return canonicalIpv6(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new Srv6ConfigError(field, `must be an IPv6 address, not ${shown(value)}`);
}

const MAX_SHOWN = 80;

/** A value for a message. Anchors of YAML make lists that hold themselves, and a text may be as long as a ConfigMap. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a map';
  return JSON.stringify(typeof value === 'string' ? shortened(value) : value);
}

function shortened(text: string): string {
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}

function items(field: string, value: unknown, max: number): readonly unknown[] {
  if (!Array.isArray(value)) throw new Srv6ConfigError(field, 'must be a list');
  if (value.length > max) throw new Srv6ConfigError(field, `has ${value.length} entries; ${max} at most`);
  return value as readonly unknown[];
}

function members(field: string, value: unknown, names: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Srv6ConfigError(field, 'must be a map');
  }
  const foreign = Object.keys(value).find((name) => !names.includes(name));
  if (foreign !== undefined)
    throw new Srv6ConfigError(`${field}.${shortened(foreign)}`, `is unknown; known are ${names.join(', ')}`);
  return value as Readonly<Record<string, unknown>>;
}
