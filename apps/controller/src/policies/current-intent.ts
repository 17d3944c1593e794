import { sql, type Transaction } from 'kysely';
import type { PinnedLists } from '../compute/evaluate-policies-model.js';
import { Problem } from '../model/errors.js';
import type { MeshIntent } from '../model/sr-policy.js';
import type { Actor } from '../model/topology.js';
import type { Tables } from '../storage/database.js';
import { requireOwner } from '../storage/owners.js';
import { meshIntent } from './mesh-store.js';
import { loadIntents, type PolicyIntent } from './policy-intents.js';

/* What a change of intent finds in its transaction, and whether it may change that. */

/** Throws `not-found`, and `precondition-failed` for another version. */
export async function currentPolicy(tx: Transaction<Tables>, id: string, ifVersion: number): Promise<PolicyIntent> {
  const intent = (await loadIntents(tx, [id])).get(id);
  if (intent === undefined) throw noPolicy(id);
  requireVersion(`policy ${id}`, intent.version, ifVersion);
  return intent;
}

/** Which lists a policy keeps is part of what its owner, or that of its mesh, asks for. */
export async function requireOwnLists(
  tx: Transaction<Tables>,
  { id, mesh }: Pick<PolicyIntent, 'id' | 'mesh'>,
  actor: Actor,
): Promise<void> {
  if (mesh === null) await requireOwner(tx, 'policy', [id], actor);
  else await requireOwner(tx, 'mesh', [mesh], actor);
}

export function refuseMeshOwned({ id, mesh }: PolicyIntent): void {
  if (mesh !== null) throw new Problem('mesh-owned', { detail: `${id} belongs to the mesh ${mesh}` });
}

/** As currentPolicy. */
export async function currentMesh(tx: Transaction<Tables>, id: string, ifVersion: number): Promise<MeshIntent> {
  const mesh = await meshIntent(tx, id);
  if (mesh === undefined) throw noMesh(id);
  requireVersion(`mesh ${id}`, mesh.version, ifVersion);
  return mesh.intent;
}

function requireVersion(what: string, version: number, ifVersion: number): void {
  if (version === ifVersion) return;
  throw new Problem('precondition-failed', {
    detail: `${what} is at version ${version}, not ${ifVersion}`,
    field: 'If-Match',
  });
}

export async function storePinned(
  tx: Transaction<Tables>,
  id: string,
  lists: PinnedLists | null,
  revision: number,
): Promise<void> {
  const json = lists === null ? null : JSON.stringify(lists);
  await sql`update sr_policy set pinned_lists = ${json}::jsonb, revision = ${revision} where id = ${id}`.execute(tx);
}

export function noPolicy(id: string): Problem {
  return new Problem('not-found', { detail: `there is no policy ${id}` });
}

export function noMesh(id: string): Problem {
  return new Problem('not-found', { detail: `there is no mesh ${id}` });
}
