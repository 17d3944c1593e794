import { allotPrefixes, type FoundHost, type RefusedPrefix } from '@waymark/kubernetes-resources';
import { nodeIdPattern } from '@waymark/http-contract';
import type { NodeId } from '@waymark/topology';
import type { ClusterHost } from '../model/topology.js';
import type { ClusterConfig } from './kubernetes-config.js';

/** A cluster, with what it says or, while it says nothing, what it said last. */
export interface ClusterView {
  readonly config: ClusterConfig;
  /** undefined: its API server has not answered since this controller started. */
  readonly found: readonly FoundHost[] | undefined;
  /** What the TED has of it. */
  readonly stated: readonly ClusterHost[];
}

/** A node that does not become a host. */
export interface RefusedNode {
  readonly node: string;
  readonly message: string;
}

export interface ClusterStatement {
  readonly hosts: readonly ClusterHost[];
  readonly refusedNodes: readonly RefusedNode[];
  readonly refusedPrefixes: readonly RefusedPrefix[];
}

const validNodeId = new RegExp(nodeIdPattern);

/**
 * What each cluster is to say of its hosts, in the order of the clusters, so that no node id and no pod prefix is claimed
 * twice. What a cluster has already stays its own; otherwise the earlier cluster counts. Clusters that say nothing keep what
 * they said, and what others say yields to that.
 */
export function stateHosts(clusters: readonly ClusterView[]): readonly ClusterStatement[] {
  const owners = ownersOf(clusters);
  const drafts = clusters.map((cluster) => draft(cluster, owners));
  const claims = drafts.flatMap(({ hosts }, i) =>
    hosts.map(({ id, podPrefixes }) => ({ cluster: nameOf(clusters, i), host: id, prefixes: podPrefixes })),
  );
  const before = new Map(clusters.flatMap(({ stated }) => stated.map(({ id, podPrefixes }) => [id, podPrefixes])));
  const { granted, refused } = allotPrefixes(claims, before);
  return drafts.map(({ hosts, refusedNodes }, i) => ({
    hosts: hosts.map((host) => ({ ...host, podPrefixes: granted.get(host.id) ?? [] })),
    refusedNodes,
    refusedPrefixes: refused.filter(({ cluster }) => cluster === nameOf(clusters, i)),
  }));
}

function nameOf(clusters: readonly ClusterView[], i: number): string {
  return clusters[i]?.config.name ?? '';
}

/** Which cluster each node id belongs to. */
function ownersOf(clusters: readonly ClusterView[]): ReadonlyMap<NodeId, string> {
  const owners = new Map<NodeId, string>();
  const wanted = clusters.map(({ config, found, stated }) => ({
    cluster: config.name,
    ids: new Set(
      found === undefined ? stated.map(({ id }) => id) : found.map((host) => takenIdOf(host, config, stated)),
    ),
    had: new Set(stated.map(({ id }) => id)),
  }));
  const give = (cluster: string, id: NodeId): void => {
    if (!owners.has(id)) owners.set(id, cluster);
  };
  for (const { cluster, ids, had } of wanted) for (const id of ids) if (had.has(id)) give(cluster, id);
  for (const { cluster, ids } of wanted) for (const id of ids) give(cluster, id);
  return owners;
}

function draft({ config, found, stated }: ClusterView, owners: ReadonlyMap<NodeId, string>) {
  if (found === undefined) return { hosts: stated, refusedNodes: [] };
  const hosts = new Map<NodeId, ClusterHost>();
  const refusedNodes: RefusedNode[] = [];
  const before = new Map(stated.map((host) => [host.id, host]));
  for (const host of found) {
    const said = idOf(host, config);
    const id = takenIdOf(host, config, stated);
    const owner = owners.get(id);
    if (!validNodeId.test(said)) {
      const message = `"${said}" is not a node id: at most 63 letters, digits, dots, dashes`;
      refusedNodes.push({ node: host.name, message: id === said ? message : `${message}; it stays ${id}` });
      if (id === said) continue;
    }
    if (owner !== config.name) {
      refusedNodes.push({ node: host.name, message: `the node id ${id} belongs to cluster ${owner ?? ''}` });
    } else if (hosts.has(id)) {
      refusedNodes.push({ node: host.name, message: `another node of the cluster has the node id ${id}` });
    } else {
      const { name, podPrefixes, unclear } = host;
      const known = before.get(id);
      const address = unclear.includes('address') ? (known?.address ?? null) : host.address;
      const site = (unclear.includes('site') ? known?.site : host.site) ?? config.site ?? null;
      const routers = unclear.includes('attachedTo') ? (known?.attachedTo ?? host.attachedTo) : host.attachedTo;
      const named = routers.length === 0 ? (config.attachedTo ?? []) : routers;
      // A link has two ends.
      const attachedTo = named.filter((router) => router !== id);
      const { attachmentDelayUs } = config;
      const delay = attachmentDelayUs === undefined ? {} : { attachmentDelayUs };
      hosts.set(id, { id, name, site, address, podPrefixes, attachedTo, ...delay });
    }
  }
  return { hosts: [...hosts.values()], refusedNodes };
}

/** A node that had an id keeps it when it names one that is none. */
function takenIdOf(host: FoundHost, config: ClusterConfig, stated: readonly ClusterHost[]): NodeId {
  const id = idOf(host, config);
  return validNodeId.test(id) ? id : (stated.find(({ name }) => name === host.name)?.id ?? id);
}

function idOf({ nodeId, name }: FoundHost, { nodeIdPrefix = '' }: ClusterConfig): NodeId {
  return nodeId ?? nodeIdPrefix + name;
}
