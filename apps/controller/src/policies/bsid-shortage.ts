import { sql } from 'kysely';
import type { NodeId } from '@waymark/topology';
import { idleHeadendsSql } from './binding-sid-store.js';
import type { Executor } from './policy-intents.js';

/*
 * Policies that found no BSIDs: they are computed, booked and shown, and their headend is not told of them until the pool
 * has a block for it. All others go on.
 */

interface WantedPolicy {
  readonly id: string;
  readonly headend: NodeId;
}

/** What an operator is told of a policy that found none. */
export function shortageReason(pool: string, headend: NodeId): string {
  return `no binding SIDs are left: the pool ${pool} has no free block for headend ${headend}`;
}

/** Of policies that are published: whose shortage begins, and whose ends. */
export interface ShortageChanges {
  readonly begun: readonly { readonly policyId: string; readonly reason: string }[];
  readonly ended: ReadonlySet<string>;
}

/**
 * `lacking`: those that found no BSIDs. `others` have some, or need none. Another pool since is another reason, and tells it
 * again.
 */
export async function storeShortage(
  db: Executor,
  { lacking, others }: { readonly lacking: readonly WantedPolicy[]; readonly others: readonly WantedPolicy[] },
  pool: string,
  now: Date,
): Promise<ShortageChanges> {
  const ended = await sql<{ id: string }>`
    delete from bsid_shortage where policy_id = any(${others.map(({ id }) => id)}::text[]) returning policy_id as id
  `.execute(db);
  if (lacking.length === 0) return { begun: [], ended: new Set(ended.rows.map(({ id }) => id)) };
  const begun = await sql<ShortageChanges['begun'][number]>`
    insert into bsid_shortage (policy_id, reason, since)
    select n.policy_id, n.reason, ${now}
    from unnest(
      ${lacking.map(({ id }) => id)}::text[],
      ${lacking.map(({ headend }) => shortageReason(pool, headend))}::text[]
    ) as n (policy_id, reason)
    on conflict (policy_id) do update set reason = excluded.reason where bsid_shortage.reason <> excluded.reason
    returning policy_id as "policyId", reason
  `.execute(db);
  return { begun: begun.rows, ended: new Set(ended.rows.map(({ id }) => id)) };
}

/** Ids of policies that lack BSIDs by headend, both in their order. */
export async function policiesWithoutBindingSids(db: Executor): Promise<ReadonlyMap<NodeId, readonly string[]>> {
  const { rows } = await sql<{ headend: NodeId; ids: string[] }>`
    select p.headend, array_agg(p.id order by p.id collate "C") as ids
    from bsid_shortage s join sr_policy p on p.id = s.policy_id
    group by p.headend order by p.headend collate "C"
  `.execute(db);
  return new Map(rows.map(({ headend, ids }) => [headend, ids]));
}

/** Could some of them have BSIDs now, though no revision tells of it: a block came free with time, or their headend got one? */
export async function mayBeServed(db: Executor): Promise<boolean> {
  const { rows } = await sql`
    select from bsid_shortage s join sr_policy p on p.id = s.policy_id
    where exists (${idleHeadendsSql(sql`clock_timestamp()`)}) or exists (select from bsid_block k where k.headend = p.headend)
    limit 1
  `.execute(db);
  return rows.length > 0;
}

/** Why these policies found none; those that have some are left out. */
export async function shortagesOf(db: Executor, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ policy_id: string; reason: string }>`
    select policy_id, reason from bsid_shortage where policy_id = any(${ids}::text[])
  `.execute(db);
  return new Map(rows.map(({ policy_id, reason }) => [policy_id, reason]));
}

export async function countPoliciesWithoutBindingSids(db: Executor): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*)::integer as count from bsid_shortage`.execute(db);
  return rows[0]?.count ?? 0;
}
