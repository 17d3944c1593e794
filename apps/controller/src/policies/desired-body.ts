import {
  encodeDesiredPolicy,
  Family,
  TunnelAction,
  type Prefix as ProtocolPrefix,
  type Tunnel,
} from '@waymark/agent-protocol';
import { ipv6ToBytes, parsePrefix, type AddressFamily } from '@waymark/topology';
import type { PolicyState } from '../model/sr-policy.js';
import type { BindingSidPair } from './binding-sids.js';
import { pushedEntries, type StoredList } from './stored-lists.js';

export interface BodyInput {
  readonly policyId: string;
  readonly color: number;
  /** Canonical IPv6 of the endpoint; null when the topology knows none. */
  readonly endpointAddress: string | null;
  readonly status: PolicyState['status'];
  readonly lists: readonly StoredList[];
  /** Empty: none. */
  readonly standby: readonly StoredList[];
  readonly prefixes: readonly string[];
  /** What pods are steered by whose service class is the policy's color. */
  readonly classPrefixes: readonly string[];
  readonly bindingSids: readonly BindingSidPair[];
}

/**
 * What the headend is to hold for a policy, as the bytes that are stored, hashed and sent. null: nothing, so that the
 * underlay takes the traffic (a policy that is down, or has nothing to drop).
 */
export function desiredBody(input: BodyInput): Uint8Array | null {
  if (input.status === 'down') return null;
  const tunnels = input.lists.length === 0 ? dropTunnels(input) : encapsulatingTunnels(input);
  if (tunnels.length === 0) return null;
  return encodeDesiredPolicy({
    policyId: input.policyId,
    color: input.color,
    endpoint: addressBytes(input.endpointAddress ?? '::'),
    tunnels,
    usesPlannedSids: [...input.lists, ...input.standby].some((list) => list.families.some((family) => family.planned)),
  });
}

/**
 * Whether pods of a class go by its policy. The IGP's shortest path is nothing that a class asks for: its pods go as all others
 * do. What is to be dropped rather than go another way is dropped for them, too.
 */
export function servesClass({ status, lists }: Pick<BodyInput, 'status' | 'lists'>): boolean {
  return status === 'up' || (status === 'fallback' && lists.length === 0);
}

function encapsulatingTunnels(input: BodyInput): Tunnel[] {
  const ways = waysOf([...input.lists, ...input.standby]);
  return families(input).flatMap((family) => {
    const segmentLists = finishedLists(input.lists, family, ways);
    if (segmentLists.length === 0) return [];
    const standbyLists = finishedLists(input.standby, family, ways);
    return [tunnel(input, family, TunnelAction.ENCAPSULATE, { segmentLists, standbyLists })];
  });
}

function finishedLists(
  lists: readonly StoredList[],
  family: AddressFamily,
  ways: ReadonlyMap<string, number>,
): Tunnel['segmentLists'][number][] {
  return lists.flatMap((list) => {
    const finished = list.families.find((candidate) => candidate.family === family);
    if (finished === undefined) return [];
    const sids = pushedEntries(list, finished).map(addressBytes);
    return [{ weight: list.weight, sids, way: ways.get(wayOf(list)) ?? 0 }];
  });
}

/**
 * Numbers for transport lists where SIDs are packed: there the last entry of a list holds transport SIDs and the service
 * SID of its family, and only the controller can tell which lists of two families go the same way.
 */
function waysOf(lists: readonly StoredList[]): Map<string, number> {
  const isPacked = lists.some((list) => list.families.some(({ entries }) => entries !== undefined));
  const distinct = new Set(isPacked ? lists.map(wayOf) : []);
  return new Map([...distinct].map((way, i) => [way, i + 1]));
}

function wayOf({ transport }: StoredList): string {
  return transport.map(([sid]) => sid).join();
}

function dropTunnels(input: BodyInput): Tunnel[] {
  return families(input)
    .map((family) => tunnel(input, family, TunnelAction.DROP, { segmentLists: [], standbyLists: [] }))
    .filter(({ steeredPrefixes, classPrefixes }) => steeredPrefixes.length + classPrefixes.length > 0);
}

function families({ bindingSids }: BodyInput): AddressFamily[] {
  return bindingSids.map(({ family }) => family);
}

function tunnel(
  { prefixes, bindingSids, ...input }: BodyInput,
  family: AddressFamily,
  action: TunnelAction,
  lists: Pick<Tunnel, 'segmentLists' | 'standbyLists'>,
): Tunnel {
  const pair = bindingSids.find((candidate) => candidate.family === family);
  if (pair === undefined) throw new RangeError(`no BSIDs for ${family}`);
  const ofFamily = (some: readonly string[]) =>
    some.map(protocolPrefix).filter((prefix) => prefix.family === protocolFamily(family));
  return {
    family: protocolFamily(family),
    action,
    bsid: ipv6ToBytes(pair.a),
    alternateBsid: ipv6ToBytes(pair.b),
    ...lists,
    steeredPrefixes: ofFamily(prefixes),
    classPrefixes: servesClass(input) ? ofFamily(input.classPrefixes) : [],
  };
}

/** Thousands of policies that are published together name the same few hundred SIDs; parsing them was most of the work. */
const KNOWN_ADDRESSES = 4_096;
const known = new Map<string, Uint8Array>();

function addressBytes(address: string): Uint8Array {
  let bytes = known.get(address);
  if (bytes === undefined) {
    bytes = ipv6ToBytes(address);
    if (known.size === KNOWN_ADDRESSES) known.clear();
    known.set(address, bytes);
  }
  return bytes;
}

function protocolFamily(family: AddressFamily): Family {
  return family === 'ipv4' ? Family.IPV4 : Family.IPV6;
}

function protocolPrefix(text: string): ProtocolPrefix {
  const { family, network, length } = parsePrefix(text);
  const bytes = new Uint8Array(family === 'ipv4' ? 4 : 16);
  let value = network;
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = Number(value & 0xffn);
    value >>= 8n;
  }
  return { family: protocolFamily(family), address: bytes, length };
}
