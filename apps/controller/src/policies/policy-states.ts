import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import {
  transportList,
  type Incumbent,
  type PinnedLists,
  type PolicyEvaluation,
} from '../compute/evaluate-policies-model.js';
import type { CandidatePathState, DisjointStandby, PolicyState } from '../model/sr-policy.js';
import type { PolicyEvent } from './policy-event.js';
import type { Executor } from './policy-intents.js';
import { storedList, storedStandby, transportOf, type StoredList, type StoredStandby } from './stored-lists.js';

/** What the leader derived for a policy, as stored. */
export interface StoredState {
  readonly policyId: string;
  readonly status: PolicyState['status'];
  readonly activeCandidate: number | null;
  readonly compliance: PolicyState['compliance'];
  readonly lists: readonly StoredList[];
  readonly standby: StoredStandby | null;
  readonly disjointStandby: DisjointStandby | null;
  readonly previousLists: PinnedLists | null;
  readonly candidatePaths: readonly CandidatePathState[];
  /** Of the metric it is optimised for. */
  readonly value: number | null;
  /** It is in want of bandwidth. */
  readonly starved: boolean;
  /** Something better was wanted and impossible. */
  readonly unsettled: boolean;
  /** It stays on something that is drained. */
  readonly blocked: boolean;
  /** What led to its last change. */
  readonly event: PolicyEvent;
  /** Why that changed it. */
  readonly reason: string;
  readonly changedAt: Date;
}

type StateRow = Omit<StoredState, 'event'> & {
  readonly [Name in keyof PolicyEvent as `event_${Name}`]: PolicyEvent[Name];
};

export async function loadStates(db: Executor, ids: readonly string[]): Promise<Map<string, StoredState>> {
  const found = await sql<StateRow>`
    select policy_id as "policyId", status, active_candidate as "activeCandidate", compliance, lists, standby,
      disjoint_standby as "disjointStandby",
      previous_lists as "previousLists", candidates as "candidatePaths", metric_value as value, starved, unsettled, blocked,
      cause as reason, changed_at as "changedAt", event_kind, changed_revision as event_revision, event_by, event_at, event_summary
    from policy_state
    where policy_id = any(${ids}::text[])
  `.execute(db);
  return new Map(found.rows.map((row) => [row.policyId, stateFrom(row)]));
}

function stateFrom(row: StateRow): StoredState {
  const { event_kind, event_revision, event_by, event_at, event_summary, ...state } = row;
  const event = { kind: event_kind, revision: event_revision, by: event_by, at: event_at, summary: event_summary };
  return { ...state, event };
}

export function incumbentOf(state: StoredState | undefined): Incumbent | null {
  if (state === undefined) return null;
  const { status, activeCandidate, lists, candidatePaths, value, starved, unsettled, standby, disjointStandby } = state;
  return {
    status,
    activeCandidate,
    lists: lists.map(transportOf),
    candidatePaths,
    value,
    starved,
    unsettled,
    standby: standby && { ...standby, lists: standby.lists.map(transportOf) },
    disjointStandby,
  };
}

/** An evaluation to store. */
export interface StateToStore {
  readonly evaluation: PolicyEvaluation;
  readonly before: StoredState | undefined;
  /** undefined: nothing that an operator would call a change. */
  readonly change: StateChange | undefined;
}

export interface StateChange {
  readonly event: PolicyEvent;
  readonly reason: string;
}

