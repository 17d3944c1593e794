import { HEARTBEAT_INTERVAL_MS, MISSED_HEARTBEATS } from '@waymark/agent-protocol';
import { sql, type RawBuilder } from 'kysely';

export type AgentState = 'connected' | 'unknown';

/**
 * SQL for the state of a row of `agent`, by the clock of the database, which all controllers share. Silence makes an
 * agent unknown; it says nothing about its node.
 */
export const agentStateSql: RawBuilder<AgentState> = sql<AgentState>`
  case when agent.last_seen > clock_timestamp() - make_interval(secs => ${(MISSED_HEARTBEATS * HEARTBEAT_INTERVAL_MS) / 1_000})
    then 'connected' else 'unknown' end
`;
