import type { FlexAlgorithm } from '@waymark/topology';
import type { ColumnType, Generated, JSONColumnType } from 'kysely';

/* The tables of migrations/0001_ted.sql, 0008_flex_algorithms.sql, 0009_endpoint_msds.sql and 0011_held_revision.sql. */

type Origin = 'discovered' | 'agent' | 'operator' | 'planned';
type AdminState = 'up' | 'drained' | 'down';
type OperationalState = 'up' | 'down';
type LayerName = 'discovered' | 'measured' | 'operator';

export interface HeadTable {
  one: Generated<boolean>;
  instance: Generated<string>;
  revision: Generated<number>;
  ted_revision: Generated<number>;
  computed_through: Generated<number>;
  pruned_through: Generated<number>;
}

export interface RevisionTable {
  revision: number;
  ted_revision: number;
  at: Generated<Date>;
  actor: string;
  kind: string;
  summary: string;
}

export interface SourceTable {
  id: string;
  kind: 'file' | 'events' | 'agent' | 'kubernetes';
  last_sequence: number | null;
  complete: Generated<boolean>;
  trusted_revision: Generated<number>;
  held_since: Date | null;
  held_revision: number | null;
  held_reason: string | null;
  held_batch: JSONColumnType<object> | null;
  updated_at: ColumnType<Date, Date | undefined, Date>;
}

export interface AffinityTable {
  name: string;
  bit: number;
}

/** Valid for [from_revision, to_revision); null: now. */
interface Validity {
  source: string;
  from_revision: number;
  to_revision: number | null;
}

export interface NodeLayerTable extends Validity {
  node_id: string;
  layer: LayerName;
  kind: 'router' | 'host' | null;
  name: string | null;
  site: string | null;
  latitude: number | null;
  longitude: number | null;
  router_id: string | null;
  igp_domain: string | null;
  address: string | null;
  encap_mode: 'full' | 'reduced' | null;
  msd_h_encaps: number | null;
  msd_segments_left: number | null;
  msd_end_pop: number | null;
  msd_end_d: number | null;
  pod_prefixes: string[] | null;
  admin_state: AdminState | null;
  operational_state: OperationalState | null;
  flex_algorithms: JSONColumnType<readonly FlexAlgorithm[]> | null;
  /** Attribute name → revision. */
  since: JSONColumnType<Readonly<Record<string, number>>> | null;
}

export interface LinkLayerTable extends Validity {
  link_id: string;
  layer: LayerName;
  from_node: string | null;
  to_node: string | null;
  reverse_id: string | null;
  igp_area: string | null;
  interface_addresses: string[] | null;
  igp_metric: number | null;
  te_metric: number | null;
  delay_us: number | null;
  delay_min_us: number | null;
  delay_max_us: number | null;
  delay_variation_us: number | null;
  loss_ppm: number | null;
  bandwidth_bps: number | null;
  reservable_bandwidth_bps: number | null;
  affinities: string[] | null;
  srlgs: number[] | null;
  mtu_bytes: number | null;
  admin_state: AdminState | null;
  operational_state: OperationalState | null;
  /** Attribute name → revision. */
  since: JSONColumnType<Readonly<Record<string, number>>> | null;
}

export interface LocatorTable extends Validity {
  node_id: string;
  prefix: string;
  layer: 'discovered' | 'operator';
  algorithm: number;
  metric: number;
  anycast: boolean;
  scope: 'igp' | 'attachment';
  block_bits: number;
  node_bits: number;
  function_bits: number;
  argument_bits: number;
  origin: Origin;
}

export interface SidTable extends Validity {
  node_id: string;
  sid: string;
  layer: 'discovered' | 'operator';
  link_id: string | null;
  behavior: 'End' | 'End.X' | 'End.DT4' | 'End.DT6' | 'End.DT46';
  flavors: string[];
  algorithm: number;
  protected: boolean;
  block_bits: number | null;
  node_bits: number | null;
  function_bits: number | null;
  argument_bits: number | null;
  origin: Origin;
}

export interface TedTables {
  head: HeadTable;
  revision: RevisionTable;
  source: SourceTable;
  affinity: AffinityTable;
  node_layer: NodeLayerTable;
  link_layer: LinkLayerTable;
  locator: LocatorTable;
  sid: SidTable;
}
