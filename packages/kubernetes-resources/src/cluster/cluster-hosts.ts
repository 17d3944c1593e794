import { nodeIdPattern } from '@waymark/http-contract';
import {
  addressFamily,
  canonicalIpv6,
  formatPrefix,
  parsePrefix,
  prefixContains,
  type Prefix,
} from '@waymark/topology';
import type { BlockAffinity, ClusterObjects, IpamBlock, IpPool, KubernetesNode } from './objects.js';

export type UnclearPart = 'address' | 'attachedTo' | 'site';

/** A node of a cluster as a host of the TED. */
export interface FoundHost {
  readonly name: string;
  /** What the operator wrote on the node, if anything: see the annotations. */
  readonly nodeId: string | null;
  readonly site: string | null;
  /** RFC 5952; null when the node has none. */
  readonly address: string | null;
  readonly ready: boolean;
  /** Routers that it is attached to, by node id; empty when the node does not say. */
  readonly attachedTo: readonly string[];
  /** Of which the node says something that cannot be used: nothing new is known of them. */
  readonly unclear: readonly UnclearPart[];
  /** Prefixes of the pods that it serves, and single addresses that it borrowed; sorted, each once. */
  readonly podPrefixes: readonly string[];
}

/** Part of an object that could not be used; the rest was. */
export interface ObjectProblem {
  readonly object: string;
  readonly message: string;
}

export interface ClusterHosts {
  /** Sorted by name. */
  readonly hosts: readonly FoundHost[];
  readonly problems: readonly ObjectProblem[];
}

const isNodeId = new RegExp(nodeIdPattern);
const isLabelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const MAX_ROUTERS = 16;

/** Annotations on nodes that Waymark reads. */
export const nodeIdAnnotation = 'waymark.dev/node-id';
export const attachedToAnnotation = 'waymark.dev/attached-to';

export const zoneLabel = 'topology.kubernetes.io/zone';
const calicoIpv6Annotation = 'projectcalico.org/IPv6Address';
/** All annotations on nodes that are read. */
export const nodeAnnotations = [nodeIdAnnotation, attachedToAnnotation, calicoIpv6Annotation];

/**
 * The hosts that a cluster's objects make. With Calico a node serves the blocks that are confirmed to be its own, in pools
 * that pods get addresses from, and every address of others' blocks that one of its pods has; without, its podCIDRs.
 */
export function clusterHosts(objects: ClusterObjects): ClusterHosts {
  const problems: ObjectProblem[] = [];
  const report = (object: string, message: string): void => {
    problems.push({ object, message });
  };
  const prefixes = objects.calico === null ? undefined : calicoPrefixes(objects.calico, report);
  const hosts = objects.nodes.flatMap((node) => {
    const name = node.metadata?.name;
    if (name === undefined) {
      report('Node', 'has no name');
      return [];
    }
    const served = prefixes === undefined ? podCidrs(node, name, report) : (prefixes.get(name) ?? []);
    return [hostOf(node, name, served, report)];
  });
  return { hosts: hosts.sort((a, b) => compareText(a.name, b.name)), problems };
}

type Report = (object: string, message: string) => void;

function hostOf(node: KubernetesNode, name: string, served: Iterable<string>, report: Report): FoundHost {
  const annotations = node.metadata?.annotations ?? {};
  const unclear = new Set<UnclearPart>();
  const doubt = (part: UnclearPart, message: string): void => {
    unclear.add(part);
    report(`Node ${name}`, message);
  };
  const site = siteOf(node, doubt);
  const address = ipv6AddressOf(node, doubt);
  const attachedTo = routersOf(annotations[attachedToAnnotation] ?? '', doubt);
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  return {
    name,
    nodeId: annotations[nodeIdAnnotation] ?? null,
    ...{ site, address, attachedTo, unclear: [...unclear] },
    ready: ready?.status === 'True',
    podPrefixes: [...new Set(served)].sort(compareText),
  };
}

type Doubt = (part: UnclearPart, message: string) => void;

function siteOf(node: KubernetesNode, doubt: Doubt): string | null {
  const zone = node.metadata?.labels?.[zoneLabel] ?? null;
  if (zone === null || isLabelValue.test(zone)) return zone;
  doubt('site', `its label ${zoneLabel} is no label value: at most 63 letters, digits, dots, dashes`);
  return null;
}

/** Each once; a link would be there twice. */
function routersOf(annotation: string, doubt: Doubt): readonly string[] {
  const named = [...new Set(annotation.split(',').map((router) => router.trim()))].filter(Boolean);
  const routers = named.filter((router) => isNodeId.test(router)).slice(0, MAX_ROUTERS);
  if (routers.length < named.length)
    doubt(
      'attachedTo',
      `its annotation ${attachedToAnnotation} must be at most ${MAX_ROUTERS} ids of routers, separated by commas`,
    );
  return routers;
}

