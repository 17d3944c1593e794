import { isClassId, Outcome, type Ack } from '@waymark/agent-protocol';
import type { NodeId } from '@waymark/topology';
import { sql, type Transaction } from 'kysely';
import { DatabaseError } from 'pg';
import type { WaymarkEvent } from '../model/events.js';
import type { Database, Tables } from '../storage/database.js';
import { announceEvents } from '../storage/event-channel.js';

/** SQLSTATE 40P01 */
const DEADLOCK_DETECTED = '40P01';
const ATTEMPTS = 3;

export interface AckRecord {
  readonly node: NodeId;
  readonly session: string;
  readonly ack: Ack;
}

export type InstallOutcome = 'installed' | 'simulated' | 'failed' | 'removed';

/** An outcome that was stored because it is of the generation that the policy should have. */
export interface StoredOutcome {
  readonly policyId: string;
  /** Of the desired policy, or of its withdrawal. */
  readonly generation: number;
  readonly outcome: InstallOutcome;
  readonly reason: string | null;
  /** What of it the agent does not understand, so that it was not asked for; null: nothing. */
  readonly lacks: string | null;
}

/** Runs within the transaction that stores an ack; what it writes commits with the ack, or not at all. */
export type OnAcked = (
  tx: Transaction<Tables>,
  headend: NodeId,
  generation: number,
  outcomes: readonly StoredOutcome[],
) => Promise<void>;

export interface StoredAck {
  readonly node: NodeId;
  readonly generation: number;
  readonly outcomes: readonly StoredOutcome[];
}

/**
 * Stores acks (any controller may), in one transaction for all. Each counts only when it comes from the agent's newest
 * session and is neither older than the last one stored nor ahead of what is desired; an outcome counts only when it is
 * of the generation that the policy should have now. A withdrawn policy is forgotten once its headend has acknowledged
 * a generation without it and does not say that the removal failed.
 */
export async function storeAcks(db: Database, records: readonly AckRecord[], onAcked: OnAcked): Promise<StoredAck[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await storeOnce(db, records, onAcked);
    } catch (error) {
      if (attempt === ATTEMPTS || !isDeadlock(error)) throw error;
    }
  }
}

/** The leader may hold rows that onAcked wants while it waits for a headend; Postgres then ends one of the two. */
function isDeadlock(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === DEADLOCK_DETECTED;
}

function storeOnce(db: Database, records: readonly AckRecord[], onAcked: OnAcked): Promise<StoredAck[]> {
  return db.transaction().execute(async (tx) => {
    const due = await dueAcks(tx, records);
    if (due.length === 0) return [];
    await storePositions(tx, due);
    const outcomes = [...(await storeOutcomes(tx, due)), ...(await forgetWithdrawn(tx, due))];
    const byHeadend = new Map(due.map(({ node }): [NodeId, StoredOutcome[]] => [node, []]));
    for (const { headend, ...outcome } of outcomes) byHeadend.get(headend)?.push(outcome);
    const { revision } = await tx.selectFrom('head').select('revision').executeTakeFirstOrThrow();
    const stored = due.map(({ node, ack }) => ({
      node,
      generation: ack.generation,
      outcomes: byHeadend.get(node) ?? [],
    }));
    for (const { node, generation, outcomes } of stored) {
      if (outcomes.length > 0) await onAcked(tx, node, generation, outcomes);
    }
    await announceEvents(tx, installEvents(stored, revision));
    return stored;
  });
}

/** Of policies: service classes are no news to who follows policies. */
function installEvents(acks: readonly StoredAck[], revision: number): WaymarkEvent<'policy.install'>[] {
  const at = new Date().toISOString();
  return acks.flatMap(({ outcomes }) =>
    outcomes
      .filter(({ policyId }) => !isClassId(policyId))
      .map(({ policyId, outcome, reason, lacks }) => ({
        type: 'policy.install',
        at,
        data: { revision, policyId, ...(lacks === null ? { outcome, reason } : { outcome: 'failed', reason: lacks }) },
      })),
  );
}

interface HeadendOutcome extends StoredOutcome {
  readonly headend: NodeId;
}

/** Locks the headends, in the order of their ids, and picks at most one ack of each. */
async function dueAcks(tx: Transaction<Tables>, records: readonly AckRecord[]): Promise<AckRecord[]> {
  const found = await sql<{
    node_id: NodeId;
    session: string;
    epoch: number;
    generation: number;
    acked_epoch: number;
    acked_generation: number;
  }>`
    select h.node_id, a.session::text, h.epoch, h.generation, h.acked_epoch, h.acked_generation
    from headend h join agent a using (node_id)
    where h.node_id = any(${records.map((record) => record.node)}::text[])
    order by h.node_id for update of h
  `.execute(tx);
  return found.rows.flatMap((row) => {
    const record = records.findLast(({ node, session }) => node === row.node_id && session === row.session);
    if (record === undefined) return [];
    const { epoch, generation } = record.ack;
    const ahead = epoch > row.epoch || generation > row.generation;
    const old = epoch < row.acked_epoch || generation < row.acked_generation;
    return ahead || old ? [] : [record];
  });
}

