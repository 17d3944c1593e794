import { sql, type RawBuilder } from 'kysely';
import type { NodeId, Ted } from '@waymark/topology';
import { bindingSids, freeBlocks, reservedPrefixes, type BindingSidPair } from './binding-sids.js';
import type { Executor } from './policy-intents.js';

/** How long a released number is not given to another policy: packets and caches that still carry its BSID die out. */
export const QUARANTINE_SECONDS = 600;

interface PolicyKey {
  readonly id: string;
  readonly headend: NodeId;
}

/**
 * BSIDs of these policies; those that have none get some, as long as there is a block for their headend: policies of other
 * headends are left out. Numbers whose quarantine is over at `now` (of the database) are used again before new ones.
 */
export async function allocateBindingSids(
  db: Executor,
  policies: readonly PolicyKey[],
  pool: string,
  ted: Ted,
  now: Date,
): Promise<Map<string, readonly BindingSidPair[]>> {
  const blocks = await allocateBlocks(db, [...new Set(policies.map(({ headend }) => headend))].sort(), pool, ted, now);
  const served = policies.filter(({ headend }) => blocks.has(headend));
  const present = await numbersOf(db, served);
  const missing = served.filter(({ id }) => !present.has(id));
  if (missing.length > 0) {
    await assignNumbers(db, missing, now);
    for (const [id, number] of await numbersOf(db, missing)) present.set(id, number);
  }
  return new Map(
    served.map(({ id, headend }) => [id, bindingSids(blocks.get(headend) ?? '', present.get(id) ?? -1)] as const),
  );
}

/** Of these headends, which could all have a block now: those that have one, then others in their order. */
export async function servableHeadends(
  db: Executor,
  headends: readonly NodeId[],
  pool: string,
  ted: Ted,
  now: Date,
): Promise<NodeId[]> {
  const blocks = await assignedBlocks(db);
  const missing = headends.filter((headend) => !blocks.has(headend));
  const idle = await idleHeadends(db, now);
  const taken = new Set([...blocks].flatMap(([headend, block]) => (idle.has(headend) ? [] : [block])));
  const free = freeBlocks(pool, missing.length, taken, reservedPrefixes(ted));
  return [...headends.filter((headend) => blocks.has(headend)), ...missing.slice(0, free.length)];
}

/** BSIDs of policies, of those that have some. */
export async function bindingSidsOf(
  db: Executor,
  ids: readonly string[],
): Promise<Map<string, readonly BindingSidPair[]>> {
  const rows = await sql<{ policy_id: string; block: string; number: number }>`
    select b.policy_id, k.block::text, b.number from bsid b join bsid_block k using (headend)
    where b.policy_id = any(${ids}::text[])
  `.execute(db);
  return new Map(rows.rows.map(({ policy_id, block, number }) => [policy_id, bindingSids(block, number)]));
}

/**
 * Gives up the BSIDs of policies that are gone. They stay reserved until their headend has acked `generation` (null: it
 * never held them), then in quarantine.
 */
export async function releaseBindingSids(
  db: Executor,
  released: readonly { readonly policyId: string; readonly generation: number | null }[],
  now: Date,
): Promise<void> {
  await sql`
    update bsid set policy_id = null, releasing_generation = n.generation,
      quarantined_until = case when n.generation is null then ${quarantineEnd(now)}::timestamptz end
    from unnest(${released.map((row) => row.policyId)}::text[], ${released.map((row) => row.generation)}::bigint[])
      as n (policy_id, generation)
    where bsid.policy_id = n.policy_id
  `.execute(db);
}

/** The headend has removed what it was told to remove up to this generation: the quarantine begins. */
export async function quarantineBindingSids(
  db: Executor,
  headend: NodeId,
  generation: number,
  now: Date,
): Promise<void> {
  await sql`
    update bsid
    set releasing_generation = null, quarantined_until = ${quarantineEnd(now)}
    where headend = ${headend} and policy_id is null and releasing_generation <= ${generation}
  `.execute(db);
}

function quarantineEnd(now: Date): Date {
  return new Date(now.getTime() + QUARANTINE_SECONDS * 1_000);
}

