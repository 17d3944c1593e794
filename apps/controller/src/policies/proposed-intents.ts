import { sql } from 'kysely';
import type { NodeId, Ted } from '@waymark/topology';
import type { PinnedLists } from '../compute/evaluate-policies-model.js';
import { Problem } from '../model/errors.js';
import type { ProposedChange } from '../model/ports.js';
import type { MeshIntent, SrPolicyIntent } from '../model/sr-policy.js';
import { selectedHosts } from './mesh-members.js';
import { type Executor } from './policy-intents.js';
import { policyIdOf } from '../model/sr-policy.js';
import { loadStates } from './policy-states.js';
import { checkedMesh, checkedPolicy } from './validate-intent.js';

type PolicyTerms = Omit<SrPolicyIntent, 'name'>;

/** Which policies the proposed changes would ask for, and which they would end. */
export interface ProposedIntents {
  readonly put: ReadonlyMap<string, PolicyTerms>;
  readonly removed: ReadonlySet<string>;
  /** Policies that would be unpinned (null), or pinned to the lists before their last change. */
  readonly pinned: ReadonlyMap<string, PinnedLists | null>;
}

/** Applies changes of intent, in their order. Throws the Problems that making them would throw. */
export async function proposedIntents(
  db: Executor,
  changes: readonly ProposedChange[],
  ted: Ted,
): Promise<ProposedIntents> {
  const put = new Map<string, PolicyTerms>();
  const removed = new Set<string>();
  const pinned = new Map<string, PinnedLists | null>();
  const claims: ProposedClaim[] = [];
  const set = (terms: PolicyTerms): void => {
    const id = policyIdOf(terms);
    removed.delete(id);
    put.set(id, terms);
  };
  const remove = (id: string): void => {
    put.delete(id);
    removed.add(id);
  };
  for (const [index, change] of changes.entries()) {
    switch (change.kind) {
      case 'policy-put': {
        const field = `/changes/${index}/policy`;
        const terms = within(field, () => checkedPolicy(change.policy, ted));
        if (!removed.has(policyIdOf(terms))) await refuseMeshOwned(db, policyIdOf(terms), field);
        set(terms);
        claims.push(...claimsOf(terms, field));
        break;
      }
      case 'policy-delete': {
        const { policyId } = change;
        const field = `/changes/${index}/policyId`;
        if (!put.has(policyId) && !(await refuseMeshOwned(db, policyId, field))) {
          throw unknownPolicy(policyId, field);
        }
        remove(policyId);
        break;
      }
      case 'policy-unpin':
      case 'policy-roll-back': {
        const { policyId, kind } = change;
        const field = `/changes/${index}/policyId`;
        if ((await existing(db, [policyId])).size === 0 || removed.has(policyId)) throw unknownPolicy(policyId, field);
        pinned.set(policyId, kind === 'policy-unpin' ? null : await previousLists(db, policyId, field));
        break;
      }
      case 'mesh-put':
        await putMesh(
          db,
          within(`/changes/${index}/mesh`, () => checkedMesh(change.mesh, ted)),
          ted,
          { set, remove },
        );
        break;
      case 'mesh-delete': {
        const mesh = await sql`select from mesh where id = ${change.meshId}`.execute(db);
        if (mesh.rows.length === 0) {
          throw new Problem('mesh-unknown', {
            detail: `there is no mesh ${change.meshId}`,
            field: `/changes/${index}/meshId`,
          });
        }
        for (const id of await policiesOfMesh(db, change.meshId)) remove(id);
        break;
      }
      default:
    }
  }
  await refuseOverlaps(db, claims, { put, removed });
  return { put, removed, pinned };
}

function unknownPolicy(id: string, field: string): Problem {
  return new Problem('policy-unknown', { detail: `there is no policy ${id}`, field });
}

async function previousLists(db: Executor, id: string, field: string): Promise<PinnedLists> {
  const previous = (await loadStates(db, [id])).get(id)?.previousLists ?? null;
  if (previous !== null) return previous;
  throw new Problem('no-lists-to-return-to', { detail: `${id} had no other lists before`, field });
}

interface ProposedClaim {
  readonly terms: PolicyTerms;
  readonly prefix: string;
  readonly field: string;
}

