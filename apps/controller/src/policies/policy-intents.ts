import { sql, type Kysely } from 'kysely';
import type { NodeId } from '@waymark/topology';
import type { PinnedLists } from '../compute/evaluate-policies-model.js';
import {
  policyIdOf,
  type CandidatePathIntent,
  type Fallback,
  type PolicyTemplate,
  type SrPolicyIntent,
} from '../model/sr-policy.js';
import type { Tables } from '../storage/database.js';

/** A database or a transaction on it. */
export type Executor = Kysely<Tables>;

/** What is asked for one policy, whether by itself or through its mesh. */
export interface PolicyIntent {
  readonly id: string;
  readonly headend: NodeId;
  readonly color: number;
  readonly endpoint: NodeId;
  readonly name: string | null;
  readonly mesh: string | null;
  readonly candidatePaths: readonly CandidatePathIntent[];
  readonly fallback: Fallback;
  /** null: not given. */
  readonly setupPriority: number | null;
  readonly holdPriority: number | null;
  /** null: default steering. */
  readonly steeredPrefixes: readonly string[] | null;
  readonly pinned: PinnedLists | null;
  /** Newest revision that changed any of this. */
  readonly version: number;
}

/** Who gave a candidate path, and where it comes from (RFC 9256 sections 2.3 to 2.5). */
export const REST_ORIGIN = { origin: 'configuration', originator: '0:::', owner: 'rest' } as const;

interface PolicyRow {
  readonly id: string;
  readonly headend: string;
  readonly color: number;
  readonly endpoint: string;
  readonly name: string | null;
  readonly mesh_id: string | null;
  readonly fallback: Fallback | null;
  readonly setup_priority: number | null;
  readonly hold_priority: number | null;
  readonly steered_prefixes: readonly string[] | null;
  readonly pinned_lists: PinnedLists | null;
  readonly version: number;
  readonly override: Partial<PolicyTemplate> | null;
}

/** Intents by policy id, in code-unit order of the ids; ids that do not exist are left out. Three queries, however many. */
export async function loadIntents(db: Executor, ids: readonly string[]): Promise<Map<string, PolicyIntent>> {
  const policies = await sql<PolicyRow>`
    select p.id, p.headend, p.color, p.endpoint, p.name, p.mesh_id, p.fallback, p.setup_priority, p.hold_priority,
      p.steered_prefixes, p.pinned_lists, greatest(p.revision, m.revision) as version, o.override
    from unnest(${ids}::text[]) as wanted (id)
    join sr_policy p using (id)
    left join mesh m on m.id = p.mesh_id
    left join mesh_override o on o.mesh_id = p.mesh_id and o.headend = p.headend and o.endpoint = p.endpoint
    order by p.id collate "C"
  `.execute(db);
  const single = policies.rows.filter((row) => row.mesh_id === null).map((row) => row.id);
  const paths = await loadCandidatePaths(db, single);
  const templates = await loadTemplates(db, [...new Set(policies.rows.flatMap((row) => row.mesh_id ?? []))]);
  return new Map(policies.rows.map((row) => [row.id, intentOf(row, paths, templates)]));
}

function intentOf(
  row: PolicyRow,
  paths: ReadonlyMap<string, readonly CandidatePathIntent[]>,
  templates: ReadonlyMap<string, PolicyTemplate>,
): PolicyIntent {
  const template = row.mesh_id === null ? undefined : templates.get(row.mesh_id);
  return {
    id: row.id,
    headend: row.headend,
    color: row.color,
    endpoint: row.endpoint,
    name: row.name,
    mesh: row.mesh_id,
    candidatePaths: row.override?.candidatePaths ?? template?.candidatePaths ?? paths.get(row.id) ?? [],
    fallback: row.override?.fallback ?? template?.fallback ?? row.fallback ?? 'drop',
    setupPriority: row.override?.setupPriority ?? template?.setupPriority ?? row.setup_priority,
    holdPriority: row.override?.holdPriority ?? template?.holdPriority ?? row.hold_priority,
    steeredPrefixes: row.steered_prefixes,
    pinned: row.pinned_lists,
    version: row.version,
  };
}