/** Of all headends that have one; of those asked for that had none, as many as there are blocks for. */
async function allocateBlocks(
  db: Executor,
  headends: readonly NodeId[],
  pool: string,
  ted: Ted,
  now: Date,
): Promise<Map<NodeId, string>> {
  const blocks = await assignedBlocks(db);
  const missing = headends.filter((headend) => !blocks.has(headend));
  if (missing.length === 0) return blocks;
  const reserved = reservedPrefixes(ted);
  const free = () => freeBlocks(pool, missing.length, new Set(blocks.values()), reserved);
  let found = free();
  if (found.length < missing.length) {
    for (const headend of await takeIdleBlocks(db, now)) blocks.delete(headend);
    found = free();
  }
  const served = missing.slice(0, found.length);
  await sql`
    insert into bsid_block (headend, block) select * from unnest(${served}::text[], ${found}::cidr[])
  `.execute(db);
  served.forEach((headend, index) => blocks.set(headend, found[index] ?? ''));
  return blocks;
}

async function assignedBlocks(db: Executor): Promise<Map<NodeId, string>> {
  const rows = await sql<{ headend: NodeId; block: string }>`select headend, block::text from bsid_block`.execute(db);
  return new Map(rows.rows.map((row) => [row.headend, row.block]));
}

/** Query for the headends with a block of which nothing is in use or in quarantine, and nothing wanted. */
export function idleHeadendsSql(now: RawBuilder<Date>): RawBuilder<{ readonly headend: NodeId }> {
  return sql`
    select k.headend from bsid_block k
    where not exists (select from sr_policy p where p.headend = k.headend)
      and not exists (
        select from bsid b where b.headend = k.headend
          and (b.policy_id is not null or b.releasing_generation is not null or b.quarantined_until > ${now})
      )
  `;
}

async function idleHeadends(db: Executor, now: Date): Promise<ReadonlySet<NodeId>> {
  const rows = await idleHeadendsSql(sql`${now}::timestamptz`).execute(db);
  return new Set(rows.rows.map(({ headend }) => headend));
}

/** A headend that gets policies again gets another block. */
async function takeIdleBlocks(db: Executor, now: Date): Promise<readonly NodeId[]> {
  const idle = [...(await idleHeadends(db, now))];
  await sql`delete from bsid where headend = any(${idle}::text[])`.execute(db);
  await sql`delete from bsid_block where headend = any(${idle}::text[])`.execute(db);
  return idle;
}

async function numbersOf(db: Executor, policies: readonly PolicyKey[]): Promise<Map<string, number>> {
  const rows = await sql<{ policy_id: string; number: number }>`
    select policy_id, number from bsid where policy_id = any(${policies.map(({ id }) => id)}::text[])
  `.execute(db);
  return new Map(rows.rows.map(({ policy_id, number }) => [policy_id, number]));
}

async function assignNumbers(db: Executor, policies: readonly PolicyKey[], now: Date): Promise<void> {
  await sql`
    with wanted as (
      select headend, policy_id, row_number() over (partition by headend order by policy_id) as place
      from unnest(${policies.map(({ headend }) => headend)}::text[], ${policies.map(({ id }) => id)}::text[])
        as w (headend, policy_id)
    ), free as (
      select headend, number, row_number() over (partition by headend order by number) as place
      from bsid
      where policy_id is null and releasing_generation is null and quarantined_until <= ${now}
        and headend in (select headend from wanted)
    ), highest as (
      select w.headend, coalesce(max(b.number), -1) as number, count(distinct f.place) as reusable
      from (select distinct headend from wanted) w
      left join bsid b using (headend)
      left join free f using (headend)
      group by w.headend
    )
    insert into bsid (headend, number, policy_id)
    select w.headend, coalesce(f.number, h.number + (w.place - h.reusable)::integer), w.policy_id
    from wanted w
    join highest h using (headend)
    left join free f on f.headend = w.headend and f.place = w.place
    on conflict (headend, number) do update set policy_id = excluded.policy_id, quarantined_until = null
  `.execute(db);
}
