import { createHash } from 'node:crypto';

/** Length of a state hash in bytes. */
export const STATE_HASH_BYTES = 32;

/** One policy that counts towards a state hash. */
export interface HashedPolicy {
  readonly policyId: string;
  /** A serialized DesiredPolicy. */
  readonly body: Uint8Array;
}

/** The hash of holding nothing: zeros. */
export function emptyStateHash(): Uint8Array {
  return new Uint8Array(STATE_HASH_BYTES);
}

/** SHA-256 over (length of the policy id as a big-endian uint32 ‖ policy id in UTF-8 ‖ body). */
export function policyHash(policyId: string, body: Uint8Array): Uint8Array {
  const id = new TextEncoder().encode(policyId);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, id.length);
  return createHash('sha256').update(length).update(id).update(body).digest();
}

/**
 * Adds a policy to a state hash, or takes it out again: XOR is its own inverse, so a headend's hash follows its changes
 * without a look at its other policies. XOR does not resist someone who may choose many bodies; the signature and the
 * session keep such a one out, and the hash only has to find what was lost.
 */
export function toggledStateHash(hash: Uint8Array, policyId: string, body: Uint8Array): Uint8Array {
  const toggle = policyHash(policyId, body);
  return Uint8Array.from(toggle, (byte, index) => byte ^ (hash[index] ?? 0));
}

/** State hash of a set of policies with distinct ids, in any order. 32 bytes. */
export function stateHashOf(policies: Iterable<HashedPolicy>): Uint8Array {
  const hash = emptyStateHash();
  for (const { policyId, body } of policies) {
    policyHash(policyId, body).forEach((byte, index) => {
      hash[index] = (hash[index] ?? 0) ^ byte;
    });
  }
  return hash;
}

/** Byte-wise equality; false when the lengths differ. Not constant-time: a state hash is no secret. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
