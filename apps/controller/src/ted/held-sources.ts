import { sql } from 'kysely';
import type { HeldSource, TopologyElements } from '../model/topology.js';
import type { Database } from '../storage/database.js';

/**
 * The first source, by id, that is held and speaks of any of these elements; of anything at all, when there are none.
 * undefined: there is no such source.
 */
export async function heldSourceOf(db: Database, { links, nodes }: TopologyElements): Promise<HeldSource | undefined> {
  const found = await sql<HeldSource>`
    select s.id, s.held_revision as "heldRevision"
    from source s
    where s.held_since is not null and (
      ${links.length + nodes.length === 0}
      or exists (
        select from link_layer l
        where l.source = s.id and l.layer <> 'operator' and l.to_revision is null and l.link_id = any(${links}::text[])
      )
      or exists (
        select from node_layer n
        where n.source = s.id and n.layer <> 'operator' and n.to_revision is null and n.node_id = any(${nodes}::text[])
      )
    )
    order by s.id
    limit 1
  `.execute(db);
  return found.rows[0];
}
