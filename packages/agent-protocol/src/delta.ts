import { checkPrefix } from './desired-policy.js';
import { Delta, Family, SignedDelta, type PolicyChange, type Prefix } from './generated/waymark/agent/v1/agent.js';
import { isNodeId, isPolicyId } from './identifiers.js';
import { HINT_ABOVE_BYTES, MAX_BODY_BYTES } from './limits.js';
import { decoding, ProtocolError } from './protocol-error.js';
import type { Signer, Verifier } from './signing.js';
import { STATE_HASH_BYTES } from './state-hash.js';

/** What is published for a delta: signed, and without its changes when they would make it longer than 64 KiB. */
export function sealDelta(delta: Delta, signer: Signer): Uint8Array {
  const whole = seal(delta, signer);
  return whole.length <= HINT_ABOVE_BYTES ? whole : seal({ ...delta, hint: true, changes: [] }, signer);
}

function seal(delta: Delta, signer: Signer): Uint8Array {
  const payload = Delta.encode(delta).finish();
  return SignedDelta.encode({ payload, signature: signer.sign(payload) }).finish();
}

/**
 * Reads what was published. The signature is checked before anything in the payload is looked at. Throws ProtocolError:
 * `signature` when the controller did not sign it, `malformed` when it breaks the protocol. Bodies stay unread, so that
 * one bad policy does not hold up the others.
 */
export function openDelta(bytes: Uint8Array, verifier: Verifier): Delta {
  const signed = decoding('SignedDelta', () => SignedDelta.decode(bytes));
  if (!verifier.verify(signed.payload, signed.signature)) {
    throw new ProtocolError('signature', 'a delta is not signed by the controller');
  }
  const delta = decoding('Delta', () => Delta.decode(signed.payload));
  checkDelta(delta);
  return delta;
}

function checkDelta(delta: Delta): void {
  if (delta.instance === '') throw malformed('a delta names no instance');
  if (!isNodeId(delta.nodeId)) throw malformed('a delta names no node');
  if (delta.epoch < 1) throw malformed('a delta has no epoch');
  if (delta.generation <= delta.previousGeneration) throw malformed('the generation of a delta does not grow');
  if (delta.stateHash.length !== STATE_HASH_BYTES) throw malformed('the state hash of a delta is not 32 bytes long');
  checkBlock(delta.bsidBlock);
  if (delta.hint && delta.changes.length > 0) throw malformed('a hint carries changes');
  const seen = new Set<string>();
  for (const change of delta.changes) {
    checkPolicyChange(change, delta.nodeId);
    if (change.generation !== delta.generation) throw malformed('a change is not of the generation of its delta');
    if (seen.has(change.policyId)) throw malformed('a delta changes a policy twice');
    seen.add(change.policyId);
  }
}

/** The rules for the block of a node's binding SIDs. Throws ProtocolError (`malformed`). */
export function checkBlock(block: Prefix | undefined): void {
  if (block !== undefined) checkPrefix(block, Family.IPV6);
}

/** The rules for one policy of a delta or snapshot. Throws ProtocolError (`malformed`). */
export function checkPolicyChange(change: PolicyChange, nodeId: string): void {
  if (!isPolicyId(change.policyId, nodeId)) throw malformed(`"${change.policyId}" is not a policy of ${nodeId}`);
  if (change.deleted !== (change.body.length === 0)) {
    throw malformed('a policy has no body, or a deleted one has');
  }
  if (change.body.length > MAX_BODY_BYTES) throw malformed('the body of a policy is too long');
}

function malformed(message: string): ProtocolError {
  return new ProtocolError('malformed', message);
}