function claimsOf(terms: PolicyTerms, field: string): ProposedClaim[] {
  return (terms.steeredPrefixes ?? []).map((prefix, i) => ({ terms, prefix, field: `${field}/steeredPrefixes/${i}` }));
}

/** Explicit steering as it would be in the end: a claim whose policy was replaced or removed later counts no more. */
async function refuseOverlaps(
  db: Executor,
  claims: readonly ProposedClaim[],
  { put, removed }: Pick<ProposedIntents, 'put' | 'removed'>,
): Promise<void> {
  const standing = claims.filter(({ terms }) => put.get(policyIdOf(terms)) === terms);
  const holders = await explicitHolders(db, [...new Set(standing.map(({ terms }) => terms.headend))]);
  for (const [key, holder] of holders) if (put.has(holder) || removed.has(holder)) holders.delete(key);
  for (const { terms, prefix, field } of standing) {
    const key = `${terms.headend} ${prefix}`;
    const holder = holders.get(key);
    if (holder !== undefined) throw new Problem('prefix-claimed', { detail: `${prefix} is held by ${holder}`, field });
    holders.set(key, policyIdOf(terms));
  }
}

/** By headend and prefix. */
async function explicitHolders(db: Executor, headends: readonly NodeId[]): Promise<Map<string, string>> {
  const rows = await sql<{ key: string; policy_id: string }>`
    select headend || ' ' || prefix::text as key, policy_id from steering
    where headend = any(${headends}::text[]) and class = '' and explicit
  `.execute(db);
  return new Map(rows.rows.map(({ key, policy_id }) => [key, policy_id]));
}

/** False: there is no such policy. Throws Problem `mesh-owned`. */
async function refuseMeshOwned(db: Executor, id: string, field: string): Promise<boolean> {
  const mesh = (await existing(db, [id])).get(id);
  if (typeof mesh === 'string') throw new Problem('mesh-owned', { detail: `${id} belongs to the mesh ${mesh}`, field });
  return mesh === null;
}

/** Lets the Problems of a part of the request name its place in the whole. */
function within<T>(field: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { info } = error;
    throw new Problem(error.code, {
      ...info,
      ...(info.field === undefined ? {} : { field: `${field}${info.field}` }),
      ...(info.errors === undefined
        ? {}
        : { errors: info.errors.map((fault) => ({ ...fault, field: `${field}${fault.field}` })) }),
    });
  }
}

async function putMesh(
  db: Executor,
  mesh: MeshIntent,
  ted: Ted,
  intents: { readonly set: (terms: PolicyTerms) => void; readonly remove: (id: string) => void },
): Promise<void> {
  const members = selectedHosts(ted, mesh.selector);
  const overrides = new Map(mesh.overrides.map((pair) => [`${pair.headend} ${pair.endpoint}`, pair.override]));
  const wanted = new Map<string, PolicyTerms>();
  for (const headend of members) {
    for (const endpoint of members) {
      const { exclude, ...override } = overrides.get(`${headend} ${endpoint}`) ?? {};
      if (headend === endpoint || exclude === true) continue;
      const terms = { headend, color: mesh.color, endpoint, ...mesh.template, ...override };
      wanted.set(policyIdOf(terms), terms);
    }
  }
  const owners = await existing(db, [...wanted.keys()]);
  for (const id of await policiesOfMesh(db, mesh.id)) {
    if (!wanted.has(id)) intents.remove(id);
  }
  for (const [id, terms] of wanted) {
    const owner = owners.get(id);
    if (owner === undefined || owner === mesh.id) intents.set(terms);
  }
}

/** Mesh of each of these policies that exists; null for one without. */
async function existing(db: Executor, ids: readonly string[]): Promise<Map<string, string | null>> {
  const rows = await sql<{ id: string; mesh_id: string | null }>`
    select id, mesh_id from sr_policy where id = any(${ids}::text[])
  `.execute(db);
  return new Map(rows.rows.map(({ id, mesh_id }) => [id, mesh_id]));
}

async function policiesOfMesh(db: Executor, mesh: string): Promise<string[]> {
  const rows = await sql<{ id: string }>`select id from sr_policy where mesh_id = ${mesh} order by id`.execute(db);
  return rows.rows.map(({ id }) => id);
}
