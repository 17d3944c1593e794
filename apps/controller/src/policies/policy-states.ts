import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import type { Incumbent, PinnedLists, PolicyEvaluation } from '../compute/evaluate-policies-model.js';
import type { CandidatePathState, PolicyState } from '../model/sr-policy.js';
import type { Executor } from './policy-intents.js';
import { storedList, transportOf, type StoredList } from './stored-lists.js';

/** What the leader derived for a policy, as stored. */
export interface StoredState {
  readonly policyId: string;
  readonly status: PolicyState['status'];
  readonly activeCandidate: number | null;
  readonly compliance: PolicyState['compliance'];
  readonly lists: readonly StoredList[];
  readonly previousLists: PinnedLists | null;
  readonly candidatePaths: readonly CandidatePathState[];
  /** Of the metric it is optimised for. */
  readonly value: number | null;
  readonly cause: string;
  readonly changedRevision: number;
  readonly changedAt: Date;
  readonly eventAt: Date;
}

export async function loadStates(db: Executor, ids: readonly string[]): Promise<Map<string, StoredState>> {
  const rows = await sql<StoredState>`
    select policy_id as "policyId", status, active_candidate as "activeCandidate", compliance, lists,
      previous_lists as "previousLists", candidates as "candidatePaths", metric_value as value, cause, changed_revision as "changedRevision",
      changed_at as "changedAt", event_at as "eventAt"
    from policy_state
    where policy_id = any(${ids}::text[])
  `.execute(db);
  return new Map(rows.rows.map((row) => [row.policyId, row]));
}

export function incumbentOf(state: StoredState | undefined): Incumbent | null {
  if (state === undefined) return null;
  const { status, activeCandidate, lists, candidatePaths, value } = state;
  return { status, activeCandidate, lists: lists.map(transportOf), candidatePaths, value };
}

/** An evaluation to store. `changed`: what the headend is to hold, or the status, differs from before. */
export interface StateToStore {
  readonly evaluation: PolicyEvaluation;
  readonly before: StoredState | undefined;
  readonly changed: boolean;
  /** When what caused it was committed. */
  readonly eventAt: Date;
}

/** Writes states as a whole set. `revision`: the newest whose consequences they are. */
export async function storeStates(db: Executor, states: readonly StateToStore[], revision: number): Promise<void> {
  if (states.length === 0) return;
  const rows = states.map((state) => stateRow(state, revision));
  await sql`
    insert into policy_state (policy_id, computed_revision, status, active_candidate, compliance, lists,
      previous_lists, candidates, cause, changed_revision, changed_at, event_at, node_ids, link_ids, segment_from,
      segment_to, segment_igp, metric, metric_value, unsettled, starved)
    select policy_id, ${revision}, status, active_candidate, compliance, lists, previous_lists, candidates, cause,
      changed_revision, coalesce(changed_at, now()), event_at, node_ids, link_ids, segment_from, segment_to, segment_igp,
      metric, metric_value, unsettled, starved
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as n (
      policy_id text, status text, active_candidate bigint, compliance text, lists jsonb, previous_lists jsonb,
      candidates jsonb, cause text, changed_revision bigint, changed_at timestamptz, event_at timestamptz,
      node_ids text[], link_ids text[], segment_from text[], segment_to text[], segment_igp bigint[],
      metric text, metric_value double precision, unsettled boolean, starved boolean
    )
    on conflict (policy_id) do update set
      computed_revision = excluded.computed_revision, status = excluded.status,
      active_candidate = excluded.active_candidate, compliance = excluded.compliance, lists = excluded.lists,
      previous_lists = excluded.previous_lists, candidates = excluded.candidates, cause = excluded.cause,
      changed_revision = excluded.changed_revision, changed_at = excluded.changed_at, event_at = excluded.event_at,
      node_ids = excluded.node_ids, link_ids = excluded.link_ids, segment_from = excluded.segment_from,
      segment_to = excluded.segment_to, segment_igp = excluded.segment_igp, metric = excluded.metric,
      metric_value = excluded.metric_value, unsettled = excluded.unsettled, starved = excluded.starved
  `.execute(db);
}

function stateRow({ evaluation, before, changed, eventAt }: StateToStore, revision: number): Record<string, unknown> {
  return {
    policy_id: evaluation.policyId,
    status: evaluation.status,
    active_candidate: evaluation.activeCandidate,
    compliance: evaluation.compliance,
    lists: evaluation.lists.map(storedList),
    previous_lists: previousLists(evaluation, before),
    candidates: evaluation.candidatePaths,
    cause: changed || before === undefined ? evaluation.cause : before.cause,
    changed_revision: changed || before === undefined ? revision : before.changedRevision,
    changed_at: changed || before === undefined ? null : before.changedAt,
    event_at: changed || before === undefined ? eventAt : before.eventAt,
    node_ids: evaluation.crossed.nodes,
    link_ids: evaluation.crossed.links,
    segment_from: evaluation.expanded.map(({ from }) => from),
    segment_to: evaluation.expanded.map(({ to }) => to),
    segment_igp: evaluation.expanded.map(({ igp }) => igp),
    metric: evaluation.objective?.metric ?? null,
    metric_value: evaluation.objective?.value ?? null,
    unsettled: evaluation.unsettled,
    starved: evaluation.starved,
  };
}

/** What rolling back returns to: the lists before the last change that replaced some by others. */
function previousLists(evaluation: PolicyEvaluation, before: StoredState | undefined): PinnedLists | null {
  if (before === undefined || before.lists.length === 0) return before?.previousLists ?? null;
  const lists = before.lists.map(transportOf);
  const now = evaluation.lists.map(({ weight, transport }) => ({ weight, sids: transport.map(({ sid }) => sid) }));
  if (isDeepStrictEqual(lists, now)) return before.previousLists;
  return { activeCandidate: before.activeCandidate, lists };
}
