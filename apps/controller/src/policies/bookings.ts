import { sql } from 'kysely';
import { reservableBps, type LinkId, type NodeId, type Snapshot } from '@waymark/topology';
import type { Booking, LinkBandwidth } from '../compute/evaluate-policies-model.js';
import { LOWEST_PRIORITY } from '../model/sr-policy.js';
import type { Executor } from './policy-intents.js';

/*
 * While a policy moves, its old and its new lists both hold a booking, but its traffic is on one of them: per link, a
 * policy counts with the larger of its bookings, at the higher of their hold priorities.
 */
const perPolicy = sql`
  select policy_id, link_id, max(bandwidth_bps) as held, min(hold_priority) as priority,
    coalesce(max(bandwidth_bps) filter (where releasing_generation is null), 0) as current
  from booking
`;

/** Booked per link and hold priority by all policies together; only on these links, by default on all. */
export async function bookedPerLink(db: Executor, links?: readonly LinkId[]): Promise<Booking[]> {
  const rows = await sql<Booking>`
    select link_id as "linkId", priority as "holdPriority", sum(held)::bigint as "bandwidthBps",
      sum(current)::bigint as "currentBps"
    from (
      ${perPolicy} where ${links === undefined ? sql`true` : sql`link_id = any(${links}::text[])`}
      group by link_id, policy_id
    ) per_policy
    group by link_id, priority
    order by link_id, priority
  `.execute(db);
  return rows.rows;
}

/**
 * Unreserved bandwidth at a setup priority (RFC 5305) per arc of the snapshot, in bit/s: what bookings held at that
 * priority or a higher one leave. NaN where the reservable bandwidth is unknown.
 */
export async function unreservedBps(
  db: Executor,
  snapshot: Snapshot,
  setupPriority = LOWEST_PRIORITY,
): Promise<Float64Array> {
  return subtractBookings(snapshot, await bookedPerLink(db), setupPriority);
}

/** What these bookings leave, likewise. */
export function subtractBookings(
  snapshot: Snapshot,
  bookings: readonly Booking[],
  setupPriority: number,
): Float64Array {
  const free = reservableBps(snapshot);
  for (const { linkId, bandwidthBps, holdPriority } of bookings) {
    const arc = snapshot.arcOf(linkId);
    if (arc >= 0 && holdPriority <= setupPriority) free[arc] = (free[arc] as number) - bandwidthBps;
  }
  return free.map((left) => Math.max(0, left));
}

/** What takes a booking back when it is added to others. */
export function returned({ bandwidthBps, currentBps, ...where }: Booking): Booking {
  return { ...where, bandwidthBps: -bandwidthBps, currentBps: -currentBps };
}

/** Policies that book one of these links at the priority given or a lower one. */
export async function policiesBookedOn(db: Executor, taken: readonly Booking[]): Promise<string[]> {
  if (taken.length === 0) return [];
  const rows = await sql<{ readonly id: string }>`
    select distinct b.policy_id as id
    from booking b
    join unnest(${taken.map(({ linkId }) => linkId)}::text[], ${taken.map(({ holdPriority }) => holdPriority)}::int[])
      as t (link_id, priority) on t.link_id = b.link_id and b.hold_priority >= t.priority
    where b.releasing_generation is null and exists (select from sr_policy p where p.id = b.policy_id)
    order by 1
  `.execute(db);
  return rows.rows.map(({ id }) => id);
}

/** Bookings of these policies per link. */
export async function ownBookings(db: Executor, ids: readonly string[]): Promise<Map<string, Booking[]>> {
  const rows = await sql<Booking & { readonly policyId: string }>`
    select policy_id as "policyId", link_id as "linkId", held as "bandwidthBps", current as "currentBps",
      priority as "holdPriority"
    from (${perPolicy} where policy_id = any(${ids}::text[]) group by policy_id, link_id) per_policy
    order by policy_id, link_id
  `.execute(db);
  const bookings = new Map<string, Booking[]>();
  for (const { policyId, ...booking } of rows.rows) {
    const own = bookings.get(policyId) ?? [];
    bookings.set(policyId, own);
    own.push(booking);
  }
  return bookings;
}

/** What a policy books from now on. */
export interface BookingChange {
  readonly policyId: string;
  /** Of the headend, that carries the policy's lists. */
  readonly generation: number;
  readonly bookings: readonly LinkBandwidth[];
  readonly setupPriority: number;
  readonly holdPriority: number;
  /**
   * - `moved`: other lists; what was booked stays until the headend has acked this generation.
   * - `at-once`: the same lists with another bandwidth, or a headend that never held anything.
   */
  readonly release: 'moved' | 'at-once';
}

