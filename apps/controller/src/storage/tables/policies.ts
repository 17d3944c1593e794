import type { MetricType } from '@waymark/topology';
import type { Generated, JSONColumnType } from 'kysely';

/*
 * The tables of migrations/0002_policies.sql, 0004_policy_events.sql, 0006_standby_and_liveness.sql, 0007_metrics.sql,
 * 0010_policy_priorities_and_options.sql, 0012_disjoint_standby.sql and 0015_service_classes.sql.
 */

export interface PolicyTables {
  mesh: {
    id: string;
    color: number;
    selector: JSONColumnType<object>;
    template: JSONColumnType<object>;
    revision: number;
  };
  mesh_override: { mesh_id: string; headend: string; endpoint: string; override: JSONColumnType<object> };
  sr_policy: {
    id: string;
    headend: string;
    color: number;
    endpoint: string;
    name: string | null;
    mesh_id: string | null;
    fallback: 'drop' | 'shortest-path' | null;
    steered_prefixes: string[] | null;
    pinned_lists: JSONColumnType<object> | null;
    setup_priority: number | null;
    hold_priority: number | null;
    revision: number;
    created_at: Generated<Date>;
  };
  deleted_policy: { policy_id: string; headend: string; revision: number };
  candidate_path: {
    policy_id: string;
    origin: 'configuration' | 'bgp';
    originator: string;
    discriminator: number;
    owner: string;
    preference: number;
    name: string | null;
    body: JSONColumnType<object>;
  };
  steering: { headend: string; class: Generated<string>; prefix: string; policy_id: string; explicit: boolean };
  class_member: {
    headend: string;
    address: string;
    color: number;
    cluster: string;
    namespace: string;
    pod: string;
  };
  class_change: { headend: string; revision: number };
  policy_state: {
    policy_id: string;
    computed_revision: number;
    status: 'up' | 'fallback' | 'down';
    active_candidate: number | null;
    compliance: 'constraints-met' | 'constraints-not-met' | 'unconstrained' | null;
    lists: JSONColumnType<object>;
    previous_lists: JSONColumnType<object> | null;
    candidates: JSONColumnType<object>;
    blocked: boolean;
    cause: string;
    changed_revision: number;
    changed_at: Date;
    event_kind: string;
    event_by: string;
    event_at: Date;
    event_summary: string;
    node_ids: string[];
    link_ids: string[];
    segment_from: string[];
    segment_to: string[];
    /** null: not the shortest path by IGP metric. */
    segment_igp: (number | null)[];
    metric: MetricType | null;
    metric_value: number | null;
    unsettled: boolean;
    starved: boolean;
    standby: JSONColumnType<object> | null;
    standby_node_ids: string[] | null;
    standby_link_ids: string[] | null;
    disjoint_standby: JSONColumnType<object> | null;
  };
  booking: {
    policy_id: string;
    link_id: string;
    generation: number;
    bandwidth_bps: number;
    setup_priority: number;
    hold_priority: number;
    releasing_generation: number | null;
  };
  released_link: { id: Generated<number>; link_id: string };
  link_hold: { link_id: string; flaps: number; worsened_at: Date; held_until: Date | null };
  bsid_block: { headend: string; block: string };
  bsid_shortage: { policy_id: string; reason: string; since: Date };
  bsid: {
    headend: string;
    number: number;
    policy_id: string | null;
    releasing_generation: number | null;
    quarantined_until: Date | null;
  };
}