async function loadCandidatePaths(db: Executor, ids: readonly string[]): Promise<Map<string, CandidatePathIntent[]>> {
  const found = new Map<string, CandidatePathIntent[]>();
  if (ids.length === 0) return found;
  const rows = await sql<{
    policy_id: string;
    discriminator: number;
    preference: number;
    name: string | null;
    body: CandidatePathIntent['path'];
  }>`
    select policy_id, discriminator, preference, name, body
    from candidate_path
    where policy_id = any(${ids}::text[])
    order by policy_id, preference desc, discriminator
  `.execute(db);
  for (const { policy_id, discriminator, preference, name, body } of rows.rows) {
    const paths = found.get(policy_id) ?? [];
    found.set(policy_id, paths);
    paths.push({ discriminator, preference, ...(name === null ? {} : { name }), path: body });
  }
  return found;
}

async function loadTemplates(db: Executor, ids: readonly string[]): Promise<Map<string, PolicyTemplate>> {
  if (ids.length === 0) return new Map();
  const rows = await sql<{ id: string; template: PolicyTemplate }>`
    select id, template from mesh where id = any(${ids}::text[])
  `.execute(db);
  return new Map(rows.rows.map(({ id, template }) => [id, template]));
}

/** What the REST API shows as the intent of a policy. */
export function intentView(intent: PolicyIntent): SrPolicyIntent {
  const { headend, color, endpoint, name, candidatePaths, fallback, steeredPrefixes } = intent;
  const { setupPriority, holdPriority } = intent;
  return {
    headend,
    color,
    endpoint,
    ...(name === null ? {} : { name }),
    candidatePaths,
    fallback,
    ...(setupPriority === null ? {} : { setupPriority }),
    ...(holdPriority === null ? {} : { holdPriority }),
    ...(steeredPrefixes === null ? {} : { steeredPrefixes }),
  };
}

/** Writes a policy that does not exist, or replaces one. Explicit steering is written by claimPrefixes. */
export async function storeIntent(db: Executor, intent: SrPolicyIntent, revision: number): Promise<void> {
  const id = policyIdOf(intent);
  const prefixes = intent.steeredPrefixes ?? null;
  await sql`
    insert into sr_policy (id, headend, color, endpoint, name, fallback, setup_priority, hold_priority, steered_prefixes,
      revision)
    values (${id}, ${intent.headend}, ${intent.color}, ${intent.endpoint}, ${intent.name ?? null}, ${intent.fallback},
      ${intent.setupPriority ?? null}, ${intent.holdPriority ?? null}, ${prefixes}::cidr[], ${revision})
    on conflict (id) do update set name = excluded.name, fallback = excluded.fallback,
      setup_priority = excluded.setup_priority, hold_priority = excluded.hold_priority,
      steered_prefixes = excluded.steered_prefixes, revision = excluded.revision
  `.execute(db);
  await sql`delete from candidate_path where policy_id = ${id} and owner = ${REST_ORIGIN.owner}`.execute(db);
  const paths = intent.candidatePaths;
  await sql`
    insert into candidate_path (policy_id, origin, originator, owner, discriminator, preference, name, body)
    select ${id}, ${REST_ORIGIN.origin}, ${REST_ORIGIN.originator}, ${REST_ORIGIN.owner}, n.*
    from unnest(
      ${paths.map((path) => path.discriminator)}::bigint[],
      ${paths.map((path) => path.preference)}::bigint[],
      ${paths.map((path) => path.name ?? null)}::text[],
      ${paths.map((path) => JSON.stringify(path.path))}::jsonb[]
    ) as n
  `.execute(db);
}
