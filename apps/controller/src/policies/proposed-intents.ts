import { sql } from 'kysely';
import type { Ted } from '@waymark/topology';
import { Problem } from '../model/errors.js';
import type { ProposedChange } from '../model/ports.js';
import type { MeshIntent, SrPolicyIntent } from '../model/sr-policy.js';
import { selectedHosts } from './mesh-members.js';
import { policyIdOf, type Executor } from './policy-intents.js';
import { checkedMesh, checkedPolicy } from './validate-intent.js';

type PolicyTerms = Pick<SrPolicyIntent, 'headend' | 'color' | 'endpoint' | 'candidatePaths' | 'fallback'>;

/** Which policies the proposed changes would ask for, and which they would end. */
export interface ProposedIntents {
  readonly put: ReadonlyMap<string, PolicyTerms>;
  readonly removed: ReadonlySet<string>;
}

/** Applies changes of intent, in their order. Throws the Problems that making them would throw. */
export async function proposedIntents(
  db: Executor,
  changes: readonly ProposedChange[],
  ted: Ted,
): Promise<ProposedIntents> {
  const put = new Map<string, PolicyTerms>();
  const removed = new Set<string>();
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
      case 'policy-put':
        set(checkedPolicy(change.policy, ted));
        break;
      case 'policy-delete': {
        if (!put.has(change.policyId) && (await existing(db, [change.policyId])).size === 0) {
          throw new Problem('policy-unknown', {
            detail: `there is no policy ${change.policyId}`,
            field: `/changes/${index}/policyId`,
          });
        }
        remove(change.policyId);
        break;
      }
      case 'mesh-put':
        await putMesh(db, checkedMesh(change.mesh, ted), ted, { set, remove });
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
  return { put, removed };
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
