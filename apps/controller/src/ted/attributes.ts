import type { LinkAttributes, NodeAttributes } from './ted-rows.js';

/**
 * Whose word counts for an attribute.
 * - `routers`: discovered only; what routers and hosts really use, which an operator cannot wish away.
 * - `operator`: the operator's alone.
 * - `constraint`: operator over measured over discovered.
 * - `limit`: the smallest value that anybody names.
 */
export type Authority = 'routers' | 'operator' | 'constraint' | 'limit';

export interface Attribute {
  readonly column: string;
  readonly authority: Authority;
  /** Postgres prints these types in its own spelling. */
  readonly address?: true;
}

type AttributeTable<Attributes> = { readonly [Name in keyof Attributes]-?: Attribute };

export const nodeAttributes: AttributeTable<NodeAttributes> = {
  kind: { column: 'kind', authority: 'routers' },
  name: { column: 'name', authority: 'routers' },
  site: { column: 'site', authority: 'routers' },
  latitude: { column: 'latitude', authority: 'routers' },
  longitude: { column: 'longitude', authority: 'routers' },
  routerId: { column: 'router_id', authority: 'routers' },
  igpDomain: { column: 'igp_domain', authority: 'routers' },
  address: { column: 'address', authority: 'routers', address: true },
  encapMode: { column: 'encap_mode', authority: 'routers' },
  msdHEncaps: { column: 'msd_h_encaps', authority: 'limit' },
  msdSegmentsLeft: { column: 'msd_segments_left', authority: 'limit' },
  msdEndPop: { column: 'msd_end_pop', authority: 'limit' },
  msdEndD: { column: 'msd_end_d', authority: 'limit' },
  podPrefixes: { column: 'pod_prefixes', authority: 'routers', address: true },
  adminState: { column: 'admin_state', authority: 'operator' },
  operationalState: { column: 'operational_state', authority: 'routers' },
  flexAlgorithms: { column: 'flex_algorithms', authority: 'routers' },
};

export const linkAttributes: AttributeTable<LinkAttributes> = {
  from: { column: 'from_node', authority: 'routers' },
  to: { column: 'to_node', authority: 'routers' },
  reverseId: { column: 'reverse_id', authority: 'routers' },
  igpArea: { column: 'igp_area', authority: 'routers' },
  interfaceAddresses: { column: 'interface_addresses', authority: 'routers', address: true },
  igpMetric: { column: 'igp_metric', authority: 'routers' },
  teMetric: { column: 'te_metric', authority: 'constraint' },
  delayUs: { column: 'delay_us', authority: 'constraint' },
  delayMinUs: { column: 'delay_min_us', authority: 'constraint' },
  delayMaxUs: { column: 'delay_max_us', authority: 'constraint' },
  delayVariationUs: { column: 'delay_variation_us', authority: 'constraint' },
  lossPpm: { column: 'loss_ppm', authority: 'constraint' },
  bandwidthBps: { column: 'bandwidth_bps', authority: 'constraint' },
  reservableBandwidthBps: { column: 'reservable_bandwidth_bps', authority: 'constraint' },
  affinities: { column: 'affinities', authority: 'constraint' },
  srlgs: { column: 'srlgs', authority: 'constraint' },
  mtuBytes: { column: 'mtu_bytes', authority: 'limit' },
  adminState: { column: 'admin_state', authority: 'operator' },
  operationalState: { column: 'operational_state', authority: 'routers' },
};
