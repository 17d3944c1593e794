import type { Srv6ConfigPolicy, Srv6NodeConfig } from '@waymark/kubernetes-resources';
import { addressFamily, type AddressFamily, type NodeId, type Ted, type TedNode } from '@waymark/topology';
import type { SrPolicyIntent } from '../../model/sr-policy.js';

/** What ConfigMaps name, as the topology has it. */
export interface Surroundings {
  /** Hosts of the cluster by the names of their Kubernetes nodes. */
  readonly hosts: ReadonlyMap<string, NodeId>;
  readonly nodes: ReadonlyMap<NodeId, TedNode>;
  readonly byAddress: ReadonlyMap<string, readonly TedNode[]>;
  /** Of policies for both families, or for IPv6; those for IPv4 alone have the next one. */
  readonly color: number;
}

export interface AskedPolicies {
  readonly intents: readonly SrPolicyIntent[];
  /** Sentences about what cannot be used; the rest can. */
  readonly refusals: readonly string[];
}

export function surroundingsOf(
  ted: Ted,
  hosts: readonly { readonly id: NodeId; readonly name: string }[],
  color: number,
): Surroundings {
  const byAddress = new Map<string, TedNode[]>();
  for (const node of ted.nodes) {
    if (node.address !== null) byAddress.set(node.address, [...(byAddress.get(node.address) ?? []), node]);
  }
  return {
    hosts: new Map(hosts.map(({ id, name }) => [name, id])),
    nodes: new Map(ted.nodes.map((node) => [node.id, node])),
    byAddress,
    color,
  };
}

/**
 * The SR policies that ConfigMaps of the paper ask for, each with one explicit candidate path. Where both families of a
 * tunnel go the same way they are one policy; otherwise each has its own, which steers the endpoint's pod prefixes of its
 * family, because a policy of ours has one transport for both. A tunnel of which one family is refused is refused as a whole.
 */
export function policiesOfConfig(configs: readonly Srv6NodeConfig[], around: Surroundings): AskedPolicies {
  const asked = configs.map((config) => ofNode(config, around));
  return {
    intents: asked.flatMap(({ intents }) => intents),
    refusals: asked.flatMap(({ refusals }) => refusals),
  };
}

function ofNode({ node, policies }: Srv6NodeConfig, around: Surroundings): AskedPolicies {
  const headend = around.hosts.get(node);
  if (headend === undefined || !around.nodes.has(headend)) {
    const what = headend === undefined ? `the cluster has no host "${node}"` : `its host ${headend} is not`;
    return { intents: [], refusals: [`node ${node}: ${what} in the topology`] };
  }
  const tunnels = new Map<string, Srv6ConfigPolicy[]>();
  for (const policy of policies) tunnels.set(policy.egress, [...(tunnels.get(policy.egress) ?? []), policy]);
  const asked = [...tunnels].map(([egress, both]) => {
    const { intents, refusals } = ofTunnel(headend, egress, both, around);
    return { intents, refusals: refusals.map((refusal) => `node ${node}, policy to ${egress}: ${refusal}`) };
  });
  return {
    intents: asked.flatMap(({ intents }) => intents),
    refusals: asked.flatMap(({ refusals }) => refusals),
  };
}

function ofTunnel(
  headend: NodeId,
  egress: string,
  policies: readonly Srv6ConfigPolicy[],
  { byAddress, color }: Surroundings,
): AskedPolicies {
  const [endpoint, other] = byAddress.get(egress) ?? [];
  if (endpoint === undefined) return refused('no node of the topology has this address');
  if (other !== undefined) return refused(`${endpoint.id} and ${other.id} both have this address`);
  if (endpoint.id === headend) return refused('the node would be headend and egress');
  const refusals = policies.flatMap((policy) => wrongLastSid(endpoint, policy) ?? []);
  if (refusals.length > 0) return refused(...refusals);
  const transports = policies.map(({ family, sids }) => ({ family, sids: sids.slice(0, -1) }));
  const [first, second] = transports;
  if (first === undefined) return refused();
  const policy = (ofColor: number, sids: readonly string[], family?: AddressFamily): SrPolicyIntent => ({
    ...{ headend, color: ofColor, endpoint: endpoint.id, fallback: 'shortest-path' },
    candidatePaths: [
      { discriminator: 1, preference: 100, path: { kind: 'explicit', segmentLists: [{ weight: 1, sids }] } },
    ],
    ...(family === undefined ? {} : { steeredPrefixes: prefixesOf(endpoint, family) }),
  });
  if (second !== undefined && first.sids.join() === second.sids.join()) {
    return { intents: [policy(color, first.sids)], refusals: [] };
  }
  const byFamily = transports.map(({ family, sids }) => policy(family === 'ipv6' ? color : color + 1, sids, family));
  return { intents: byFamily, refusals: [] };
}

function refused(...refusals: readonly string[]): AskedPolicies {
  return { intents: [], refusals };
}

/** The controller appends the service SID by itself: a list that ends otherwise would not be the list that is asked for. */
function wrongLastSid({ id, sids: owned }: TedNode, { family, sids }: Srv6ConfigPolicy): string | undefined {
  const behavior = family === 'ipv4' ? 'End.DT4' : 'End.DT6';
  const services = owned.filter((sid) => sid.behavior === behavior || sid.behavior === 'End.DT46');
  const last = sids.at(-1) ?? '';
  if (services.some(({ sid }) => sid === last)) return undefined;
  const known = services.map(({ sid }) => sid).join(' or ');
  return (
    `the ${family} list ends in ${last}, which is no service SID of ${id} for that traffic; ` +
    (known === '' ? 'none is known' : `it must end in ${known}`)
  );
}

function prefixesOf({ podPrefixes }: TedNode, family: AddressFamily): readonly string[] {
  return podPrefixes.filter((prefix) => addressFamily(prefix.split('/')[0] ?? '') === family);
}
