import { sql } from 'kysely';
import type { Database } from '../storage/database.js';

/** An agent of a Linux data plane that said hello once, and was heard of yesterday for the last time. */
export async function addSilentAgent(db: Database, node: string): Promise<void> {
  await sql`
    insert into agent (node_id, agent_version, dataplane, controller, session, connected_at, last_seen, epoch,
      generation, bus)
    values (${node}, '1', 'linux', 'c', gen_random_uuid(), now(), now() - interval '1 day', 0, 0, 'none')
  `.execute(db);
}
