import type { Transaction } from 'kysely';
import type { NodeId } from '@waymark/topology';
import type { Tables } from '../storage/database.js';
import type { ReadDatabaseTime } from '../storage/database-time.js';
import { quarantineBindingSids } from './binding-sid-store.js';
import { releaseAllBookings, releaseBookings } from './bookings.js';

/** What an agent read back for one policy. */
export interface AckedOutcome {
  readonly policyId: string;
  /** Of the headend, that wrote what was applied. */
  readonly generation: number;
  readonly outcome: 'installed' | 'simulated' | 'failed' | 'removed';
}

/**
 * Part of the transaction that stores an ack: what policies have left is free again. A policy whose change failed still
 * uses what it had, so it keeps its bookings; BSIDs wait for the generation as a whole.
 */
export async function onAcked(
  tx: Transaction<Tables>,
  headend: NodeId,
  generation: number,
  outcomes: readonly AckedOutcome[],
  readDatabaseTime: ReadDatabaseTime,
): Promise<void> {
  await releaseBookings(
    tx,
    outcomes.filter(({ outcome }) => outcome !== 'failed'),
  );
  if (!outcomes.some(({ outcome }) => outcome === 'removed')) return;
  await quarantineBindingSids(tx, headend, generation, await readDatabaseTime(tx));
}

/**
 * The agent of a headend is gone for good: what it would have removed carries no traffic. Part of the transaction that
 * removes it.
 */
export async function onHeadendGone(
  tx: Transaction<Tables>,
  headend: NodeId,
  readDatabaseTime: ReadDatabaseTime,
): Promise<void> {
  await releaseAllBookings(tx, headend);
  await quarantineBindingSids(tx, headend, Number.MAX_SAFE_INTEGER, await readDatabaseTime(tx));
}
