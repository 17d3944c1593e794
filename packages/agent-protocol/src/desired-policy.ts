import {
  DesiredPolicy,
  Family,
  TunnelAction,
  type Prefix,
  type SegmentList,
  type Tunnel,
} from './generated/waymark/agent/v1/agent.js';
import { isClassId, isPolicyId } from './identifiers.js';
import { MAX_BODY_BYTES } from './limits.js';
import { decoding, ProtocolError } from './protocol-error.js';
import { equalBytes } from './state-hash.js';

/** Most SIDs of one list that a segment routing header can carry: its last entry is numbered in one byte (RFC 8754). */
const MAX_SIDS = 127;

/**
 * The bytes of a policy: the same policy gives the same bytes, whatever the order of its tunnels, lists and prefixes.
 * Throws ProtocolError (`malformed`) for a policy that an agent would refuse.
 */
export function encodeDesiredPolicy(policy: DesiredPolicy): Uint8Array {
  const canonical = canonicalPolicy(policy);
  checkPolicy(canonical);
  const bytes = DesiredPolicy.encode(canonical).finish();
  if (bytes.length > MAX_BODY_BYTES) {
    throw malformed(`policy ${policy.policyId} takes ${bytes.length} bytes; ${MAX_BODY_BYTES} are allowed`);
  }
  return bytes;
}

/**
 * Reads the bytes of a policy. Only what encodeDesiredPolicy would write is taken: a field that this version does not
 * know may change what the policy means, so it is refused rather than ignored. Throws ProtocolError (`malformed`).
 */
export function decodeDesiredPolicy(bytes: Uint8Array): DesiredPolicy {
  const policy = decoding('DesiredPolicy', () => DesiredPolicy.decode(bytes));
  if (!equalBytes(bytes, encodeDesiredPolicy(policy))) throw malformed('a policy is not in its canonical encoding');
  return policy;
}

function canonicalPolicy(policy: DesiredPolicy): DesiredPolicy {
  const tunnels = policy.tunnels.map((tunnel) => ({
    ...tunnel,
    segmentLists: sortedLists(tunnel.segmentLists),
    standbyLists: sortedLists(tunnel.standbyLists),
    steeredPrefixes: [...tunnel.steeredPrefixes].sort(comparePrefixes),
    classPrefixes: [...tunnel.classPrefixes].sort(comparePrefixes),
  }));
  return { ...policy, tunnels: tunnels.sort((a, b) => a.family - b.family) };
}

function sortedLists(lists: readonly SegmentList[]): SegmentList[] {
  return [...lists].sort(
    (a, b) => compareBytes(Buffer.concat(a.sids), Buffer.concat(b.sids)) || a.weight - b.weight || a.way - b.way,
  );
}

function comparePrefixes(a: Prefix, b: Prefix): number {
  return a.family - b.family || compareBytes(a.address, b.address) || a.length - b.length;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

function checkPolicy(policy: DesiredPolicy): void {
  if (!isPolicyId(policy.policyId) || isClassId(policy.policyId)) {
    throw malformed(`"${policy.policyId}" is not a policy id`);
  }
  if (policy.policyId.split(':')[1] !== String(policy.color)) throw malformed('the color is not that of the policy id');
  if (policy.endpoint.length !== 16) throw malformed('the endpoint is not an IPv6 address');
  policy.tunnels.forEach((tunnel, index) => {
    if (tunnel.family === policy.tunnels[index - 1]?.family) throw malformed('two tunnels have the same family');
    checkTunnel(tunnel);
  });
}

function checkTunnel(tunnel: Tunnel): void {
  if (tunnel.family !== Family.IPV4 && tunnel.family !== Family.IPV6) throw malformed('a tunnel has no known family');
  checkBindingSids(tunnel);
  checkAction(tunnel);
  checkPrefixes(tunnel.steeredPrefixes, tunnel.family);
  checkPrefixes(tunnel.classPrefixes, tunnel.family);
}

function checkPrefixes(prefixes: readonly Prefix[], family: Family): void {
  prefixes.forEach((prefix, index) => {
    const before = prefixes[index - 1];
    if (before !== undefined && comparePrefixes(before, prefix) === 0) throw malformed('a prefix is steered twice');
    checkPrefix(prefix, family);
  });
}

function checkBindingSids(tunnel: Tunnel): void {
  for (const bsid of [tunnel.bsid, tunnel.alternateBsid]) {
    if (bsid.length !== 16) throw malformed('a binding SID is not an IPv6 address');
  }
  if (equalBytes(tunnel.bsid, tunnel.alternateBsid)) throw malformed('both binding SIDs of a tunnel are the same');
}

function checkAction(tunnel: Tunnel): void {
  if (tunnel.action === TunnelAction.DROP) {
    if (tunnel.segmentLists.length + tunnel.standbyLists.length > 0) {
      throw malformed('a tunnel that drops has segment lists');
    }
    return;
  }
  if (tunnel.action !== TunnelAction.ENCAPSULATE) throw malformed('a tunnel has no known action');
  if (tunnel.segmentLists.length === 0) throw malformed('a tunnel has nothing to encapsulate into');
  for (const list of [...tunnel.segmentLists, ...tunnel.standbyLists]) {
    if (list.weight === 0) throw malformed('a segment list has weight 0');
    if (list.sids.length === 0 || list.sids.length > MAX_SIDS) {
      throw malformed(`a segment list has ${list.sids.length} SIDs; 1 to ${MAX_SIDS} are allowed`);
    }
    if (list.sids.some((sid) => sid.length !== 16)) throw malformed('a SID is not an IPv6 address');
  }
}

/** Throws ProtocolError (`malformed`) for what is no prefix of this family. */
export function checkPrefix(prefix: Prefix, family: Family): void {
  if (prefix.family !== family) throw malformed('a prefix is not of the family that it must be of');
  const bytes = family === Family.IPV4 ? 4 : 16;
  if (prefix.address.length !== bytes) throw malformed('the address of a prefix has the wrong length');
  if (prefix.length > bytes * 8) throw malformed('the length of a prefix is out of range');
  const hostBits = prefix.address.some((byte, index) => {
    const networkBits = Math.min(8, Math.max(0, prefix.length - index * 8));
    return (byte & (0xff >> networkBits)) !== 0;
  });
  if (hostBits) throw malformed('a prefix has host bits set');
}

function malformed(message: string): ProtocolError {
  return new ProtocolError('malformed', message);
}
