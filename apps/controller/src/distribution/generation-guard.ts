import { sql } from 'kysely';
import type { NodeId } from '@waymark/topology';
import type { Logger } from 'pino';
import type { Journal } from '../model/journal.js';
import type { Database } from '../storage/database.js';
import { raiseEntry } from './agent-entries.js';
import { raiseGenerations } from './desired-store.js';
import { Deposed } from './fence.js';
import type { Leadership } from './leadership.js';
import { pause } from '../model/pause.js';
import type { Publisher } from './publisher.js';

const POLL_MS = 1_000;

interface GuardOptions {
  readonly db: Database;
  readonly journal: Journal;
  readonly leadership: Leadership;
  readonly publisher: Publisher;
  readonly log: Logger;
}

/**
 * After a restore from a backup agents know higher epochs and generations than the database does, and rightly refuse
 * what it says. From now on, whenever this controller leads, it looks for such agents and raises its epoch and their
 * generations above.
 */
export function guardGenerations(options: GuardOptions): void {
  options.leadership.onLead((epoch, signal) => void watch(options, epoch, signal));
}

async function watch(options: GuardOptions, epoch: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await raise(options, epoch);
    } catch (error) {
      if (!(error instanceof Deposed)) {
        options.log.warn({ err: error }, 'agents ahead of the database cannot be looked for');
      }
    }
    await pause(POLL_MS, signal);
  }
}

async function raise({ db, journal, leadership, publisher, log }: GuardOptions, epoch: number): Promise<void> {
  const ahead = await sql<{ node_id: NodeId; epoch: number; generation: number }>`
    select a.node_id, a.epoch, a.generation from agent a left join headend h using (node_id)
    where a.epoch > coalesce(h.epoch, 0) or a.generation > coalesce(h.generation, 0)
  `.execute(db);
  if (ahead.rows.length === 0) return;
  const highest = Math.max(...ahead.rows.map((row) => row.epoch));
  log.warn({ agents: ahead.rows.length, highest }, 'agents know more than the database: it was restored');
  if (highest > epoch) {
    // The new term begins with a new look.
    await leadership.raiseAbove(epoch, highest);
    return;
  }
  const reports = ahead.rows.map((row) => ({ headend: row.node_id, generation: row.generation }));
  const deltas = await journal.take(raiseEntry(epoch, reports), () =>
    leadership.fenced(epoch, (tx) => raiseGenerations(tx, epoch, reports)),
  );
  await publisher.publish(deltas);
}
