import { sql } from 'kysely';
import type { NodeId, Ted } from '@waymark/topology';
import { Problem } from '../model/errors.js';
import { groupBy } from './group-by.js';
import type { Executor } from './policy-intents.js';

/** A prefix that a headend steers into a policy. */
export interface Claim {
  readonly prefix: string;
  readonly policyId: string;
  readonly explicit: boolean;
}

/** A policy that takes what is left of its endpoint's pod prefixes. */
export interface DefaultSteering {
  readonly policyId: string;
  readonly color: number;
  readonly prefixes: readonly string[];
}

/**
 * Who gets which prefix of one headend. Explicit claims stand; a default claim stands as long as its policy wants the
 * prefix; a free one goes to the policy of the lowest color, then of the smallest id. So a newcomer never takes traffic
 * from a policy that carries it, and what is freed goes to who waits. Returns the default claims, by prefix.
 */
export function assignPrefixes(claims: readonly Claim[], wanting: readonly DefaultSteering[]): Map<string, string> {
  const explicit = explicitPrefixes(claims);
  const holder = new Map(claims.filter((claim) => !claim.explicit).map((claim) => [claim.prefix, claim.policyId]));
  const assigned = new Map<string, string>();
  const inOrder = [...wanting].sort((a, b) => a.color - b.color || (a.policyId < b.policyId ? -1 : 1));
  for (const { policyId, prefixes } of inOrder) {
    for (const prefix of prefixes) {
      if (explicit.has(prefix)) continue;
      if (!assigned.has(prefix) || holder.get(prefix) === policyId) assigned.set(prefix, policyId);
    }
  }
  return assigned;
}

/**
 * Makes a policy the explicit holder of exactly these prefixes, displacing default claims. Throws Problem
 * `prefix-claimed` for one that another policy of the headend holds explicitly.
 */
export async function claimPrefixes(
  db: Executor,
  policy: { readonly id: string; readonly headend: NodeId; readonly steeredPrefixes?: readonly string[] },
): Promise<void> {
  const prefixes = policy.steeredPrefixes ?? [];
  await sql`
    delete from steering where policy_id = ${policy.id} and explicit and prefix <> all(${prefixes}::cidr[])
  `.execute(db);
  if (prefixes.length === 0) return;
  const taken = await sql<{ prefix: string; policy_id: string }>`
    select prefix::text, policy_id from steering
    where headend = ${policy.headend} and class = '' and explicit and policy_id <> ${policy.id}
      and prefix = any(${prefixes}::cidr[])
    order by prefix
  `.execute(db);
  if (taken.rows.length > 0) {
    const errors = taken.rows.map((row) => ({
      field: `/steeredPrefixes/${prefixes.indexOf(row.prefix)}`,
      detail: `${row.prefix} is held by ${row.policy_id}`,
    }));
    throw new Problem('prefix-claimed', { detail: errors.map(({ detail }) => detail).join('; '), errors });
  }
  await sql`
    insert into steering (headend, class, prefix, policy_id, explicit)
    select ${policy.headend}, '', prefix, ${policy.id}, true from unnest(${prefixes}::cidr[]) as prefix
    on conflict (headend, class, prefix) do update set policy_id = excluded.policy_id, explicit = true
  `.execute(db);
}

function explicitPrefixes(claims: readonly Claim[]): ReadonlySet<string> {
  return new Set(claims.filter((claim) => claim.explicit).map((claim) => claim.prefix));
}

function wantingAny(wanting: readonly DefaultSteering[], prefixes: ReadonlySet<string>): string[] {
  if (prefixes.size === 0) return [];
  return wanting
    .filter((policy) => policy.prefixes.some((prefix) => prefixes.has(prefix)))
    .map((policy) => policy.policyId);
}

/** Recomputes the default claims of these headends. Returns the policies that may steer something else than before. */
export async function assignDefaultClaims(
  db: Executor,
  headends: readonly NodeId[],
  podPrefixes: ReadonlyMap<NodeId, readonly string[]>,
): Promise<ReadonlySet<string>> {
  if (headends.length === 0) return new Set();
  const policies = await sql<{ id: string; headend: NodeId; color: number; endpoint: NodeId }>`
    select id, headend, color, endpoint from sr_policy
    where headend = any(${headends}::text[]) and steered_prefixes is null
  `.execute(db);
  const claims = await sql<{ headend: NodeId; prefix: string; policyId: string; explicit: boolean }>`
    select headend, prefix::text, policy_id as "policyId", explicit from steering
    where headend = any(${headends}::text[]) and class = ''
  `.execute(db);
  const claimsOf = groupBy(claims.rows, (claim) => claim.headend);
  const policiesOf = groupBy(policies.rows, (policy) => policy.headend);
  const changed = new Set<string>();
  const rows: { headend: NodeId; prefix: string; policyId: string }[] = [];
  const gone: { headend: NodeId; prefix: string }[] = [];
  for (const headend of headends) {
    const present = claimsOf.get(headend) ?? [];
    const wanting = (policiesOf.get(headend) ?? []).map(({ id, color, endpoint }) => ({
      policyId: id,
      color,
      prefixes: podPrefixes.get(endpoint) ?? [],
    }));
    const assigned = assignPrefixes(present, wanting);
    const before = new Map(
      present.filter(({ explicit }) => !explicit).map(({ prefix, policyId }) => [prefix, policyId]),
    );
    // An explicit claim may have displaced a default one since: its row no longer tells whose.
    for (const id of wantingAny(wanting, explicitPrefixes(present))) changed.add(id);
    for (const [prefix, policyId] of before) {
      if (assigned.get(prefix) === policyId) continue;
      changed.add(policyId);
      if (!assigned.has(prefix)) gone.push({ headend, prefix });
    }
    for (const [prefix, policyId] of assigned) {
      if (before.get(prefix) === policyId) continue;
      changed.add(policyId);
      rows.push({ headend, prefix, policyId });
    }
  }
  await sql`
    delete from steering s
    using unnest(${gone.map((row) => row.headend)}::text[], ${gone.map((row) => row.prefix)}::cidr[]) as g (headend, prefix)
    where s.headend = g.headend and s.class = '' and s.prefix = g.prefix and not s.explicit
  `.execute(db);
  await sql`
    insert into steering (headend, class, prefix, policy_id, explicit)
    select n.headend, '', n.prefix, n.policy_id, false
    from unnest(${rows.map((row) => row.headend)}::text[], ${rows.map((row) => row.prefix)}::cidr[],
      ${rows.map((row) => row.policyId)}::text[]) as n (headend, prefix, policy_id)
    on conflict (headend, class, prefix) do update set policy_id = excluded.policy_id where not steering.explicit
  `.execute(db);
  return changed;
}

/** Prefixes steered into each of these policies, in the order of the prefixes. */
export async function steeredPrefixes(db: Executor, ids: readonly string[]): Promise<Map<string, string[]>> {
  const rows = await sql<{ policy_id: string; prefix: string }>`
    select policy_id, prefix::text from steering where policy_id = any(${ids}::text[]) order by prefix
  `.execute(db);
  const prefixes = new Map<string, string[]>();
  for (const { policy_id, prefix } of rows.rows) {
    const own = prefixes.get(policy_id);
    if (own === undefined) prefixes.set(policy_id, [prefix]);
    else own.push(prefix);
  }
  return prefixes;
}

export function podPrefixesOf(ted: Ted): Map<NodeId, readonly string[]> {
  return new Map(ted.nodes.map((node) => [node.id, node.podPrefixes]));
}
