import {
  decodeDesiredPolicy,
  Family,
  TunnelAction as Action,
  type Tunnel as TunnelMessage,
} from '@waymark/agent-protocol';
import { formatAddress } from '../dataplane/address.js';
import { canonicalLists } from '../dataplane/segment-lists.js';
import { listKey } from '../liveness/probe-address.js';
import type { SegmentList, Tunnel } from '../dataplane/port.js';

/** A tunnel with what it may use while probes say that none of its own lists delivers. Canonical; none of its own lists. */
export interface WantedTunnel extends Tunnel {
  readonly standbyLists: readonly SegmentList[];
}

/** One SR policy as the controller wants it, in the words of the data plane port. */
export interface WantedPolicy<T extends Tunnel = WantedTunnel> {
  readonly policyId: string;
  /** The headend generation that wrote it. */
  readonly generation: number;
  readonly body: Uint8Array;
  /** `unreadable`: from a controller that this version does not understand; the reason says what is wrong. */
  readonly content:
    | {
        readonly kind: 'readable';
        readonly tunnels: readonly T[];
        readonly usesPlannedSids: boolean;
        /** By the key of a list: those with the same number go the same way up to their service SIDs. */
        readonly ways: ReadonlyMap<string, number>;
      }
    | { readonly kind: 'unreadable'; readonly reason: string };
}

/** Never throws: a policy that cannot be read is a value, so that it holds up no other. */
export function wantedPolicy(policyId: string, generation: number, body: Uint8Array): WantedPolicy {
  try {
    const policy = decodeDesiredPolicy(body);
    if (policy.policyId !== policyId) throw new Error(`the body is that of ${policy.policyId}`);
    const tunnels = policy.tunnels.map(tunnelOf);
    return {
      policyId,
      generation,
      body,
      content: { kind: 'readable', tunnels, usesPlannedSids: policy.usesPlannedSids, ways: waysOf(policy.tunnels) },
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { policyId, generation, body, content: { kind: 'unreadable', reason } };
  }
}

function tunnelOf(message: TunnelMessage): WantedTunnel {
  const segmentLists = listsOf(message.segmentLists);
  const own = new Set(segmentLists.map(({ sids }) => sids.join()));
  return {
    family: message.family === Family.IPV4 ? 'ipv4' : 'ipv6',
    bsid: formatAddress(message.bsid),
    alternateBsid: formatAddress(message.alternateBsid),
    action: message.action === Action.DROP ? { kind: 'drop' } : { kind: 'encapsulate', segmentLists },
    standbyLists: listsOf(message.standbyLists).filter(({ sids }) => !own.has(sids.join())),
    steeredPrefixes: message.steeredPrefixes.map(({ address, length }) => `${formatAddress(address)}/${length}`),
  };
}

function listsOf(lists: TunnelMessage['segmentLists']): readonly SegmentList[] {
  return canonicalLists(lists.map(({ weight, sids }) => ({ weight, sids: sids.map(formatAddress) })));
}

function waysOf(tunnels: readonly TunnelMessage[]): ReadonlyMap<string, number> {
  const lists = tunnels.flatMap(({ segmentLists, standbyLists }) => [...segmentLists, ...standbyLists]);
  const numbered = lists.filter(({ way }) => way > 0);
  return new Map(numbered.map(({ sids, way }) => [listKey(sids.map(formatAddress)), way]));
}