async function storePositions(tx: Transaction<Tables>, records: readonly AckRecord[]): Promise<void> {
  const acks = records.map((record) => record.ack);
  await sql`
    update headend h set acked_epoch = n.epoch, acked_generation = n.generation, read_back_hash = n.hash
    from unnest(
      ${records.map((record) => record.node)}::text[],
      ${acks.map((ack) => ack.epoch)}::bigint[],
      ${acks.map((ack) => ack.generation)}::bigint[],
      ${acks.map((ack) => ack.readBackHash)}::bytea[]
    ) as n (node_id, epoch, generation, hash)
    where h.node_id = n.node_id
  `.execute(tx);
}

async function storeOutcomes(tx: Transaction<Tables>, records: readonly AckRecord[]): Promise<HeadendOutcome[]> {
  const rows = records.flatMap(({ node, ack }) =>
    ack.outcomes.flatMap(({ policyId, generation, outcome, reason }) => {
      const name = desiredOutcome[outcome];
      return name === undefined ? [] : [{ node, policyId, generation, name, reason: reason === '' ? null : reason }];
    }),
  );
  if (rows.length === 0) return [];
  const stored = await sql<HeadendOutcome>`
    with told as (
      select t.*, case when t.outcome <> 'failed' then w.reason end as lacks
      from unnest(
        ${rows.map((row) => row.node)}::text[],
        ${rows.map((row) => row.policyId)}::text[],
        ${rows.map((row) => row.generation)}::bigint[],
        ${rows.map((row) => row.name)}::text[],
        ${rows.map((row) => row.reason)}::text[]
      ) as t (headend, policy_id, generation, outcome, reason)
      -- of an entry that was written since by a controller that withholds nothing, nothing is
      left join withheld w using (headend, policy_id, generation)
    ), news as (
      -- a part of what is wanted is not what is wanted
      select headend, policy_id, generation, outcome as did, lacks,
        case when lacks is null then outcome else 'failed' end as outcome, coalesce(lacks, reason) as reason
      from told
    )
    update desired d set outcome = n.outcome, outcome_reason = n.reason,
      -- agents say it again when they reconnect or have repaired something; how long it took to install is known already
      outcome_at = case when d.outcome = n.outcome then d.outcome_at else clock_timestamp() end
    from news n
    where d.headend = n.headend and d.policy_id = n.policy_id
      -- of a withdrawn policy only its failed removal is told, with the generation of the state that was reconciled
      and case when d.deleted then n.outcome = 'failed' and n.generation >= d.generation
        else n.generation = d.generation end
      -- agents tell everything again in each session; when it was first known stays
      and (d.outcome, d.outcome_reason) is distinct from (n.outcome, n.reason)
    returning d.headend, d.policy_id as "policyId", d.generation, n.did as outcome, d.outcome_reason as reason, n.lacks
  `.execute(tx);
  return stored.rows;
}

async function forgetWithdrawn(tx: Transaction<Tables>, records: readonly AckRecord[]): Promise<HeadendOutcome[]> {
  const whole = records.filter((record) => !record.ack.more);
  const removed = records.flatMap(({ ack }) =>
    ack.outcomes.filter(({ outcome }) => outcome === Outcome.REMOVED).map(({ policyId }) => policyId),
  );
  const forgotten = await sql<{ headend: NodeId; policyId: string; generation: number }>`
    delete from desired d
    using unnest(
      ${whole.map((record) => record.node)}::text[],
      ${whole.map((record) => record.ack.generation)}::bigint[],
      ${whole.map((record) => record.ack.readBackHash)}::bytea[]
    ) as n (headend, generation, hash), headend h
    where d.headend = n.headend and h.node_id = n.headend and d.deleted and d.generation <= n.generation and (
      d.outcome <> 'failed'
      or d.policy_id = any(${removed}::text[])
      -- the whole data plane was found as desired, so nothing of it is left
      or (h.generation = n.generation and h.state_hash = n.hash)
    )
    returning d.headend, d.policy_id as "policyId", d.generation
  `.execute(tx);
  return forgotten.rows.map((row) => ({ ...row, outcome: 'removed', reason: null, lacks: null }));
}

const desiredOutcome: Readonly<Partial<Record<Outcome, 'installed' | 'simulated' | 'failed'>>> = {
  [Outcome.INSTALLED]: 'installed',
  [Outcome.SIMULATED]: 'simulated',
  [Outcome.FAILED]: 'failed',
};
