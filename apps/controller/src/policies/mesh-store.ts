import { sql, type RawBuilder } from 'kysely';
import type { MeshFilter } from '../model/filters.js';
import type { Page, PageRequest } from '../model/ports.js';
import type { MeshIntent, MeshView } from '../model/sr-policy.js';
import { ownersOf } from '../storage/owners.js';
import type { Executor } from './policy-intents.js';

/** Writes a mesh that does not exist, or replaces one; its policies follow by expandMesh. */
export async function storeMesh(db: Executor, intent: MeshIntent, revision: number): Promise<void> {
  await sql`
    insert into mesh (id, color, selector, template, revision)
    values (${intent.id}, ${intent.color}, ${JSON.stringify(intent.selector)}, ${JSON.stringify(intent.template)},
      ${revision})
    on conflict (id) do update set color = excluded.color, selector = excluded.selector, template = excluded.template,
      revision = excluded.revision
  `.execute(db);
  await sql`delete from mesh_override where mesh_id = ${intent.id}`.execute(db);
  await sql`
    insert into mesh_override (mesh_id, headend, endpoint, override)
    select ${intent.id}, headend, endpoint, override
    from unnest(${intent.overrides.map(({ headend }) => headend)}::text[],
      ${intent.overrides.map(({ endpoint }) => endpoint)}::text[],
      ${intent.overrides.map(({ override }) => JSON.stringify(override))}::jsonb[]) as n (headend, endpoint, override)
  `.execute(db);
}

interface MeshRow {
  readonly id: string;
  readonly color: number;
  readonly selector: MeshIntent['selector'];
  readonly template: MeshIntent['template'];
  readonly revision: number;
  readonly overrides: MeshIntent['overrides'];
}

/** A page of meshes with how their policies fare. */
export async function meshPage(db: Executor, filter: MeshFilter, page: PageRequest): Promise<Page<MeshView>> {
  const { color, node, status } = filter;
  const some = (condition: RawBuilder<unknown>) => sql`exists (
    select from sr_policy p left join policy_state s on s.policy_id = p.id where p.mesh_id = m.id and ${condition}
  )`;
  const conditions = [
    ...(page.after === undefined ? [] : [sql`m.id collate "C" > ${page.after}`]),
    ...(color === undefined ? [] : [sql`m.color = ${color}`]),
    ...(node === undefined ? [] : [some(sql`${node} in (p.headend, p.endpoint)`)]),
    ...(status === undefined ? [] : [some(sql`s.status = ${status}`)]),
  ];
  const where = conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`;
  const rows = await sql<{ id: string }>`
    select m.id from mesh m ${where} order by m.id collate "C" limit ${page.limit + 1}
  `.execute(db);
  const ids = rows.rows.slice(0, page.limit).map(({ id }) => id);
  return { items: await meshViews(db, ids), next: rows.rows.length > page.limit ? (ids.at(-1) ?? null) : null };
}

/** undefined: there is no such mesh. */
export async function meshIntent(
  db: Executor,
  id: string,
): Promise<{ readonly version: number; readonly intent: MeshIntent } | undefined> {
  const [row] = await meshRows(db, [id]);
  if (row === undefined) return undefined;
  const { revision, ...intent } = row;
  return { version: revision, intent };
}

async function meshRows(db: Executor, ids: readonly string[]): Promise<readonly MeshRow[]> {
  const { rows } = await sql<MeshRow>`
    select m.id, m.color, m.selector, m.template, m.revision, coalesce(
      (select jsonb_agg(jsonb_build_object('headend', o.headend, 'endpoint', o.endpoint, 'override', o.override)
         order by o.headend, o.endpoint)
       from mesh_override o where o.mesh_id = m.id), '[]') as overrides
    from mesh m where m.id = any(${ids}::text[]) order by m.id collate "C"
  `.execute(db);
  return rows;
}

/** In the order of their ids; ids that do not exist are left out. */
export async function meshViews(db: Executor, ids: readonly string[]): Promise<MeshView[]> {
  const meshes = await meshRows(db, ids);
  const counts = await sql<{ mesh_id: string } & MeshView['policies']>`
    select p.mesh_id, count(*) as total,
      count(*) filter (where s.status = 'up') as up,
      count(*) filter (where s.status = 'fallback') as fallback,
      count(*) filter (where s.status = 'down') as down,
      count(*) filter (where d.outcome in ('installed', 'simulated')) as installed
    from sr_policy p
    left join policy_state s on s.policy_id = p.id
    left join desired d on d.headend = p.headend and d.policy_id = p.id and not d.deleted
    where p.mesh_id = any(${ids}::text[])
    group by p.mesh_id
  `.execute(db);
  const owners = await ownersOf(db, 'mesh', ids);
  const countsOf = new Map(counts.rows.map(({ mesh_id, ...rest }) => [mesh_id, rest]));
  return meshes.map(({ revision, ...intent }) => ({
    id: intent.id,
    version: revision,
    intent,
    owner: owners.get(intent.id) ?? null,
    policies: countsOf.get(intent.id) ?? { total: 0, up: 0, fallback: 0, down: 0, installed: 0 },
  }));
}
