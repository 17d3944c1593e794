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
    delete from steering
    where policy_id = ${policy.id} and class = '' and explicit and prefix <> all(${prefixes}::cidr[])
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

/** What a policy that may claim prefixes asks for. */
export interface SteeringPolicy {
  readonly id: string;
  readonly color: number;
  readonly endpoint: NodeId;
  /** null: default steering. */
  readonly steeredPrefixes: readonly string[] | null;
}

/**
 * All claims of a service class on a headend, given those that it has and the policies of its color there. The prefixes that
 * a policy names are its own here, too, so no two name the same; what is left goes as by default.
 */
export function classClaims(
  present: readonly Claim[],
  policies: readonly SteeringPolicy[],
  podPrefixes: ReadonlyMap<NodeId, readonly string[]>,
): Claim[] {
  const explicit = policies.flatMap(({ id, steeredPrefixes }) =>
    (steeredPrefixes ?? []).map((prefix): Claim => ({ prefix, policyId: id, explicit: true })),
  );
  const assigned = assignPrefixes(
    [...explicit, ...present.filter((claim) => !claim.explicit)],
    wantingByDefault(policies, podPrefixes),
  );
  return [...explicit, ...[...assigned].map(([prefix, policyId]): Claim => ({ prefix, policyId, explicit: false }))];
}

function wantingByDefault(
  policies: readonly SteeringPolicy[],
  podPrefixes: ReadonlyMap<NodeId, readonly string[]>,
): DefaultSteering[] {
  return policies
    .filter(({ steeredPrefixes }) => steeredPrefixes === null)
    .map(({ id, color, endpoint }) => ({ policyId: id, color, prefixes: podPrefixes.get(endpoint) ?? [] }));
}

interface StoredClaim extends Claim {
  readonly headend: NodeId;
  /** Color of the service class; empty: of all traffic. */
  readonly class: string;
}

/**
 * Recomputes what these headends steer, but for the explicit claims on all traffic, which are intent: the default claims,
 * and all claims of service classes that have members there. Returns the policies that may steer something else than before.
 */
export async function assignClaims(
  db: Executor,
  headends: readonly NodeId[],
  podPrefixes: ReadonlyMap<NodeId, readonly string[]>,
): Promise<ReadonlySet<string>> {
  if (headends.length === 0) return new Set();
  const { policiesOf, claimsOf, colorsOf } = await steeringOfHeadends(db, headends);
  const changed = new Set<string>();
  const rows: StoredClaim[] = [];
  const gone: StoredClaim[] = [];
  const replace = (before: readonly StoredClaim[], after: readonly StoredClaim[]): void => {
    const held = new Map(before.map((claim) => [claim.prefix, claim]));
    for (const claim of after) {
      const known = held.get(claim.prefix);
      held.delete(claim.prefix);
      if (known?.policyId === claim.policyId && known.explicit === claim.explicit) continue;
      if (known !== undefined) changed.add(known.policyId);
      changed.add(claim.policyId);
      rows.push(claim);
    }
    for (const claim of held.values()) {
      changed.add(claim.policyId);
      gone.push(claim);
    }
  };
  for (const headend of headends) {
    const policies = policiesOf.get(headend) ?? [];
    const claims = claimsOf.get(headend) ?? [];
    const ofAll = claims.filter((claim) => claim.class === '');
    const wanting = wantingByDefault(policies, podPrefixes);
    // An explicit claim may have displaced a default one since: its row no longer tells whose.
    for (const id of wantingAny(wanting, explicitPrefixes(ofAll))) changed.add(id);
    const assigned = [...assignPrefixes(ofAll, wanting)];
    replace(
      ofAll.filter(({ explicit }) => !explicit),
      assigned.map(([prefix, policyId]) => ({ headend, class: '', prefix, policyId, explicit: false })),
    );
    const colors = colorsOf.get(headend) ?? new Set();
    const classes = new Set([...claims.map((claim) => claim.class), ...[...colors].map(String)]);
    for (const name of classes) {
      if (name === '') continue;
      const present = claims.filter((claim) => claim.class === name);
      const color = Number(name);
      const own = colors.has(color) ? policies.filter((policy) => policy.color === color) : [];
      const after = classClaims(present, own, podPrefixes);
      replace(
        present,
        after.map((claim) => ({ headend, class: name, ...claim })),
      );
    }
  }
  await storeClaims(db, rows, gone);
  return changed;
}

