import {
  decodeDesiredPolicy,
  decodeServiceClass,
  Family,
  isClassId,
  TunnelAction as Action,
  type Tunnel as TunnelMessage,
} from '@waymark/agent-protocol';
import { formatAddress } from '../dataplane/address.js';
import { canonicalLists } from '../dataplane/segment-lists.js';
import { listKey } from '../liveness/probe-address.js';
import type { ClassSource, SegmentList, SteeredPrefix, Tunnel } from '../dataplane/port.js';

/** A tunnel with what it may use while probes say that none of its own lists delivers. Canonical; none of its own lists. */
export interface WantedTunnel extends Tunnel {
  readonly standbyLists: readonly SegmentList[];
}

/** One entry of the desired state, an SR policy or a service class, in the words of the data plane port. */
export interface WantedEntry<T extends Tunnel = WantedTunnel> {
  /** Or the id of a service class. */
  readonly policyId: string;
  /** The headend generation that wrote it. */
  readonly generation: number;
  readonly body: Uint8Array;
  readonly content: EntryContent<T>;
}

/** `unreadable`: from a controller that this version does not understand; the reason says what is wrong. */
export type EntryContent<T extends Tunnel = WantedTunnel> =
  | {
      readonly kind: 'policy';
      readonly tunnels: readonly T[];
      readonly usesPlannedSids: boolean;
      /** By the key of a list: those with the same number go the same way up to their service SIDs. */
      readonly ways: ReadonlyMap<string, number>;
    }
  | { readonly kind: 'class'; readonly color: number; readonly sources: readonly ClassSource[] }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Never throws: an entry that cannot be read is a value, so that it holds up no other. */
export function wantedEntry(policyId: string, generation: number, body: Uint8Array): WantedEntry {
  try {
    const content = isClassId(policyId) ? classContent(policyId, body) : policyContent(policyId, body);
    return { policyId, generation, body, content };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { policyId, generation, body, content: { kind: 'unreadable', reason } };
  }
}

export function tunnelsOf<T extends Tunnel>({ content }: Pick<WantedEntry<T>, 'content'>): readonly T[] {
  return content.kind === 'policy' ? content.tunnels : [];
}

export function sourcesOf({ content }: Pick<WantedEntry<Tunnel>, 'content'>): readonly ClassSource[] {
  return content.kind === 'class' ? content.sources : [];
}

function policyContent(policyId: string, body: Uint8Array): EntryContent {
  const policy = decodeDesiredPolicy(body);
  if (policy.policyId !== policyId) throw new Error(`the body is that of ${policy.policyId}`);
  const tunnels = policy.tunnels.map((tunnel) => tunnelOf(tunnel, policy.color));
  return { kind: 'policy', tunnels, usesPlannedSids: policy.usesPlannedSids, ways: waysOf(policy.tunnels) };
}

function classContent(classId: string, body: Uint8Array): EntryContent {
  const { classId: ofBody, color, sources } = decodeServiceClass(body);
  if (ofBody !== classId) throw new Error(`the body is that of ${ofBody}`);
  return { kind: 'class', color, sources: sources.map((source) => ({ address: formatAddress(source), color })) };
}

function tunnelOf(message: TunnelMessage, color: number): WantedTunnel {
  const segmentLists = listsOf(message.segmentLists);
  const own = new Set(segmentLists.map(({ sids }) => sids.join()));
  return {
    family: message.family === Family.IPV4 ? 'ipv4' : 'ipv6',
    bsid: formatAddress(message.bsid),
    alternateBsid: formatAddress(message.alternateBsid),
    action: message.action === Action.DROP ? { kind: 'drop' } : { kind: 'encapsulate', segmentLists },
    standbyLists: listsOf(message.standbyLists).filter(({ sids }) => !own.has(sids.join())),
    steeredPrefixes: [...prefixesOf(message.steeredPrefixes, null), ...prefixesOf(message.classPrefixes, color)],
  };
}

function prefixesOf(prefixes: TunnelMessage['steeredPrefixes'], color: number | null): readonly SteeredPrefix[] {
  return prefixes.map(({ address, length }) => ({ prefix: `${formatAddress(address)}/${length}`, color }));
}

function listsOf(lists: TunnelMessage['segmentLists']): readonly SegmentList[] {
  return canonicalLists(lists.map(({ weight, sids }) => ({ weight, sids: sids.map(formatAddress) })));
}

function waysOf(tunnels: readonly TunnelMessage[]): ReadonlyMap<string, number> {
  const lists = tunnels.flatMap(({ segmentLists, standbyLists }) => [...segmentLists, ...standbyLists]);
  const numbered = lists.filter(({ way }) => way > 0);
  return new Map(numbered.map(({ sids, way }) => [listKey(sids.map(formatAddress)), way]));
}
