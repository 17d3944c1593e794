import {
  checkBlock,
  checkPolicyChange,
  equalBytes,
  ProtocolError,
  stateHashOf,
  toggledStateHash,
  type Delta,
  type PolicyChange,
  type Prefix,
} from '@waymark/agent-protocol';
import type { DesiredState } from './ports.js';

/**
 * Desired state that this agent has accepted: verified against its hash, and of which controller installation it is.
 * Its bytes are its own: those from the wire are views that keep the whole message in memory.
 */
export interface HeldState extends DesiredState {
  readonly instance: string;
  readonly stateHash: Uint8Array;
}

/** A whole state as a snapshot or a state file carries it; nothing of it is verified yet. */
export interface Snapshot {
  readonly instance: string;
  readonly epoch: number;
  readonly generation: number;
  readonly stateHash: Uint8Array;
  readonly policies: readonly PolicyChange[];
  readonly bsidBlock?: Prefix | undefined;
  /** The controller answers that the agent holds this state already; it sent no policies. */
  readonly unchanged: boolean;
}

/**
 * The state that a snapshot adds up to. Throws ProtocolError (`malformed`) when it holds policies of another node, or
 * one twice, or a block that is none, or does not have the hash that it claims.
 */
export function heldFromSnapshot(snapshot: Snapshot, nodeId: string): HeldState {
  const { instance, epoch, generation, stateHash, bsidBlock } = snapshot;
  checkBlock(bsidBlock);
  const policies = new Map<string, { readonly generation: number; readonly body: Uint8Array }>();
  for (const policy of snapshot.policies) {
    checkPolicyChange(policy, nodeId);
    if (policy.deleted || policies.has(policy.policyId)) {
      throw new ProtocolError('malformed', `a snapshot holds ${policy.policyId} twice, or deleted`);
    }
    policies.set(policy.policyId, { generation: policy.generation, body: Uint8Array.from(policy.body) });
  }
  if (!equalBytes(stateHash, stateHashOf(snapshot.policies))) {
    throw new ProtocolError('malformed', 'a snapshot does not have the hash that it claims');
  }
  return { instance, epoch, generation, stateHash: Uint8Array.from(stateHash), policies, bsidBlock: copied(bsidBlock) };
}

function copied(block: Prefix | undefined): Prefix | undefined {
  return block && { ...block, address: Uint8Array.from(block.address) };
}

/** The state after a delta. Whether its hash is what the delta claims is for the caller to compare. */
export function afterDelta(held: HeldState, delta: Delta): HeldState {
  const policies = new Map(held.policies);
  let stateHash = held.stateHash;
  for (const { policyId, generation, deleted, body } of delta.changes) {
    const before = policies.get(policyId);
    if (before !== undefined) stateHash = toggledStateHash(stateHash, policyId, before.body);
    if (deleted) {
      policies.delete(policyId);
    } else {
      stateHash = toggledStateHash(stateHash, policyId, body);
      policies.set(policyId, { generation, body: Uint8Array.from(body) });
    }
  }
  const { epoch, generation } = delta;
  const bsidBlock = copied(delta.bsidBlock) ?? held.bsidBlock;
  return { instance: held.instance, epoch, generation, stateHash, policies, bsidBlock };
}