async function steeringOfHeadends(db: Executor, headends: readonly NodeId[]) {
  const members = await sql<{ headend: NodeId; color: number }>`
    select distinct headend, color from class_member where headend = any(${headends}::text[])
  `.execute(db);
  // Explicit claims on all traffic are in the table; what else these policies ask for matters to classes of their color.
  const policies = await sql<SteeringPolicy & { headend: NodeId }>`
    select id, headend, color, endpoint, steered_prefixes::text[] as "steeredPrefixes" from sr_policy p
    where headend = any(${headends}::text[]) and (
      steered_prefixes is null or exists (
        select from class_member m where m.headend = p.headend and m.color = p.color
      )
    )
  `.execute(db);
  const claims = await sql<StoredClaim>`
    select headend, class, prefix::text, policy_id as "policyId", explicit from steering
    where headend = any(${headends}::text[])
  `.execute(db);
  const colorsOf = new Map<NodeId, Set<number>>();
  for (const { headend, color } of members.rows) {
    const colors = colorsOf.get(headend) ?? new Set();
    colorsOf.set(headend, colors.add(color));
  }
  return {
    policiesOf: groupBy(policies.rows, (policy) => policy.headend),
    claimsOf: groupBy(claims.rows, (claim) => claim.headend),
    colorsOf,
  };
}

/** Explicit claims on all traffic stay as they are. */
async function storeClaims(db: Executor, rows: readonly StoredClaim[], gone: readonly StoredClaim[]): Promise<void> {
  if (gone.length > 0) {
    await sql`
      delete from steering s
      using unnest(${gone.map((row) => row.headend)}::text[], ${gone.map((row) => row.class)}::text[],
        ${gone.map((row) => row.prefix)}::cidr[]) as g (headend, class, prefix)
      where s.headend = g.headend and s.class = g.class and s.prefix = g.prefix and (not s.explicit or s.class <> '')
    `.execute(db);
  }
  if (rows.length === 0) return;
  await sql`
    insert into steering (headend, class, prefix, policy_id, explicit)
    select n.headend, n.class, n.prefix, n.policy_id, n.explicit
    from unnest(${rows.map((row) => row.headend)}::text[], ${rows.map((row) => row.class)}::text[],
      ${rows.map((row) => row.prefix)}::cidr[], ${rows.map((row) => row.policyId)}::text[],
      ${rows.map((row) => row.explicit)}::boolean[]) as n (headend, class, prefix, policy_id, explicit)
    on conflict (headend, class, prefix) do update set policy_id = excluded.policy_id, explicit = excluded.explicit
    where not steering.explicit or steering.class <> ''
  `.execute(db);
}

/** What a policy steers, each in the order of the prefixes. */
export interface SteeredPrefixes {
  /** Of all traffic. */
  readonly all: readonly string[];
  /** Of pods whose service class is its color. */
  readonly ofClass: readonly string[];
}

export async function steeredPrefixes(db: Executor, ids: readonly string[]): Promise<Map<string, SteeredPrefixes>> {
  const rows = await sql<{ policy_id: string; prefix: string; class: string }>`
    select policy_id, prefix::text, class from steering where policy_id = any(${ids}::text[]) order by prefix
  `.execute(db);
  return new Map(
    [...groupBy(rows.rows, (row) => row.policy_id)].map(([id, own]) => {
      const of = (all: boolean) => own.filter((row) => (row.class === '') === all).map(({ prefix }) => prefix);
      return [id, { all: of(true), ofClass: of(false) }];
    }),
  );
}

export function podPrefixesOf(ted: Ted): Map<NodeId, readonly string[]> {
  return new Map(ted.nodes.map((node) => [node.id, node.podPrefixes]));
}
