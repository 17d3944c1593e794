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

/**
 * What lies further ahead than this has not come about since any backup: whoever reports it is in error, or wants to drive
 * the numbers to their end, which would lock all agents out.
 */
const MAX_EPOCHS_AHEAD = 2 ** 20;
const MAX_GENERATIONS_AHEAD = 2 ** 32;

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
  const disbelieved = new Set<NodeId>();
  while (!signal.aborted) {
    try {
      await raise(options, epoch, disbelieved);
    } catch (error) {
      if (!(error instanceof Deposed)) {
        options.log.warn({ err: error }, 'agents ahead of the database cannot be looked for');
      }
    }
    await pause(POLL_MS, signal);
  }
}

async function raise(
  { db, journal, leadership, publisher, log }: GuardOptions,
  epoch: number,
  disbelieved: Set<NodeId>,
): Promise<void> {
  const { rows } = await sql<{ node_id: NodeId; epoch: number; generation: number; known: number }>`
    select a.node_id, a.epoch, a.generation, coalesce(h.generation, 0) as known from agent a left join headend h using (node_id)
    where a.epoch > coalesce(h.epoch, 0) or a.generation > coalesce(h.generation, 0)
  `.execute(db);
  const isBelieved = (row: (typeof rows)[number]): boolean =>
    row.epoch <= epoch + MAX_EPOCHS_AHEAD && row.generation <= row.known + MAX_GENERATIONS_AHEAD;
  const ahead = rows.filter(isBelieved);
  for (const { node_id: node, epoch: reported, generation } of rows.filter((row) => !isBelieved(row))) {
    if (disbelieved.has(node)) continue;
    disbelieved.add(node);
    log.warn(
      { node, reported, generation },
      'an agent reports an epoch or generation that cannot be; it is not followed',
    );
  }
  if (ahead.length === 0) return;
  const highest = Math.max(...ahead.map((row) => row.epoch));
  log.warn({ agents: ahead.length, highest }, 'agents know more than the database: it was restored');
  if (highest > epoch) {
    // The new term begins with a new look.
    await leadership.raiseAbove(epoch, highest);
    return;
  }
  const reports = ahead.map((row) => ({ headend: row.node_id, generation: row.generation }));
  const deltas = await journal.take(raiseEntry(epoch, reports), () =>
    leadership.fenced(epoch, (tx) => raiseGenerations(tx, epoch, reports)),
  );
  await publisher.publish(deltas);
}
