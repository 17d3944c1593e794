import { Family, Liveness, type ListLiveness, type LivenessReport } from '@waymark/agent-protocol';
import { ipv6FromBytes, type AddressFamily, type NodeId } from '@waymark/topology';
import { sql, type Transaction } from 'kysely';
import type { WaymarkEvent } from '../model/events.js';
import type { Database, Tables } from '../storage/database.js';
import { announceEvents } from '../storage/event-channel.js';

export interface LivenessRecord {
  readonly node: NodeId;
  readonly session: string;
  /** Checked: mistakeInLiveness. */
  readonly report: LivenessReport;
}

/**
 * Stores what agents found by probing (any controller may), in one transaction for all, and announces which lists went
 * down or came up, and which policies went onto their standby or back: these events. A report counts only when it comes from the
 * agent's newest session. A complete one begins a new round; what only older rounds said is void, and kept for one more
 * round to tell what is a change.
 *
 * Nothing is recomputed for it: the headend has switched by itself, and probes that are lost to a congested link must not
 * move policies onto the next one.
 */
export async function storeLiveness(
  db: Database,
  records: readonly LivenessRecord[],
): Promise<readonly WaymarkEvent[]> {
  return db.transaction().execute(async (tx) => {
    const rounds = await openRounds(tx, records);
    const due = records.filter(({ node, session }) => rounds.get(node)?.session === session);
    const told = await ofKnownPolicies(
      tx,
      due.flatMap(({ node, report }) => report.lists.map((list) => toldList(node, rounds.get(node)?.round ?? 0, list))),
    );
    const known = await knownLists(tx, told);
    const moves = standbyMoves(told, known);
    await leaveStandby(
      tx,
      moves.filter(({ onStandby }) => !onStandby),
    );
    await storeLists(tx, told);
    await forgetOldRounds(tx, [...rounds]);
    const events = [...livenessEvents(told, known), ...moves.map(standbyEvent)];
    await announceEvents(tx, events);
    return events;
  });
}

interface Round {
  readonly session: string;
  readonly round: number;
}

/** Locks the headends' rounds, in the order of their ids, and begins those that a report begins. */
async function openRounds(
  tx: Transaction<Tables>,
  records: readonly LivenessRecord[],
): Promise<ReadonlyMap<NodeId, Round>> {
  const found = await sql<Round & { readonly headend: NodeId }>`
    insert into liveness_round as r (headend, session, round)
    select n.node_id, n.session, n.begins from unnest(
      ${records.map(({ node }) => node)}::text[],
      ${records.map(({ session }) => session)}::uuid[],
      ${records.map(({ report }) => (report.complete ? 1 : 0))}::bigint[]
    ) as n (node_id, session, begins)
    join agent a using (node_id, session)
    order by n.node_id
    on conflict (headend) do update set session = excluded.session,
      -- what another session told is void too
      round = r.round + case when r.session = excluded.session then excluded.round else 1 end
    returning headend, session::text, round
  `.execute(tx);
  return new Map(found.rows.map(({ headend, ...round }) => [headend, round]));
}

interface ToldList {
  readonly headend: NodeId;
  readonly round: number;
  readonly policyId: string;
  readonly family: AddressFamily;
  readonly standby: boolean;
  readonly sids: Buffer;
  readonly said: ListLiveness;
  readonly state: KnownList['state'];
}

interface KnownList {
  readonly policyId: string;
  readonly family: AddressFamily;
  readonly standby: boolean;
  readonly sids: Buffer;
  readonly state: 'up' | 'down' | 'unknown';
  readonly inUse: boolean;
}

function toldList(headend: NodeId, round: number, said: ListLiveness): ToldList {
  const { policyId, standby } = said;
  const family = said.family === Family.IPV4 ? 'ipv4' : 'ipv6';
  const state = said.state === Liveness.UP ? 'up' : said.state === Liveness.DOWN ? 'down' : 'unknown';
  return { headend, round, policyId, family, standby, sids: Buffer.concat(said.sids), said, state };
}

/** An agent may still hold what was deleted a moment ago. */
async function ofKnownPolicies(tx: Transaction<Tables>, told: readonly ToldList[]): Promise<ToldList[]> {
  const ids = [...new Set(told.map(({ policyId }) => policyId))];
  const found = await sql<{ id: string }>`select id from sr_policy where id = any(${ids}::text[])`.execute(tx);
  const known = new Set(found.rows.map(({ id }) => id));
  return told.filter(({ policyId }) => known.has(policyId));
}

/** All lists of these policies that were told of before, in whatever round. */
async function knownLists(tx: Transaction<Tables>, told: readonly ToldList[]): Promise<readonly KnownList[]> {
  const ids = [...new Set(told.map(({ policyId }) => policyId))];
  const found = await sql<KnownList>`
    select policy_id as "policyId", family, standby, sids, state, in_use as "inUse"
    from list_liveness where policy_id = any(${ids}::text[])
  `.execute(tx);
  return found.rows;
}

function listKey({
  policyId,
  family,
  standby,
  sids,
}: Pick<KnownList, 'policyId' | 'family' | 'standby' | 'sids'>): string {
  return `${policyId} ${family} ${standby} ${sids.toString('hex')}`;
}

interface StandbyMove {
  readonly policyId: string;
  readonly family: AddressFamily;
  readonly onStandby: boolean;
}

