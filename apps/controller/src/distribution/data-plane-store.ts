import type { DataPlaneReport } from '@waymark/agent-protocol';
import { ipv6FromBytes, type NodeId } from '@waymark/topology';
import { sql } from 'kysely';
import type { DataPlaneReport as ShownReport } from '../model/agents.js';
import type { Database } from '../storage/database.js';

export interface DataPlaneRecord {
  readonly node: NodeId;
  readonly session: string;
  /** Checked (mistakeInDataPlane) and printable. */
  readonly report: DataPlaneReport;
}

type Interfaces = ShownReport['interfaces'];
type LocalSids = ShownReport['localSids'];

/** Stores the newest report of each data plane. One that does not come from the agent's newest session does not count. */
export async function storeDataPlanes(db: Database, records: readonly DataPlaneRecord[]): Promise<void> {
  const rows = records.map(({ node, session, report }) => ({
    node_id: node,
    session,
    read_at: new Date(report.atMs).toISOString(),
    version: report.version === '' ? null : report.version,
    reachable: report.reachable,
    interfaces: report.interfaces.map((counters) => ({ ...counters })) satisfies Interfaces,
    local_sids: report.localSids.map((counters) => ({
      ...counters,
      sid: ipv6FromBytes(counters.sid),
    })) satisfies LocalSids,
    notices: report.notices,
  }));
  await sql`
    insert into agent_data_plane (node_id, reported_at, read_at, version, reachable, interfaces, local_sids, notices)
    select n.node_id, clock_timestamp(), n.read_at, n.version, n.reachable, n.interfaces, n.local_sids, n.notices
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as n (
      node_id text, session uuid, read_at timestamptz, version text, reachable boolean, interfaces jsonb,
      local_sids jsonb, notices text[]
    )
    join agent a using (node_id, session)
    order by n.node_id
    on conflict (node_id) do update set
      reported_at = excluded.reported_at, read_at = excluded.read_at, version = excluded.version,
      reachable = excluded.reachable, interfaces = excluded.interfaces, local_sids = excluded.local_sids,
      notices = excluded.notices
  `.execute(db);
}

/** null: the agent has never reported on it. */
export async function readDataPlane(db: Database, node: NodeId): Promise<ShownReport | null> {
  const row = await db.selectFrom('agent_data_plane').selectAll().where('node_id', '=', node).executeTakeFirst();
  if (row === undefined) return null;
  return {
    reportedAt: row.reported_at.toISOString(),
    readAt: row.read_at.toISOString(),
    version: row.version,
    reachable: row.reachable,
    interfaces: row.interfaces as Interfaces,
    localSids: row.local_sids as LocalSids,
    notices: row.notices,
  };
}
