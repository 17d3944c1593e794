import type { Generated, JSONColumnType } from 'kysely';

/*
 * The tables of migrations/0003_distribution.sql, 0005_headend_bsid_block.sql, 0006_standby_and_liveness.sql,
 * 0017_controllers.sql and 0020_agent_protocol.sql.
 */

export interface DistributionTables {
  leader: { one: Generated<boolean>; epoch: Generated<number>; holder: string | null; since: Date | null };
  controller: {
    id: string;
    name: string;
    version: string;
    started_at: Date;
    last_seen: Date;
    epoch: number | null;
    revision: number;
    behind_ms: number;
  };
  signing_key: { one: Generated<boolean>; private_key: Buffer; public_key: Buffer };
  headend: {
    node_id: string;
    generation: Generated<number>;
    epoch: Generated<number>;
    state_hash: Generated<Buffer>;
    acked_epoch: Generated<number>;
    acked_generation: Generated<number>;
    read_back_hash: Buffer | null;
    features: Generated<string[]>;
  };
  withheld: { headend: string; policy_id: string; generation: number; body: Buffer; reason: string };
  desired: {
    headend: string;
    policy_id: string;
    generation: number;
    deleted: Generated<boolean>;
    body: Buffer;
    outcome: Generated<'pending' | 'installed' | 'simulated' | 'failed'>;
    outcome_reason: string | null;
    outcome_at: Date | null;
  };
  agent: {
    node_id: string;
    agent_version: string;
    dataplane: string;
    controller: string;
    session: string;
    connected_at: Date;
    last_seen: Date;
    disconnected_at: Date | null;
    epoch: number;
    generation: number;
    bus: string;
    dataplane_error: string | null;
    drift_repairs: Generated<number>;
    protocol_version: Generated<number>;
    features: string[] | null;
  };
  liveness_round: { headend: string; session: string; round: number };
  list_liveness: {
    policy_id: string;
    family: 'ipv4' | 'ipv6';
    standby: boolean;
    sids: Buffer;
    headend: string;
    round: number;
    state: 'unknown' | 'up' | 'down';
    since: Date;
    in_use: boolean;
    probes_sent: number;
    probes_lost: number;
    round_trip_min_us: number | null;
    round_trip_avg_us: number | null;
    round_trip_max_us: number | null;
    reported_at: Date;
  };
  agent_data_plane: {
    node_id: string;
    reported_at: Date;
    read_at: Date;
    version: string | null;
    reachable: boolean;
    interfaces: JSONColumnType<object>;
    local_sids: JSONColumnType<object>;
    notices: string[];
  };
}
