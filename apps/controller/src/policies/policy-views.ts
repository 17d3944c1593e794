import { sql } from 'kysely';
import type { NodeId, Ted } from '@waymark/topology';
import type { PolicyFilter } from '../model/filters.js';
import type { Page, PageRequest } from '../model/ports.js';
import type { InstallState, PolicyState, SrPolicyView } from '../model/sr-policy.js';
import { ownersOf } from '../storage/owners.js';
import { bindingSidsOf } from './binding-sid-store.js';
import type { BindingSidPair } from './binding-sids.js';
import { shortagesOf } from './bsid-shortage.js';
import { servesClass } from './desired-body.js';
import { KnownLiveness, livenessOf, policyLiveness, policyLivenessSql } from './list-liveness.js';
import { intentView, loadIntents, type Executor, type PolicyIntent } from './policy-intents.js';
import { causeOf } from './policy-event.js';
import { loadStates, type StoredState } from './policy-states.js';
import { steeredPrefixes } from './steering-claims.js';
import { policyList } from './stored-lists.js';

/** A page of policy ids, in code-unit order. The filter is applied in the database, whatever it combines. */
export async function policyIds(db: Executor, filter: PolicyFilter, page: PageRequest): Promise<Page<string>> {
  const { headend, endpoint, color, mesh, status, install, pinned, liveness, usesLink, usesNode } = filter;
  const joined = status ?? usesLink ?? usesNode;
  const conditions = [
    ...(page.after === undefined ? [] : [sql`p.id collate "C" > ${page.after}`]),
    ...(headend === undefined ? [] : [sql`p.headend = ${headend}`]),
    ...(endpoint === undefined ? [] : [sql`p.endpoint = ${endpoint}`]),
    ...(color === undefined ? [] : [sql`p.color = ${color}`]),
    ...(mesh === undefined ? [] : [sql`p.mesh_id = ${mesh}`]),
    ...(pinned === undefined ? [] : [sql`(p.pinned_lists is not null) = ${pinned}`]),
    ...(status === undefined ? [] : [sql`s.status = ${status}`]),
    ...(liveness === undefined ? [] : [sql`${policyLivenessSql(sql.ref('p.id'))} = ${liveness}`]),
    ...(usesLink === undefined ? [] : [sql`s.link_ids @> array[${usesLink}]::text[]`]),
    ...(usesNode === undefined ? [] : [sql`s.node_ids @> array[${usesNode}]::text[]`]),
    ...(install === undefined
      ? []
      : [sql`coalesce(d.outcome, case when w.policy_id is null then 'none' else 'failed' end) = ${install}`]),
  ];
  const where = conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`;
  const rows = await sql<{ id: string }>`
    select p.id from sr_policy p
    ${joined === undefined ? sql`` : sql`join policy_state s on s.policy_id = p.id`}
    ${
      install === undefined
        ? sql``
        : sql`left join desired d on d.headend = p.headend and d.policy_id = p.id and not d.deleted
              left join bsid_shortage w on w.policy_id = p.id`
    }
    ${where}
    order by p.id collate "C" limit ${page.limit + 1}
  `.execute(db);
  const items = rows.rows.slice(0, page.limit).map(({ id }) => id);
  return { items, next: rows.rows.length > page.limit ? (items.at(-1) ?? null) : null };
}

/** What the REST API shows of policies, in the order of their ids; ids that do not exist are left out. */
export async function policyViews(db: Executor, ids: readonly string[], ted: Ted): Promise<SrPolicyView[]> {
  const intents = await loadIntents(db, ids);
  const owners = await ownersOf(db, 'policy', ids);
  const states = await loadStates(db, ids);
  const desired = await desiredOf(db, ids);
  const shortages = await shortagesOf(db, ids);
  const bindingSids = await bindingSidsOf(db, ids);
  const steering = await steeringOf(db, [...intents.values()], ted);
  const steered = await steeredPrefixes(db, ids);
  const liveness = await KnownLiveness.load(db, ids);
  return [...intents.values()].map((intent) => {
    const state = states.get(intent.id);
    return {
      id: intent.id,
      version: intent.version,
      intent: intentView(intent),
      mesh: intent.mesh,
      owner: owners.get(intent.id) ?? null,
      pinned: intent.pinned !== null,
      canRollBack: state?.previousLists != null,
      state:
        state === undefined
          ? null
          : stateView(
              state,
              desired.get(intent.id),
              shortages.get(intent.id) ?? null,
              bindingSids.get(intent.id) ?? [],
              {
                steering: steering.get(intent.id) ?? [],
                classPrefixes: servesClass(state) ? (steered.get(intent.id)?.ofClass ?? []) : [],
              },
              liveness,
            ),
    };
  });
}

interface DesiredRow {
  readonly policy_id: string;
  readonly generation: number;
  readonly outcome: Exclude<InstallState, 'none'>;
  readonly outcome_reason: string | null;
  readonly outcome_at: Date | null;
}

async function desiredOf(db: Executor, ids: readonly string[]): Promise<Map<string, DesiredRow>> {
  const rows = await sql<DesiredRow>`
    select d.policy_id, d.generation, d.outcome, d.outcome_reason, d.outcome_at
    from sr_policy p join desired d on d.headend = p.headend and d.policy_id = p.id
    where p.id = any(${ids}::text[]) and not d.deleted
  `.execute(db);
  return new Map(rows.rows.map((row) => [row.policy_id, row]));
}

function stateView(
  state: StoredState,
  desired: DesiredRow | undefined,
  shortage: string | null,
  bindingSids: readonly BindingSidPair[],
  steering: Pick<PolicyState, 'steering' | 'classPrefixes'>,
  liveness: KnownLiveness,
): PolicyState {
  const lists = liveness.probed(state.policyId, state.lists.map(policyList), false);
  const standby = liveness.probed(state.policyId, state.standby?.lists.map(policyList) ?? [], true);
  const livenessOfPath = (discriminator: number) => {
    if (discriminator === state.activeCandidate) return livenessOf(lists);
    return discriminator === state.standby?.candidate ? livenessOf(standby) : 'unknown';
  };
  const families = new Set(lists.flatMap(({ segmentLists }) => segmentLists.map(({ family }) => family)));
  const isInstalled = desired?.outcome === 'installed' || desired?.outcome === 'simulated';
  return {
    status: state.status,
    activeCandidatePath: state.activeCandidate,
    compliance: state.compliance,
    candidatePaths: state.candidatePaths.map((path) => ({ ...path, liveness: livenessOfPath(path.discriminator) })),
    lists,
    standby: state.standby && { candidatePath: state.standby.candidate, lists: standby },
    disjointStandby: state.disjointStandby,
    liveness: policyLiveness(lists, standby),
    bindingSids: bindingSids.filter(({ family }) => families.has(family)).map(({ family, a }) => ({ family, sid: a })),
    ...steering,
    generation: desired?.generation ?? null,
    install: desired?.outcome ?? (shortage === null ? 'none' : 'failed'),
    installReason: desired === undefined ? shortage : desired.outcome_reason,
    cause: causeOf(state.event, state.reason),
    event: { ...state.event, at: state.event.at.toISOString() },
    changedAt: state.changedAt.toISOString(),
    // What was installed before the last change tells nothing of how long that took: the IGP made it by itself.
    eventToInstalledMs:
      isInstalled && desired.outcome_at !== null && desired.outcome_at >= state.changedAt
        ? Math.max(0, desired.outcome_at.getTime() - state.event.at.getTime())
        : null,
  };
}

/** What each policy wants to steer, and who holds it instead. */
async function steeringOf(
  db: Executor,
  intents: readonly PolicyIntent[],
  ted: Ted,
): Promise<Map<string, PolicyState['steering']>> {
  const podPrefixes = new Map(ted.nodes.map((node) => [node.id, node.podPrefixes]));
  const wanted = intents.flatMap(({ id, headend, endpoint, steeredPrefixes }) =>
    (steeredPrefixes ?? podPrefixes.get(endpoint) ?? []).map((prefix) => ({ id, headend, prefix })),
  );
  const rows = await sql<{ headend: NodeId; prefix: string; policyId: string }>`
    select s.headend, s.prefix::text, s.policy_id as "policyId"
    from (
      select distinct * from unnest(${wanted.map(({ headend }) => headend)}::text[],
        ${wanted.map(({ prefix }) => prefix)}::cidr[])
    ) as w (headend, prefix)
    join steering s on s.headend = w.headend and s.class = '' and s.prefix = w.prefix
  `.execute(db);
  const holders = new Map(rows.rows.map(({ headend, prefix, policyId }) => [`${headend} ${prefix}`, policyId]));
  const steering = new Map<string, { readonly prefix: string; readonly heldBy: string | null }[]>();
  for (const { id, headend, prefix } of wanted) {
    const own = steering.get(id) ?? [];
    steering.set(id, own);
    const holder = holders.get(`${headend} ${prefix}`);
    own.push({ prefix, heldBy: holder === undefined || holder === id ? null : holder });
  }
  return steering;
}
