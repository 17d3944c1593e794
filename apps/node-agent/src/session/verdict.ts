import { emptyStateHash, equalBytes, ProtocolError, type Delta, type Digest } from '@waymark/agent-protocol';
import { afterDelta, heldFromSnapshot, type HeldState, type Snapshot } from './held-state.js';

/*
 * What to do with something the controller says, seen from the state that is held. Order is by epoch, then generation;
 * neither ever goes back.
 */

/** Holding nothing of an instance: where an agent without state begins. */
export function nothingHeld(instance: string): HeldState {
  return { instance, epoch: 0, generation: 0, stateHash: emptyStateHash(), policies: new Map() };
}

export type DeltaVerdict =
  | { readonly kind: 'apply'; readonly held: HeldState }
  /** Of no use: for another node or instance, from a deposed leader, or known already. */
  | { readonly kind: 'drop'; readonly why: 'foreign' | 'old-epoch' | 'old-generation' }
  /** It shows that something newer exists which it does not bring. */
  | { readonly kind: 'resync'; readonly why: 'hint' | 'gap' | 'hash-mismatch' };

export function judgeDelta(held: HeldState, delta: Delta, nodeId: string): DeltaVerdict {
  if (delta.nodeId !== nodeId || delta.instance !== held.instance) return { kind: 'drop', why: 'foreign' };
  if (delta.epoch < held.epoch) return { kind: 'drop', why: 'old-epoch' };
  if (delta.generation <= held.generation) return { kind: 'drop', why: 'old-generation' };
  if (delta.hint) return { kind: 'resync', why: 'hint' };
  if (delta.previousGeneration !== held.generation) return { kind: 'resync', why: 'gap' };
  const after = afterDelta(held, delta);
  if (!equalBytes(after.stateHash, delta.stateHash)) return { kind: 'resync', why: 'hash-mismatch' };
  return { kind: 'apply', held: after };
}

/**
 * A digest that is older than what is held comes from a controller that does not know it yet, or from a restored
 * database; the leader will raise its generation, so it is ignored until then.
 */
export function judgeDigest(held: HeldState, digest: Digest): 'in-sync' | 'ignore' | 'resync' {
  if (digest.epoch < held.epoch || digest.generation < held.generation) return 'ignore';
  const same = digest.epoch === held.epoch && digest.generation === held.generation;
  return same && equalBytes(digest.stateHash, held.stateHash) ? 'in-sync' : 'resync';
}

export type SnapshotVerdict =
  | { readonly kind: 'apply'; readonly held: HeldState }
  | { readonly kind: 'unchanged' }
  /** Older than what is held, or of a headend for which nothing was ever decided. */
  | { readonly kind: 'ignore' }
  | { readonly kind: 'refuse'; readonly why: string };

export function judgeSnapshot(held: HeldState, snapshot: Snapshot, nodeId: string): SnapshotVerdict {
  if (snapshot.instance !== held.instance) return { kind: 'refuse', why: 'it is of another instance' };
  if (snapshot.unchanged) return { kind: 'unchanged' };
  // Generation 0: the controller has never decided anything for this node. That is not a wish for an empty node.
  if (snapshot.generation === 0) return { kind: 'ignore' };
  if (snapshot.epoch < held.epoch || snapshot.generation < held.generation) return { kind: 'ignore' };
  try {
    return { kind: 'apply', held: heldFromSnapshot(snapshot, nodeId) };
  } catch (error) {
    if (error instanceof ProtocolError) return { kind: 'refuse', why: error.message };
    throw error;
  }
}
