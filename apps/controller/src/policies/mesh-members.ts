import { sql } from 'kysely';
import type { NodeId, Ted } from '@waymark/topology';
import type { MeshIntent } from '../model/sr-policy.js';
import type { Executor } from './policy-intents.js';

/** Hosts that a mesh selects, sorted by id. */
export function selectedHosts(ted: Ted, selector: MeshIntent['selector']): NodeId[] {
  const nodes = new Set(selector.nodes ?? []);
  const sites = new Set(selector.sites ?? []);
  return ted.nodes
    .filter(({ kind }) => kind === 'host')
    .filter(({ id, site }) => selector.all === true || nodes.has(id) || (site !== null && sites.has(site)))
    .map(({ id }) => id);
}

/**
 * Makes the policies of a mesh those of every ordered pair of its members, but for excluded pairs and pairs that have a
 * policy of this color already. Returns how many appeared and vanished. Three statements, however many pairs.
 */
export async function expandMesh(
  db: Executor,
  mesh: { readonly id: string; readonly color: number },
  members: readonly NodeId[],
  revision: number,
): Promise<{ readonly created: number; readonly deleted: number }> {
  const unwanted = await sql<{ id: string }>`
    select p.id from sr_policy p
    left join mesh_override o on o.mesh_id = p.mesh_id and o.headend = p.headend and o.endpoint = p.endpoint
    where p.mesh_id = ${mesh.id} and (
      p.color <> ${mesh.color} or coalesce((o.override->>'exclude')::boolean, false)
      or p.headend <> all(${members}::text[]) or p.endpoint <> all(${members}::text[])
    )
  `.execute(db);
  await deletePolicies(
    db,
    unwanted.rows.map(({ id }) => id),
    revision,
  );
  const created = await sql`
    insert into sr_policy (id, headend, color, endpoint, mesh_id, revision)
    select h || ':' || ${mesh.color}::bigint || ':' || e, h, ${mesh.color}, e, ${mesh.id}, ${revision}
    from unnest(${members}::text[]) as h cross join unnest(${members}::text[]) as e
    where h <> e
      and not exists (
        select from mesh_override o
        where o.mesh_id = ${mesh.id} and o.headend = h and o.endpoint = e and (o.override->>'exclude')::boolean
      )
      and not exists (select from sr_policy p where p.headend = h and p.color = ${mesh.color} and p.endpoint = e)
    on conflict do nothing
  `.execute(db);
  return { created: Number(created.numAffectedRows ?? 0n), deleted: unwanted.rows.length };
}

/** Lets every mesh follow the hosts of the TED. Returns how many policies appeared and vanished. */
export async function expandMeshes(
  db: Executor,
  ted: Ted,
  revision: number,
): Promise<{ readonly created: number; readonly deleted: number }> {
  const meshes = await sql<{ id: string; color: number; selector: MeshIntent['selector'] }>`
    select id, color, selector from mesh order by revision, id
  `.execute(db);
  const total = { created: 0, deleted: 0 };
  for (const mesh of meshes.rows) {
    const changes = await expandMesh(db, mesh, selectedHosts(ted, mesh.selector), revision);
    total.created += changes.created;
    total.deleted += changes.deleted;
  }
  return total;
}

/** Removes the intent of policies and leaves word for the leader. */
export async function deletePolicies(db: Executor, ids: readonly string[], revision: number): Promise<void> {
  if (ids.length === 0) return;
  await sql`
    with gone as (delete from sr_policy where id = any(${ids}::text[]) returning id, headend)
    insert into deleted_policy (policy_id, headend, revision) select id, headend, ${revision} from gone
    on conflict (policy_id) do update set revision = excluded.revision
  `.execute(db);
}
