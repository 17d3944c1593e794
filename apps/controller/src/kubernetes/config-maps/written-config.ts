import type { Srv6ConfigPolicy, Srv6NodeConfig } from '@waymark/kubernetes-resources';
import { addressFamily, type AddressFamily, type NodeId, type TedNode } from '@waymark/topology';
import type { PolicyState, SrPolicyView } from '../../model/sr-policy.js';

export interface WrittenConfig {
  readonly config: Srv6NodeConfig;
  /** Sentences about what a ConfigMap of the paper cannot say; sorted. */
  readonly leftOut: readonly string[];
}

/** A policy as it would be written for one family. */
interface Candidate {
  readonly view: SrPolicyView;
  readonly written: Srv6ConfigPolicy;
  /** How many of the endpoint's pod prefixes it steers. */
  readonly steered: number;
  readonly lists: number;
}

const families: readonly AddressFamily[] = ['ipv4', 'ipv6'];

/**
 * What the ConfigMap of a headend says: for each egress node and family, the one policy in force that steers its pod prefixes,
 * with its heaviest list. undefined: there is none.
 */
export function writtenConfig(
  name: string,
  headend: TedNode,
  policies: readonly SrPolicyView[],
  nodes: ReadonlyMap<NodeId, TedNode>,
): WrittenConfig | undefined {
  const leftOut: string[] = [];
  const chosen = new Map<string, Candidate>();
  for (const view of policies) {
    for (const family of families) {
      const found = candidateOf(view, family, nodes);
      if (typeof found === 'string') leftOut.push(`${view.id} (${family}): ${found}`);
      if (found === undefined || typeof found === 'string') continue;
      const key = `${found.written.egress} ${family}`;
      const [better, worse] = inOrder(found, chosen.get(key));
      chosen.set(key, better);
      if (worse !== undefined) leftOut.push(`${worse.view.id} (${family}): ${better.view.id} leads there already`);
    }
  }
  if (chosen.size === 0) return undefined;
  const written = [...chosen].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, candidate]) => candidate);
  for (const { view, written: policy, lists } of written) {
    if (lists > 1) leftOut.push(`${view.id} (${policy.family}): has ${lists} weighted lists; the heaviest is written`);
  }
  const config = { node: name, localSids: localSidsOf(headend), policies: written.map((one) => one.written) };
  return { config, leftOut: leftOut.sort() };
}

/** A sentence when there is a policy in force that cannot be written; undefined when there is none for the family. */
function candidateOf(
  { id, intent, state, ...view }: SrPolicyView,
  family: AddressFamily,
  nodes: ReadonlyMap<NodeId, TedNode>,
): Candidate | string | undefined {
  if (state === null || state.status === 'down') return undefined;
  if (state.lists.length === 0) return 'it drops its traffic, which the format cannot say';
  const [heaviest] = [...state.lists].sort((a, b) => b.weight - a.weight);
  const finished = heaviest?.segmentLists.find((list) => list.family === family);
  const bsid = state.bindingSids.find((binding) => binding.family === family)?.sid;
  if (finished === undefined || bsid === undefined) return undefined;
  const endpoint = nodes.get(intent.endpoint);
  if (endpoint?.address == null) return `no address of ${intent.endpoint} is known`;
  if (finished.proof.usesPlannedSids) return 'it uses planned SIDs, which routers may not have';
  const steered = steeredOf(state, family);
  const pods = endpoint.podPrefixes.filter((prefix) => familyOf(prefix) === family);
  if (intent.steeredPrefixes !== undefined && (pods.length === 0 || !pods.every((prefix) => steered.has(prefix)))) {
    return `agents would steer all pod prefixes of ${endpoint.id} into it`;
  }
  const sids = finished.entries.map(({ address }) => address);
  return {
    view: { id, intent, state, ...view },
    written: { bsid, egress: endpoint.address, family, sids },
    steered: steered.size,
    lists: state.lists.length,
  };
}

/** First the one that steers more, then the lower color. */
function inOrder(a: Candidate, b: Candidate | undefined): [Candidate, Candidate | undefined] {
  if (b === undefined) return [a, undefined];
  const isFirst = b.steered - a.steered || a.view.intent.color - b.view.intent.color;
  return isFirst < 0 ? [a, b] : [b, a];
}

function steeredOf({ steering }: PolicyState, family: AddressFamily): ReadonlySet<string> {
  const own = steering.filter(({ prefix, heldBy }) => heldBy === null && familyOf(prefix) === family);
  return new Set(own.map(({ prefix }) => prefix));
}

function familyOf(prefix: string): AddressFamily | undefined {
  return addressFamily(prefix.split('/')[0] ?? '');
}

function localSidsOf({ sids }: TedNode): Srv6NodeConfig['localSids'] {
  const known = sids.filter(({ origin }) => origin !== 'planned');
  const of = (behavior: string) => known.find((sid) => sid.behavior === behavior)?.sid;
  const ipv4 = of('End.DT4') ?? of('End.DT46');
  const ipv6 = of('End.DT6') ?? of('End.DT46');
  return { ...(ipv4 === undefined ? {} : { ipv4 }), ...(ipv6 === undefined ? {} : { ipv6 }) };
}