/** Writes states as a whole set. `revision`: the newest whose consequences they are. */
export async function storeStates(db: Executor, states: readonly StateToStore[], revision: number): Promise<void> {
  if (states.length === 0) return;
  const rows = states.map(stateRow);
  await sql`
    insert into policy_state (policy_id, computed_revision, status, active_candidate, compliance, lists,
      previous_lists, candidates, blocked, cause, changed_revision, changed_at, event_kind, event_by, event_at,
      event_summary, node_ids, link_ids, segment_from, segment_to, segment_igp, metric, metric_value, unsettled, starved,
      standby, standby_node_ids, standby_link_ids, disjoint_standby)
    select policy_id, ${revision}, status, active_candidate, compliance, lists, previous_lists, candidates, blocked,
      cause, changed_revision, coalesce(changed_at, now()), event_kind, event_by, event_at, event_summary, node_ids,
      link_ids, segment_from, segment_to, segment_igp, metric, metric_value, unsettled, starved, standby,
      standby_node_ids, standby_link_ids, disjoint_standby
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as n (
      policy_id text, status text, active_candidate bigint, compliance text, lists jsonb, previous_lists jsonb,
      candidates jsonb, blocked boolean, cause text, changed_revision bigint, changed_at timestamptz, event_kind text,
      event_by text, event_at timestamptz, event_summary text, node_ids text[], link_ids text[], segment_from text[],
      segment_to text[], segment_igp bigint[], metric text, metric_value double precision, unsettled boolean,
      starved boolean, standby jsonb, standby_node_ids text[], standby_link_ids text[],
      disjoint_standby jsonb
    )
    on conflict (policy_id) do update set
      computed_revision = excluded.computed_revision, status = excluded.status,
      active_candidate = excluded.active_candidate, compliance = excluded.compliance, lists = excluded.lists,
      previous_lists = excluded.previous_lists, candidates = excluded.candidates, blocked = excluded.blocked,
      cause = excluded.cause, changed_revision = excluded.changed_revision, changed_at = excluded.changed_at,
      event_kind = excluded.event_kind, event_by = excluded.event_by, event_at = excluded.event_at,
      event_summary = excluded.event_summary, node_ids = excluded.node_ids, link_ids = excluded.link_ids,
      segment_from = excluded.segment_from, segment_to = excluded.segment_to, segment_igp = excluded.segment_igp,
      metric = excluded.metric, metric_value = excluded.metric_value, unsettled = excluded.unsettled,
      starved = excluded.starved, standby = excluded.standby, standby_node_ids = excluded.standby_node_ids,
      standby_link_ids = excluded.standby_link_ids, disjoint_standby = excluded.disjoint_standby
  `.execute(db);
}

/** Notes a change of what policies steer; nothing else of their states is different. */
export async function storeSteeringChanges(
  db: Executor,
  changes: readonly (StateChange & { readonly policyId: string })[],
): Promise<void> {
  if (changes.length === 0) return;
  const rows = changes.map(({ policyId, reason, event }) => ({
    policy_id: policyId,
    cause: reason,
    ...eventRow(event),
  }));
  await sql`
    update policy_state s set cause = n.cause, changed_at = now(), changed_revision = n.changed_revision,
      event_kind = n.event_kind, event_by = n.event_by, event_at = n.event_at, event_summary = n.event_summary
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as n (
      policy_id text, cause text, changed_revision bigint, event_kind text, event_by text, event_at timestamptz,
      event_summary text
    )
    where s.policy_id = n.policy_id
  `.execute(db);
}

function eventRow({ kind, revision, by, at, summary }: PolicyEvent): Record<string, unknown> {
  return { event_kind: kind, changed_revision: revision, event_by: by, event_at: at, event_summary: summary };
}

function stateRow({ evaluation, before, change }: StateToStore): Record<string, unknown> {
  const last = change ?? before;
  if (last === undefined) throw new RangeError(`nothing led to the first state of ${evaluation.policyId}`);
  const { standby } = evaluation;
  const expanded = [...evaluation.expanded, ...(standby?.expanded ?? [])];
  return {
    policy_id: evaluation.policyId,
    status: evaluation.status,
    active_candidate: evaluation.activeCandidate,
    compliance: evaluation.compliance,
    lists: evaluation.lists.map(storedList),
    previous_lists: previousLists(evaluation, before),
    candidates: evaluation.candidatePaths,
    blocked: evaluation.decision === 'blocked',
    cause: last.reason,
    // null: now
    changed_at: change === undefined ? before?.changedAt : null,
    ...eventRow(last.event),
    node_ids: evaluation.crossed.nodes,
    link_ids: evaluation.crossed.links,
    segment_from: expanded.map(({ from }) => from),
    segment_to: expanded.map(({ to }) => to),
    segment_igp: expanded.map(({ igp }) => igp),
    metric: evaluation.objective?.metric ?? null,
    metric_value: evaluation.objective?.value ?? null,
    unsettled: evaluation.unsettled,
    starved: evaluation.starved,
    standby: standby && storedStandby(standby),
    standby_node_ids: standby?.crossed.nodes ?? null,
    standby_link_ids: standby?.crossed.links ?? null,
    disjoint_standby: evaluation.disjointStandby,
  };
}

/** What rolling back returns to: the lists before the last change that replaced some by others. */
function previousLists(evaluation: PolicyEvaluation, before: StoredState | undefined): PinnedLists | null {
  if (before === undefined || before.lists.length === 0) return before?.previousLists ?? null;
  const lists = before.lists.map(transportOf);
  const now = evaluation.lists.map(transportList);
  if (isDeepStrictEqual(lists, now)) return before.previousLists;
  return { activeCandidate: before.activeCandidate, lists };
}