export async function storeBookings(db: Executor, changes: readonly BookingChange[]): Promise<void> {
  const atOnce = changes.filter(({ release }) => release === 'at-once').map(({ policyId }) => policyId);
  const moved = changes.filter(({ release }) => release === 'moved');
  if (atOnce.length > 0) await deleteBookings(db, atOnce);
  if (moved.length > 0) {
    await sql`
      update booking b set releasing_generation = n.generation
      from unnest(${moved.map(({ policyId }) => policyId)}::text[], ${moved.map(({ generation }) => generation)}::bigint[])
        as n (policy_id, generation)
      where b.policy_id = n.policy_id and b.releasing_generation is null
    `.execute(db);
  }
  const rows = changes.flatMap(({ bookings, ...change }) => bookings.map((booking) => ({ ...change, ...booking })));
  if (rows.length === 0) return;
  await sql`
    insert into booking (policy_id, link_id, generation, bandwidth_bps, setup_priority, hold_priority)
    select * from unnest(${rows.map((row) => row.policyId)}::text[], ${rows.map((row) => row.linkId)}::text[],
      ${rows.map((row) => row.generation)}::bigint[], ${rows.map((row) => row.bandwidthBps)}::bigint[],
      ${rows.map((row) => row.setupPriority)}::smallint[], ${rows.map((row) => row.holdPriority)}::smallint[])
    on conflict (policy_id, link_id, generation) do update set bandwidth_bps = excluded.bandwidth_bps,
      setup_priority = excluded.setup_priority, hold_priority = excluded.hold_priority, releasing_generation = null
  `.execute(db);
}

/** Bookings of a policy that are in use, not being released. */
export interface CurrentBookings {
  readonly generation: number;
  readonly setupPriority: number;
  readonly holdPriority: number;
  readonly bookings: readonly LinkBandwidth[];
}

export async function currentBookings(db: Executor, ids: readonly string[]): Promise<Map<string, CurrentBookings>> {
  const rows = await sql<Omit<CurrentBookings, 'bookings'> & LinkBandwidth & { readonly policyId: string }>`
    select policy_id as "policyId", generation, setup_priority as "setupPriority", hold_priority as "holdPriority",
      link_id as "linkId", bandwidth_bps as "bandwidthBps"
    from booking
    where policy_id = any(${ids}::text[]) and releasing_generation is null
    order by policy_id, link_id
  `.execute(db);
  const current = new Map<string, CurrentBookings & { readonly bookings: LinkBandwidth[] }>();
  for (const { policyId, linkId, bandwidthBps, ...terms } of rows.rows) {
    const own = current.get(policyId) ?? { ...terms, bookings: [] };
    current.set(policyId, own);
    own.bookings.push({ linkId, bandwidthBps });
  }
  return current;
}

/** The headend no longer uses what these policies had before the generations it acked. */
export async function releaseBookings(
  db: Executor,
  acked: readonly { readonly policyId: string; readonly generation: number }[],
): Promise<void> {
  if (acked.length === 0) return;
  await sql`
    with released as (
      delete from booking b
      using unnest(${acked.map(({ policyId }) => policyId)}::text[], ${acked.map(({ generation }) => generation)}::bigint[])
        as n (policy_id, generation)
      where b.policy_id = n.policy_id and b.releasing_generation <= n.generation
      returning b.link_id
    )
    insert into released_link (link_id) select distinct link_id from released
  `.execute(db);
}

/** Nothing that the headend was told to leave is in use any more. */
export async function releaseAllBookings(db: Executor, headend: NodeId): Promise<void> {
  await sql`
    with released as (
      delete from booking where split_part(policy_id, ':', 1) = ${headend} and releasing_generation is not null
      returning link_id
    )
    insert into released_link (link_id) select distinct link_id from released
  `.execute(db);
}

async function deleteBookings(db: Executor, ids: readonly string[]): Promise<void> {
  await sql`
    with released as (
      delete from booking where policy_id = any(${ids}::text[]) and releasing_generation is null returning link_id
    )
    insert into released_link (link_id) select distinct link_id from released
  `.execute(db);
}

/** Headends of which an agent has ever said hello. What the others hold is certain: nothing. */
export async function headendsWithAgent(db: Executor, headends: readonly NodeId[]): Promise<ReadonlySet<NodeId>> {
  const rows = await sql<{ node_id: NodeId }>`
    select node_id from agent where node_id = any(${headends}::text[])
  `.execute(db);
  return new Set(rows.rows.map(({ node_id }) => node_id));
}
