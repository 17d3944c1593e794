import { sql, type Kysely, type Transaction } from 'kysely';
import { Problem } from '../model/errors.js';
import type { Possessions } from '../model/kubernetes.js';
import type { Actor } from '../model/topology.js';
import type { Tables } from './database.js';

export type OwnedKind = 'policy' | 'mesh' | 'link-constraints';

const nameOf: Readonly<Record<OwnedKind, string>> = {
  policy: 'the policy',
  mesh: 'the mesh',
  'link-constraints': 'what operators set of link',
};

/** Owners by id; what has none is left out. */
export async function ownersOf(
  db: Kysely<Tables>,
  kind: OwnedKind,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ id: string; owner: string }>`
    select id, owner from owned_object where kind = ${kind} and id = any(${ids}::text[])
  `.execute(db);
  return new Map(rows.map(({ id, owner }) => [id, owner]));
}

/** What belongs to each owner whose name begins so. */
export async function possessionsOf(db: Kysely<Tables>, prefix: string): Promise<ReadonlyMap<string, Possessions>> {
  const { rows } = await sql<{ owner: string } & Possessions>`
    select owner,
      coalesce(array_agg(id order by id) filter (where kind = 'policy'), '{}') as policies,
      coalesce(array_agg(id order by id) filter (where kind = 'mesh'), '{}') as meshes,
      coalesce(array_agg(id order by id) filter (where kind = 'link-constraints'), '{}') as links
    from owned_object where starts_with(owner, ${prefix}) group by owner
  `.execute(db);
  return new Map(rows.map(({ owner, ...possessions }) => [owner, possessions]));
}

/**
 * Lets only the owner of something change it; what has no owner is everybody's but those who act for an object, which would
 * take it over. Throws `owned-elsewhere` and `already-exists`.
 */
export async function requireOwner(
  tx: Transaction<Tables>,
  kind: OwnedKind,
  ids: readonly string[],
  { owner }: Actor,
): Promise<void> {
  if (ids.length === 0) return;
  const owners = await ownersOf(tx, kind, ids);
  for (const id of ids) {
    const known = owners.get(id);
    if (known === owner) continue;
    const what = `${nameOf[kind]} ${id}`;
    if (known !== undefined) {
      throw new Problem('owned-elsewhere', { detail: `${what} belongs to ${known}: change it there` });
    }
    throw new Problem('already-exists', { detail: `${what} was made through the REST API: delete it there first` });
  }
}

/** Makes the actor's object, if it acts for one, the owner of what it has just made. */
export async function takeOwnership(
  tx: Transaction<Tables>,
  kind: OwnedKind,
  ids: readonly string[],
  { owner }: Actor,
): Promise<void> {
  if (owner === undefined) return;
  await sql`
    insert into owned_object (kind, id, owner) select ${kind}, id, ${owner} from unnest(${ids}::text[]) as n (id)
    on conflict do nothing
  `.execute(tx);
}

/** What is gone, or has nothing set any more, belongs to nobody. */
export async function releaseOwnership(
  tx: Transaction<Tables>,
  kind: OwnedKind,
  ids: readonly string[],
): Promise<void> {
  await sql`delete from owned_object where kind = ${kind} and id = any(${ids}::text[])`.execute(tx);
}
