import type { NodeId } from '@waymark/topology';
import type { WaymarkEvent } from '../model/events.js';
import type { JournalEntry } from '../model/journal.js';
import type { AckRecord, StoredAck } from './ack-store.js';
import type { HelloRecord } from './agent-records.js';
import type { PendingDelta } from './desired-store.js';
import type { LivenessRecord } from './liveness-store.js';

/** What agents say, as entries of the journal: each batch as it is stored. */
export function hellosEntry(records: readonly HelloRecord[]): JournalEntry<void> {
  return { kind: 'hellos', input: { records }, outputOf: () => null };
}

export function acksEntry(records: readonly AckRecord[]): JournalEntry<readonly StoredAck[]> {
  return { kind: 'acks', input: { records }, outputOf: (stored) => stored };
}

export function livenessEntry(records: readonly LivenessRecord[]): JournalEntry<readonly WaymarkEvent[]> {
  return { kind: 'liveness', input: { records }, outputOf: (events) => events };
}

/** This controller leads from here on. */
export function leadsEntry(epoch: number): JournalEntry<null> {
  return { kind: 'leads', input: { epoch }, outputOf: () => null };
}

/** Agents that know more than the database does. */
export interface AheadReport {
  readonly headend: NodeId;
  readonly generation: number;
}

export function raiseEntry(epoch: number, reports: readonly AheadReport[]): JournalEntry<readonly PendingDelta[]> {
  return { kind: 'raise-generations', input: { epoch, reports }, outputOf: (deltas) => deltas };
}

/** Desired state of a headend is written anew, for what its agent understands. */
export function featuresEntry(epoch: number, headend: NodeId): JournalEntry<readonly PendingDelta[]> {
  return { kind: 'features', input: { epoch, headend }, outputOf: (deltas) => deltas };
}