/** Calico's choice, where it says; else the first internal address. */
function ipv6AddressOf(node: KubernetesNode, doubt: Doubt): string | null {
  const calico = node.metadata?.annotations?.[calicoIpv6Annotation]?.split('/', 1)[0];
  const internal = (node.status?.addresses ?? []).flatMap(({ type, address }) =>
    type === 'InternalIP' && address !== undefined && addressFamily(address) === 'ipv6' ? [address] : [],
  );
  const found = calico ?? internal[0];
  if (found === undefined) return null;
  try {
    return canonicalIpv6(found);
  } catch (error) {
    doubt('address', sentenceOf(error));
    return null;
  }
}

function podCidrs(node: KubernetesNode, name: string, report: Report): readonly string[] {
  const cidrs = node.spec?.podCIDRs ?? (node.spec?.podCIDR === undefined ? [] : [node.spec.podCIDR]);
  return cidrs.flatMap((cidr) => {
    const prefix = readPrefix(`Node ${name}`, cidr, report);
    return prefix === undefined ? [] : [formatPrefix(prefix)];
  });
}

interface CalicoObjects {
  readonly blockAffinities: readonly BlockAffinity[];
  readonly ipPools: readonly IpPool[];
  readonly ipamBlocks: readonly IpamBlock[];
}

/** What each node serves, by its name. */
function calicoPrefixes(objects: CalicoObjects, report: Report): ReadonlyMap<string, readonly string[]> {
  const { blockAffinities, ipPools, ipamBlocks } = objects;
  const pools = ipPools.filter(givesPodsAddresses).flatMap((pool) => {
    const prefix = readPrefix(`IPPool ${pool.metadata?.name ?? ''}`, pool.spec?.cidr, report);
    return prefix === undefined ? [] : [prefix];
  });
  const isOfPods = (prefix: Prefix): boolean => pools.some((pool) => prefixContains(pool, prefix));
  const served = new Map<string, string[]>();
  const serve = (node: string, prefix: string): void => {
    const known = served.get(node);
    if (known === undefined) served.set(node, [prefix]);
    else known.push(prefix);
  };
  for (const { metadata, spec = {} } of blockAffinities) {
    if (spec.state !== 'confirmed' || String(spec.deleted) === 'true' || spec.type === 'virtual') continue;
    const block = readPrefix(`BlockAffinity ${metadata?.name ?? ''}`, spec.cidr, report);
    if (block === undefined || spec.node === undefined || !isOfPods(block)) continue;
    serve(spec.node, formatPrefix(block));
  }
  for (const block of ipamBlocks) {
    const prefix = readPrefix(`IPAMBlock ${block.metadata?.name ?? ''}`, block.spec?.cidr, report);
    if (prefix === undefined || !isOfPods(prefix)) continue;
    for (const { node, address } of borrowed(block, prefix)) serve(node, address);
  }
  return served;
}

/** Without a list, a pool is for everything. Pools of SIDs are for tunnels. */
function givesPodsAddresses({ spec }: IpPool): boolean {
  return spec?.allowedUses?.includes('Workload') ?? true;
}

/** Has a pod of another node than the block's own the address? Tunnel addresses of nodes have no pod. */
export function isLent(
  secondary: Readonly<Record<string, string>> | null | undefined,
  affinity: string | null | undefined,
): secondary is { readonly node: string; readonly pod: string } {
  if (secondary?.['node'] === undefined || secondary['pod'] === undefined) return false;
  return affinity !== `host:${secondary['node']}`;
}

/** Addresses of a block that pods of other nodes than the block's own have. */
function* borrowed({ spec }: IpamBlock, block: Prefix): Generator<{ readonly node: string; readonly address: string }> {
  const length = block.family === 'ipv4' ? 32 : 128;
  for (const [ordinal, index] of (spec?.allocations ?? []).entries()) {
    if (index === null) continue;
    const secondary = spec?.attributes?.[index]?.secondary;
    if (!isLent(secondary, spec?.affinity)) continue;
    const address: Prefix = { family: block.family, network: block.network + BigInt(ordinal), length };
    if (prefixContains(block, address)) yield { node: secondary.node, address: formatPrefix(address) };
  }
}

function readPrefix(object: string, text: string | undefined, report: Report): Prefix | undefined {
  try {
    if (text === undefined) throw new RangeError('its prefix is missing');
    return parsePrefix(text);
  } catch (error) {
    report(object, sentenceOf(error));
    return undefined;
  }
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof RangeError)) throw error;
  return error.message;
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
