import { sql } from 'kysely';
import type { Digest, Feature, Heartbeat, Hello } from '@waymark/agent-protocol';
import type { NodeId } from '@waymark/topology';
import type { Database } from '../storage/database.js';

/** What an agent says of its state, and nothing of another installation's. */
export interface HelloRecord {
  readonly node: NodeId;
  readonly session: string;
  readonly controller: string;
  readonly hello: Pick<Hello, 'agentVersion' | 'dataplane' | 'epoch' | 'generation'> & {
    /** Of the session. */
    readonly protocolVersion: number;
    /** What the agent understands, of what this controller knows; sorted. */
    readonly features: readonly Feature[];
  };
}

export interface HeartbeatRecord {
  readonly node: NodeId;
  readonly session: string;
  readonly heartbeat: Heartbeat;
}

const NO_DIGEST: Digest = { epoch: 0, generation: 0, stateHash: new Uint8Array(32) };

/**
 * Makes each session its agent's newest: heartbeats and acks of older ones count no more. Of several sessions of one
 * node the last one wins.
 */
export async function recordHellos(db: Database, records: readonly HelloRecord[]): Promise<void> {
  const newest = [...new Map(records.map((record) => [record.node, record])).values()];
  const hellos = newest.map((record) => record.hello);
  await sql`
    insert into agent (node_id, session, controller, agent_version, dataplane, epoch, generation,
      protocol_version, features, connected_at, last_seen, bus)
    select h.node_id, h.session, h.controller, h.agent_version, h.dataplane, h.epoch, h.generation, h.protocol_version,
      -- arrays of arrays have one length for all
      string_to_array(h.features, ','), clock_timestamp(), clock_timestamp(), 'none'
    from unnest(
      ${newest.map((record) => record.node)}::text[],
      ${newest.map((record) => record.session)}::uuid[],
      ${newest.map((record) => record.controller)}::text[],
      ${hellos.map((hello) => hello.agentVersion)}::text[],
      ${hellos.map((hello) => hello.dataplane)}::text[],
      ${hellos.map((hello) => hello.epoch)}::bigint[],
      ${hellos.map((hello) => hello.generation)}::bigint[],
      ${hellos.map((hello) => hello.protocolVersion)}::integer[],
      ${hellos.map((hello) => hello.features.join())}::text[]
    ) as h (node_id, session, controller, agent_version, dataplane, epoch, generation, protocol_version, features)
    order by h.node_id
    on conflict (node_id) do update set
      session = excluded.session, controller = excluded.controller, agent_version = excluded.agent_version,
      dataplane = excluded.dataplane, epoch = excluded.epoch, generation = excluded.generation,
      protocol_version = excluded.protocol_version, features = excluded.features, connected_at = excluded.connected_at, last_seen = excluded.last_seen, bus = excluded.bus,
      disconnected_at = null, dataplane_error = null, drift_repairs = 0
  `.execute(db);
}

/** Stores heartbeats of distinct nodes; the answer says for each whether its session is still the agent's newest. */
export async function recordHeartbeats(db: Database, records: readonly HeartbeatRecord[]): Promise<boolean[]> {
  const sorted = [...records].sort((a, b) => (a.node < b.node ? -1 : 1));
  const beats = sorted.map((record) => record.heartbeat);
  const stored = await sql<{ node_id: string }>`
    with beat as (
      select * from unnest(
        ${sorted.map((record) => record.node)}::text[],
        ${sorted.map((record) => record.session)}::uuid[],
        ${beats.map((beat) => beat.epoch)}::bigint[],
        ${beats.map((beat) => beat.generation)}::bigint[],
        ${beats.map((beat) => beat.bus)}::text[],
        ${beats.map((beat) => (beat.dataplaneError === '' ? null : beat.dataplaneError))}::text[],
        ${beats.map((beat) => beat.driftRepairs)}::bigint[]
      ) as b (node_id, session, epoch, generation, bus, dataplane_error, drift_repairs)
    ), locked as (
      select a.node_id from agent a join beat using (node_id, session) order by a.node_id for update of a
    )
    update agent a set
      last_seen = clock_timestamp(), epoch = beat.epoch, generation = beat.generation, bus = beat.bus,
      dataplane_error = beat.dataplane_error, drift_repairs = beat.drift_repairs
    from beat join locked using (node_id)
    where a.node_id = beat.node_id
    returning a.node_id
  `.execute(db);
  const current = new Set(stored.rows.map((row) => row.node_id));
  return records.map((record) => current.has(record.node));
}

/** Notes that the session ended; the agent's state follows from its silence alone. */
export async function recordEnd(db: Database, node: NodeId, session: string): Promise<void> {
  await db
    .updateTable('agent')
    .set({ disconnected_at: sql`clock_timestamp()` })
    .where('node_id', '=', node)
    .where('session', '=', session)
    .execute();
}

/** What each of the nodes should hold now, in their order. */
export async function readDigests(db: Database, nodes: readonly NodeId[]): Promise<Digest[]> {
  const rows = await db
    .selectFrom('headend')
    .select(['node_id', 'epoch', 'generation', 'state_hash'])
    .where(sql<boolean>`node_id = any(${nodes}::text[])`)
    .execute();
  const digests = new Map(
    rows.map((row): [string, Digest] => [
      row.node_id,
      { epoch: row.epoch, generation: row.generation, stateHash: row.state_hash },
    ]),
  );
  return nodes.map((node) => digests.get(node) ?? NO_DIGEST);
}