/**
 * Tunnels that went onto their standby or back. A report need not name all lists of a tunnel: one that it names as in use
 * decides, and without any the lists that it does not name are as they were.
 */
function standbyMoves(told: readonly ToldList[], known: readonly KnownList[]): StandbyMove[] {
  const named = new Set(told.map(listKey));
  const tunnels = new Map<string, StandbyMove & { readonly lists: ToldList[] }>();
  for (const list of told) {
    const key = `${list.policyId} ${list.family}`;
    const tunnel = tunnels.get(key) ?? { policyId: list.policyId, family: list.family, onStandby: false, lists: [] };
    tunnels.set(key, tunnel);
    tunnel.lists.push(list);
  }
  const using = new Map<string, { named: boolean; other: boolean }>();
  for (const list of known) {
    if (!list.standby || !list.inUse) continue;
    const key = `${list.policyId} ${list.family}`;
    const found = using.get(key) ?? { named: false, other: false };
    using.set(key, named.has(listKey(list)) ? { ...found, named: true } : { ...found, other: true });
  }
  return [...tunnels].flatMap(([key, { policyId, family, lists }]) => {
    const before = using.get(key);
    const inUse = lists.filter(({ said }) => said.inUse);
    const onStandby = inUse.length > 0 ? inUse.some(({ standby }) => standby) : before?.other === true;
    return onStandby === (before !== undefined) ? [] : [{ policyId, family, onStandby }];
  });
}

async function leaveStandby(tx: Transaction<Tables>, moves: readonly StandbyMove[]): Promise<void> {
  if (moves.length === 0) return;
  await sql`
    update list_liveness l set in_use = false
    from unnest(
      ${moves.map(({ policyId }) => policyId)}::text[],
      ${moves.map(({ family }) => family)}::text[]
    ) as n (policy_id, family)
    where l.policy_id = n.policy_id and l.family = n.family and l.standby and l.in_use
  `.execute(tx);
}

async function storeLists(tx: Transaction<Tables>, told: readonly ToldList[]): Promise<void> {
  if (told.length === 0) return;
  const said = told.map((list) => list.said);
  const roundTrip = (pick: (list: ListLiveness) => number) =>
    said.map((list) => (list.probesLost < list.probesSent ? pick(list) : null));
  await sql`
    insert into list_liveness (policy_id, family, standby, sids, headend, round, state, since, in_use, probes_sent,
      probes_lost, round_trip_min_us, round_trip_avg_us, round_trip_max_us, reported_at)
    select n.*, clock_timestamp() from unnest(
      ${told.map(({ policyId }) => policyId)}::text[],
      ${told.map(({ family }) => family)}::text[],
      ${told.map(({ standby }) => standby)}::boolean[],
      ${told.map(({ sids }) => sids)}::bytea[],
      ${told.map(({ headend }) => headend)}::text[],
      ${told.map(({ round }) => round)}::bigint[],
      ${told.map(({ state }) => state)}::text[],
      ${said.map(({ sinceMs }) => new Date(sinceMs).toISOString())}::timestamptz[],
      ${said.map(({ inUse }) => inUse)}::boolean[],
      ${said.map(({ probesSent }) => probesSent)}::bigint[],
      ${said.map(({ probesLost }) => probesLost)}::bigint[],
      ${roundTrip((list) => list.roundTripMinUs)}::bigint[],
      ${roundTrip((list) => list.roundTripAvgUs)}::bigint[],
      ${roundTrip((list) => list.roundTripMaxUs)}::bigint[]
    ) as n
    on conflict (policy_id, family, standby, sids) do update set
      headend = excluded.headend, round = excluded.round, state = excluded.state, since = excluded.since,
      in_use = excluded.in_use, probes_sent = excluded.probes_sent, probes_lost = excluded.probes_lost,
      round_trip_min_us = excluded.round_trip_min_us, round_trip_avg_us = excluded.round_trip_avg_us,
      round_trip_max_us = excluded.round_trip_max_us, reported_at = excluded.reported_at
  `.execute(tx);
}

async function forgetOldRounds(
  tx: Transaction<Tables>,
  rounds: readonly (readonly [headend: NodeId, Round])[],
): Promise<void> {
  await sql`
    delete from list_liveness l
    using unnest(
      ${rounds.map(([headend]) => headend)}::text[],
      ${rounds.map(([, { round }]) => round)}::bigint[]
    ) as n (headend, round)
    where l.headend = n.headend and l.round < n.round - 1
  `.execute(tx);
}

/** That a list is up for the first time is no news. */
function livenessEvents(told: readonly ToldList[], known: readonly KnownList[]): WaymarkEvent<'policy.liveness'>[] {
  const at = new Date().toISOString();
  const before = new Map(known.map((list) => [listKey(list), list.state]));
  return told.flatMap((list) => {
    const { policyId, family, standby, state, said } = list;
    const was = before.get(listKey(list)) ?? 'unknown';
    if (was === state || (was !== 'down' && state !== 'down')) return [];
    const segments = said.sids.map((sid) => ipv6FromBytes(sid));
    const { probesSent, probesLost } = said;
    const data = { policyId, family, state, standby, segments, probesSent, probesLost };
    return [{ type: 'policy.liveness' as const, at, data }];
  });
}

function standbyEvent({ policyId, family, onStandby }: StandbyMove): WaymarkEvent<'policy.standby'> {
  return { type: 'policy.standby', at: new Date().toISOString(), data: { policyId, family, onStandby } };
}
