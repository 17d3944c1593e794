import { FEATURES } from '@waymark/agent-protocol';
import type { NodeId } from '@waymark/topology';
import { sql, type Transaction } from 'kysely';
import type { Logger } from 'pino';
import type { Journal } from '../model/journal.js';
import { pause } from '../model/pause.js';
import type { Database, Tables } from '../storage/database.js';
import { featuresEntry } from './agent-entries.js';
import { writeDesired, type PendingDelta } from './desired-store.js';
import { Deposed } from './fence.js';
import type { Leadership } from './leadership.js';
import type { Publisher } from './publisher.js';
import { wholeEntries } from './withheld-entries.js';

const POLL_MS = 1_000;

interface FeatureOptions {
  readonly db: Database;
  readonly journal: Journal;
  readonly leadership: Leadership;
  readonly publisher: Publisher;
  readonly log: Logger;
}

/**
 * Whenever this controller leads, the desired state of each headend is what its agent understands: when an agent comes
 * back in another version, its headend's is written anew. At the beginning of a term that of all whose agents lack
 * something, because the leader before may have been of a version that does not care.
 */
export function followFeatures(options: FeatureOptions): void {
  options.leadership.onLead((epoch, signal) => void follow(options, epoch, signal));
}

async function follow(options: FeatureOptions, epoch: number, signal: AbortSignal): Promise<void> {
  let due = headendsThatLack;
  while (!signal.aborted) {
    try {
      await adapt(options, epoch, await due(options.db));
      due = headendsWithOtherFeatures;
    } catch (error) {
      if (!(error instanceof Deposed)) {
        options.log.warn({ err: error }, 'desired state cannot be written for what agents understand');
      }
    }
    await pause(POLL_MS, signal);
  }
}

async function adapt(
  { journal, leadership, publisher, log }: FeatureOptions,
  epoch: number,
  headends: readonly NodeId[],
): Promise<void> {
  // One by one: a headend may have tens of thousands of policies.
  for (const headend of headends) {
    const deltas = await journal.take(featuresEntry(epoch, headend), () =>
      leadership.fenced(epoch, (tx) => writeForAgent(tx, epoch, headend)),
    );
    log.info({ headend, changed: deltas.length > 0 }, 'desired state is written for what the agent understands');
    await publisher.publish(deltas);
  }
}

/** Writes everything that a headend should hold anew, for the features that its agent told last. */
export async function writeForAgent(tx: Transaction<Tables>, epoch: number, headend: NodeId): Promise<PendingDelta[]> {
  await sql`
    update headend h set features = a.features
    from agent a where a.node_id = h.node_id and h.node_id = ${headend} and a.features is not null
  `.execute(tx);
  const whole = await wholeEntries(tx, headend);
  await sql`delete from withheld where headend = ${headend}`.execute(tx);
  return await writeDesired(tx, epoch, [whole]);
}

async function headendsThatLack(db: Database): Promise<NodeId[]> {
  const found = await sql<{ headend: NodeId }>`
    select h.node_id as headend from headend h left join agent a using (node_id)
    where not coalesce(a.features, h.features) @> ${[...FEATURES]}::text[] order by h.node_id
  `.execute(db);
  return found.rows.map(({ headend }) => headend);
}

async function headendsWithOtherFeatures(db: Database): Promise<NodeId[]> {
  const found = await sql<{ headend: NodeId }>`
    select h.node_id as headend from headend h join agent a using (node_id)
    where a.features <> h.features order by h.node_id
  `.execute(db);
  return found.rows.map(({ headend }) => headend);
}
