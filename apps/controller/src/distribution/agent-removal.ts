import type { NodeId } from '@waymark/topology';
import { sql, type Transaction } from 'kysely';
import { Problem } from '../model/errors.js';
import type { Journal } from '../model/journal.js';
import { agentStateSql } from '../storage/agent-state.js';
import type { Tables } from '../storage/database.js';

/** What there was of an agent, for the audit. */
export interface RemovedAgent {
  readonly dataplane: string;
  readonly agentVersion: string;
  readonly lastSeen: string;
}

/**
 * Forgets an agent that will not come back: its row and reports, and whatever waits for its word. What its headend should
 * hold stays wanted, and nobody holds it. An agent that says hello all the same begins anew. Throws `not-found`, and
 * `agent-connected` for one that was heard of in the last seconds.
 */
export async function removeAgent(tx: Transaction<Tables>, node: NodeId, journal: Journal): Promise<RemovedAgent> {
  const row = await tx
    .selectFrom('agent')
    .select(['dataplane', 'agent_version', 'last_seen', agentStateSql.as('state')])
    .where('node_id', '=', node)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new Problem('not-found', { detail: `there is no agent of node "${node}"` });
  // Heartbeats are in no recording.
  if ((await journal.fact(() => Promise.resolve(row.state))) === 'connected') {
    throw new Problem('agent-connected', {
      detail: `the agent of ${node} was heard of in the last seconds`,
      field: 'node',
    });
  }
  await tx.selectFrom('headend').select('node_id').where('node_id', '=', node).forUpdate().execute();
  // Withdrawals that it would have acknowledged.
  await sql`delete from desired where headend = ${node} and deleted`.execute(tx);
  await sql`
    update desired set outcome = 'pending', outcome_reason = null, outcome_at = null where headend = ${node}
  `.execute(tx);
  await sql`update headend set read_back_hash = null where node_id = ${node}`.execute(tx);
  // In the order of storeLiveness, with which a late report would else wait for this and this for it.
  await sql`delete from liveness_round where headend = ${node}`.execute(tx);
  await sql`delete from list_liveness where headend = ${node}`.execute(tx);
  await tx.deleteFrom('agent_data_plane').where('node_id', '=', node).execute();
  await tx.deleteFrom('agent').where('node_id', '=', node).execute();
  return { dataplane: row.dataplane, agentVersion: row.agent_version, lastSeen: row.last_seen.toISOString() };
}
