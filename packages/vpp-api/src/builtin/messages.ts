// Made by scripts/generate-builtin.mjs from the API definitions of VPP 26.06. Do not edit.
/** A number where VPP has a value without a name. */
export type ClassifyAction =
  | 'CLASSIFY_API_ACTION_NONE'
  | 'CLASSIFY_API_ACTION_SET_IP4_FIB_INDEX'
  | 'CLASSIFY_API_ACTION_SET_IP6_FIB_INDEX'
  | 'CLASSIFY_API_ACTION_SET_METADATA'
  | number;

/** A number where VPP has a value without a name. */
export type FibPathType =
  | 'FIB_API_PATH_TYPE_NORMAL'
  | 'FIB_API_PATH_TYPE_LOCAL'
  | 'FIB_API_PATH_TYPE_DROP'
  | 'FIB_API_PATH_TYPE_UDP_ENCAP'
  | 'FIB_API_PATH_TYPE_BIER_IMP'
  | 'FIB_API_PATH_TYPE_ICMP_UNREACH'
  | 'FIB_API_PATH_TYPE_ICMP_PROHIBIT'
  | 'FIB_API_PATH_TYPE_SOURCE_LOOKUP'
  | 'FIB_API_PATH_TYPE_DVR'
  | 'FIB_API_PATH_TYPE_INTERFACE_RX'
  | 'FIB_API_PATH_TYPE_CLASSIFY'
  | number;

/** A number where VPP has a value without a name. */
export type FibPathNhProto =
  | 'FIB_API_PATH_NH_PROTO_IP4'
  | 'FIB_API_PATH_NH_PROTO_IP6'
  | 'FIB_API_PATH_NH_PROTO_MPLS'
  | 'FIB_API_PATH_NH_PROTO_ETHERNET'
  | 'FIB_API_PATH_NH_PROTO_BIER'
  | number;

/** A number where VPP has a value without a name. */
export type SrBehavior =
  | 'SR_BEHAVIOR_API_END'
  | 'SR_BEHAVIOR_API_X'
  | 'SR_BEHAVIOR_API_T'
  | 'SR_BEHAVIOR_API_D_FIRST'
  | 'SR_BEHAVIOR_API_DX2'
  | 'SR_BEHAVIOR_API_DX6'
  | 'SR_BEHAVIOR_API_DX4'
  | 'SR_BEHAVIOR_API_DT6'
  | 'SR_BEHAVIOR_API_DT4'
  | 'SR_BEHAVIOR_API_LAST'
  | 'SR_BEHAVIOR_API_END_UN_PERF'
  | 'SR_BEHAVIOR_API_END_UN'
  | 'SR_BEHAVIOR_API_UA'
  | number;

/** A number where VPP has a value without a name. */
export type SrPolicyType =
  'SR_API_POLICY_TYPE_DEFAULT' | 'SR_API_POLICY_TYPE_SPRAY' | 'SR_API_POLICY_TYPE_TEF' | number;

/** A number where VPP has a value without a name. */
export type SrPolicyOp =
  'SR_POLICY_OP_API_NONE' | 'SR_POLICY_OP_API_ADD' | 'SR_POLICY_OP_API_DEL' | 'SR_POLICY_OP_API_MOD' | number;

/** A number where VPP has a value without a name. */
export type SrSteer = 'SR_STEER_API_L2' | 'SR_STEER_API_IPV4' | 'SR_STEER_API_IPV6' | number;

/** A number where VPP has a value without a name. */
export type IfType = 'IF_API_TYPE_HARDWARE' | 'IF_API_TYPE_SUB' | 'IF_API_TYPE_P2P' | 'IF_API_TYPE_PIPE' | number;

/** A number where VPP has a value without a name. */
export type LinkDuplex = 'LINK_DUPLEX_API_UNKNOWN' | 'LINK_DUPLEX_API_HALF' | 'LINK_DUPLEX_API_FULL' | number;

/** One member is written, all are read. */
export interface AddressUnion {
  readonly ip4?: string;
  readonly ip6?: string;
}

export interface IpRoute {
  readonly table_id: number;
  readonly stats_index: number;
  readonly prefix: string;
  readonly n_paths?: number;
  readonly paths: readonly FibPath[];
}

export interface FibPath {
  readonly sw_if_index: number;
  readonly table_id: number;
  readonly rpf_id: number;
  readonly weight: number;
  readonly preference: number;
  readonly type: FibPathType;
  readonly flags: number;
  readonly proto: FibPathNhProto;
  readonly nh: FibPathNh;
  readonly n_labels: number;
  readonly label_stack: readonly FibMplsLabel[];
}

export interface FibPathNh {
  readonly address: AddressUnion;
  readonly via_label: number;
  readonly obj_id: number;
  readonly classify_table_index: number;
}

export interface FibMplsLabel {
  readonly is_uniform: number;
  readonly label: number;
  readonly ttl: number;
  readonly exp: number;
}

export interface IpTable {
  readonly table_id: number;
  readonly is_ip6: boolean;
  readonly name: string;
}

export interface IpRouteV2 {
  readonly table_id: number;
  readonly stats_index: number;
  readonly prefix: string;
  readonly n_paths?: number;
  readonly src: number;
  readonly paths: readonly FibPath[];
}

export interface MessageTableEntry {
  readonly index: number;
  readonly name: string;
}

export interface Srv6SidList {
  readonly num_sids: number;
  readonly weight: number;
  readonly sids: readonly string[];
}

export interface Srv6SidListWithSlIndex {
  readonly num_sids: number;
  readonly weight: number;
  readonly sl_index: number;
  readonly sids: readonly string[];
}

export interface ClassifyAddDelSession {
  readonly is_add: boolean;
  readonly table_index: number;
  readonly hit_next_index?: number;
  readonly opaque_index?: number;
  readonly advance?: number;
  readonly action?: ClassifyAction;
  readonly metadata?: number;
  readonly match_len?: number;
  readonly match: Uint8Array;
}

export interface ClassifyAddDelSessionReply {
  readonly retval: number;
}

export interface ClassifyAddDelTable {
  readonly is_add: boolean;
  readonly del_chain: boolean;
  readonly table_index?: number;
  readonly nbuckets?: number;
  readonly memory_size?: number;
  readonly skip_n_vectors?: number;
  readonly match_n_vectors?: number;
  readonly next_table_index?: number;
  readonly miss_next_index?: number;
  readonly current_data_flag?: number;
  readonly current_data_offset?: number;
  readonly mask_len?: number;
  readonly mask: Uint8Array;
}

export interface ClassifyAddDelTableReply {
  readonly retval: number;
  readonly new_table_index: number;
  readonly skip_n_vectors: number;
  readonly match_n_vectors: number;
}

export interface ClassifySessionDump {
  readonly table_id: number;
}

export interface ClassifySessionDetails {
  readonly retval: number;
  readonly table_id: number;
  readonly hit_next_index: number;
  readonly advance: number;
  readonly opaque_index: number;
  readonly match_length: number;
  readonly match: Uint8Array;
}

export interface ClassifyTableByInterface {
  readonly sw_if_index: number;
}

export interface ClassifyTableByInterfaceReply {
  readonly retval: number;
  readonly sw_if_index: number;
  readonly l2_table_id: number;
  readonly ip4_table_id: number;
  readonly ip6_table_id: number;
}

export type ClassifyTableIds = Readonly<Record<string, never>>;

export interface ClassifyTableIdsReply {
  readonly retval: number;
  readonly count: number;
  readonly ids: readonly number[];
}

export interface ClassifyTableInfo {
  readonly table_id: number;
}

export interface ClassifyTableInfoReply {
  readonly retval: number;
  readonly table_id: number;
  readonly nbuckets: number;
  readonly match_n_vectors: number;
  readonly skip_n_vectors: number;
  readonly active_sessions: number;
  readonly next_table_index: number;
  readonly miss_next_index: number;
  readonly mask_length: number;
  readonly mask: Uint8Array;
}

export interface CliInband {
  readonly cmd: string;
}

export interface CliInbandReply {
  readonly retval: number;
  readonly reply: string;
}

export type ControlPing = Readonly<Record<string, never>>;

export interface ControlPingReply {
  readonly retval: number;
  readonly client_index: number;
  readonly vpe_pid: number;
}

export type GetApiJson = Readonly<Record<string, never>>;

export interface GetApiJsonReply {
  readonly retval: number;
  readonly json: string;
}

export interface InputAclSetInterface {
  readonly sw_if_index: number;
  readonly ip4_table_index: number;
  readonly ip6_table_index: number;
  readonly l2_table_index: number;
  readonly is_add: boolean;
}

export interface InputAclSetInterfaceReply {
  readonly retval: number;
}

export interface IpRouteAddDel {
  readonly is_add?: boolean;
  readonly is_multipath: boolean;
  readonly route: IpRoute;
}

export interface IpRouteAddDelReply {
  readonly retval: number;
  readonly stats_index: number;
}

export interface IpRouteDump {
  readonly table: IpTable;
}

export interface IpRouteDetails {
  readonly route: IpRoute;
}

export interface IpRouteLookup {
  readonly table_id: number;
  readonly exact: number;
  readonly prefix: string;
}

export interface IpRouteLookupReply {
  readonly retval: number;
  readonly route: IpRoute;
}

export interface IpRouteV2Dump {
  readonly src: number;
  readonly table: IpTable;
}

export interface IpRouteV2Details {
  readonly route: IpRouteV2;
}

export interface IpTableAddDel {
  readonly is_add?: boolean;
  readonly table: IpTable;
}

export interface IpTableAddDelReply {
  readonly retval: number;
}

export type IpTableDump = Readonly<Record<string, never>>;

export interface IpTableDetails {
  readonly table: IpTable;
}

export type ShowVersion = Readonly<Record<string, never>>;

export interface ShowVersionReply {
  readonly retval: number;
  readonly program: string;
  readonly version: string;
  readonly build_date: string;
  readonly build_directory: string;
}

export interface SockclntCreate {
  readonly name: string;
}

export interface SockclntCreateReply {
  readonly response: number;
  readonly index: number;
  readonly count: number;
  readonly message_table: readonly MessageTableEntry[];
}

export interface SockclntDelete {
  readonly index: number;
}

export interface SockclntDeleteReply {
  readonly response: number;
}

export interface SrLocalsidAddDel {
  readonly is_del?: boolean;
  readonly localsid: string;
  readonly end_psp: boolean;
  readonly behavior: SrBehavior;
  readonly sw_if_index?: number;
  readonly vlan_index: number;
  readonly fib_table: number;
  readonly nh_addr: string;
}

export interface SrLocalsidAddDelReply {
  readonly retval: number;
}

export interface SrLocalsidAddDelV2 {
  readonly is_del?: boolean;
  readonly localsid: string;
  readonly end_psp: boolean;
  readonly behavior: SrBehavior;
  readonly sw_if_index?: number;
  readonly vlan_index: number;
  readonly fib_table: number;
  readonly nh_addr: string;
  readonly locator_block_len: number;
  readonly locator_node_len: number;
  readonly function_len: number;
}

export interface SrLocalsidAddDelV2Reply {
  readonly retval: number;
}

export type SrLocalsidsDump = Readonly<Record<string, never>>;

export interface SrLocalsidsDetails {
  readonly addr: string;
  readonly end_psp: boolean;
  readonly behavior: SrBehavior;
  readonly fib_table: number;
  readonly vlan_index: number;
  readonly xconnect_nh_addr: string;
  readonly xconnect_iface_or_vrf_table: number;
}

export type SrLocalsidsWithPacketStatsDump = Readonly<Record<string, never>>;

export interface SrLocalsidsWithPacketStatsDetails {
  readonly addr: string;
  readonly end_psp: boolean;
  readonly behavior: SrBehavior;
  readonly fib_table: number;
  readonly vlan_index: number;
  readonly xconnect_nh_addr: string;
  readonly xconnect_iface_or_vrf_table: number;
  readonly good_traffic_bytes: bigint;
  readonly good_traffic_pkt_count: bigint;
  readonly bad_traffic_bytes: bigint;
  readonly bad_traffic_pkt_count: bigint;
}

export type SrPoliciesDump = Readonly<Record<string, never>>;

export interface SrPoliciesDetails {
  readonly bsid: string;
  readonly is_spray: boolean;
  readonly is_encap: boolean;
  readonly fib_table: number;
  readonly num_sid_lists: number;
  readonly sid_lists: readonly Srv6SidList[];
}

export type SrPoliciesV2Dump = Readonly<Record<string, never>>;

export interface SrPoliciesV2Details {
  readonly bsid: string;
  readonly encap_src: string;
  readonly type: SrPolicyType;
  readonly is_encap: boolean;
  readonly fib_table: number;
  readonly num_sid_lists: number;
  readonly sid_lists: readonly Srv6SidList[];
}

export type SrPoliciesWithSlIndexDump = Readonly<Record<string, never>>;

export interface SrPoliciesWithSlIndexDetails {
  readonly bsid: string;
  readonly is_spray: boolean;
  readonly is_encap: boolean;
  readonly fib_table: number;
  readonly num_sid_lists: number;
  readonly sid_lists: readonly Srv6SidListWithSlIndex[];
}

export interface SrPolicyAdd {
  readonly bsid_addr: string;
  readonly weight: number;
  readonly is_encap: boolean;
  readonly is_spray: boolean;
  readonly fib_table: number;
  readonly sids: Srv6SidList;
}

export interface SrPolicyAddReply {
  readonly retval: number;
}

export interface SrPolicyAddV2 {
  readonly bsid_addr: string;
  readonly weight: number;
  readonly is_encap: boolean;
  readonly type?: SrPolicyType;
  readonly fib_table: number;
  readonly sids: Srv6SidList;
  readonly encap_src: string;
}

export interface SrPolicyAddV2Reply {
  readonly retval: number;
}

export interface SrPolicyDel {
  readonly bsid_addr: string;
  readonly sr_policy_index: number;
}

export interface SrPolicyDelReply {
  readonly retval: number;
}

export interface SrPolicyMod {
  readonly bsid_addr: string;
  readonly sr_policy_index: number;
  readonly fib_table: number;
  readonly operation: SrPolicyOp;
  readonly sl_index: number;
  readonly weight: number;
  readonly sids: Srv6SidList;
}

export interface SrPolicyModReply {
  readonly retval: number;
}

export interface SrPolicyModV2 {
  readonly bsid_addr: string;
  readonly sr_policy_index: number;
  readonly fib_table: number;
  readonly operation: SrPolicyOp;
  readonly sl_index: number;
  readonly weight: number;
  readonly sids: Srv6SidList;
  readonly encap_src: string;
}

export interface SrPolicyModV2Reply {
  readonly retval: number;
}

export interface SrSetEncapHopLimit {
  readonly hop_limit: number;
}

export interface SrSetEncapHopLimitReply {
  readonly retval: number;
}

export interface SrSetEncapSource {
  readonly encaps_source: string;
}

export interface SrSetEncapSourceReply {
  readonly retval: number;
}

export interface SrSteeringAddDel {
  readonly is_del?: boolean;
  readonly bsid_addr: string;
  readonly sr_policy_index: number;
  readonly table_id: number;
  readonly prefix: string;
  readonly sw_if_index: number;
  readonly traffic_type: SrSteer;
}

export interface SrSteeringAddDelReply {
  readonly retval: number;
}

export type SrSteeringPolDump = Readonly<Record<string, never>>;

export interface SrSteeringPolDetails {
  readonly traffic_type: SrSteer;
  readonly fib_table: number;
  readonly prefix: string;
  readonly sw_if_index: number;
  readonly bsid: string;
}

export interface SwInterfaceDump {
  readonly sw_if_index?: number;
  readonly name_filter_valid: boolean;
  readonly name_filter: string;
}

export interface SwInterfaceDetails {
  readonly sw_if_index: number;
  readonly sup_sw_if_index: number;
  readonly l2_address: string;
  readonly flags: number;
  readonly type: IfType;
  readonly link_duplex: LinkDuplex;
  readonly link_speed: number;
  readonly link_mtu: number;
  readonly mtu: readonly number[];
  readonly sub_id: number;
  readonly sub_number_of_tags: number;
  readonly sub_outer_vlan_id: number;
  readonly sub_inner_vlan_id: number;
  readonly sub_if_flags: number;
  readonly vtr_op: number;
  readonly vtr_push_dot1q: number;
  readonly vtr_tag1: number;
  readonly vtr_tag2: number;
  readonly outer_tag: number;
  readonly b_dmac: string;
  readonly b_smac: string;
  readonly b_vlanid: number;
  readonly i_sid: number;
  readonly interface_name: string;
  readonly interface_dev_type: string;
  readonly tag: string;
}

export interface SwInterfaceGetTable {
  readonly sw_if_index: number;
  readonly is_ipv6: boolean;
}

export interface SwInterfaceGetTableReply {
  readonly retval: number;
  readonly vrf_id: number;
}

export interface WantInterfaceEvents {
  readonly enable_disable: number;
  readonly pid: number;
}

export interface WantInterfaceEventsReply {
  readonly retval: number;
}

export interface SwInterfaceEvent {
  readonly pid: number;
  readonly sw_if_index: number;
  readonly flags: number;
  readonly deleted: boolean;
}

/** Requests with one reply. */
export interface BuiltinCalls {
  readonly classify_add_del_session: {
    readonly request: ClassifyAddDelSession;
    readonly reply: ClassifyAddDelSessionReply;
  };
  readonly classify_add_del_table: { readonly request: ClassifyAddDelTable; readonly reply: ClassifyAddDelTableReply };
  readonly classify_table_by_interface: {
    readonly request: ClassifyTableByInterface;
    readonly reply: ClassifyTableByInterfaceReply;
  };
  readonly classify_table_ids: { readonly request: ClassifyTableIds; readonly reply: ClassifyTableIdsReply };
  readonly classify_table_info: { readonly request: ClassifyTableInfo; readonly reply: ClassifyTableInfoReply };
  readonly cli_inband: { readonly request: CliInband; readonly reply: CliInbandReply };
  readonly control_ping: { readonly request: ControlPing; readonly reply: ControlPingReply };
  readonly get_api_json: { readonly request: GetApiJson; readonly reply: GetApiJsonReply };
  readonly input_acl_set_interface: {
    readonly request: InputAclSetInterface;
    readonly reply: InputAclSetInterfaceReply;
  };
  readonly ip_route_add_del: { readonly request: IpRouteAddDel; readonly reply: IpRouteAddDelReply };
  readonly ip_route_lookup: { readonly request: IpRouteLookup; readonly reply: IpRouteLookupReply };
  readonly ip_table_add_del: { readonly request: IpTableAddDel; readonly reply: IpTableAddDelReply };
  readonly show_version: { readonly request: ShowVersion; readonly reply: ShowVersionReply };
  readonly sockclnt_create: { readonly request: SockclntCreate; readonly reply: SockclntCreateReply };
  readonly sockclnt_delete: { readonly request: SockclntDelete; readonly reply: SockclntDeleteReply };
  readonly sr_localsid_add_del: { readonly request: SrLocalsidAddDel; readonly reply: SrLocalsidAddDelReply };
  readonly sr_localsid_add_del_v2: { readonly request: SrLocalsidAddDelV2; readonly reply: SrLocalsidAddDelV2Reply };
  readonly sr_policy_add: { readonly request: SrPolicyAdd; readonly reply: SrPolicyAddReply };
  readonly sr_policy_add_v2: { readonly request: SrPolicyAddV2; readonly reply: SrPolicyAddV2Reply };
  readonly sr_policy_del: { readonly request: SrPolicyDel; readonly reply: SrPolicyDelReply };
  readonly sr_policy_mod: { readonly request: SrPolicyMod; readonly reply: SrPolicyModReply };
  readonly sr_policy_mod_v2: { readonly request: SrPolicyModV2; readonly reply: SrPolicyModV2Reply };
  readonly sr_set_encap_hop_limit: { readonly request: SrSetEncapHopLimit; readonly reply: SrSetEncapHopLimitReply };
  readonly sr_set_encap_source: { readonly request: SrSetEncapSource; readonly reply: SrSetEncapSourceReply };
  readonly sr_steering_add_del: { readonly request: SrSteeringAddDel; readonly reply: SrSteeringAddDelReply };
  readonly sw_interface_get_table: { readonly request: SwInterfaceGetTable; readonly reply: SwInterfaceGetTableReply };
  readonly want_interface_events: { readonly request: WantInterfaceEvents; readonly reply: WantInterfaceEventsReply };
}

/** Requests that are answered by any number of details. */
export interface BuiltinDumps {
  readonly classify_session_dump: { readonly request: ClassifySessionDump; readonly details: ClassifySessionDetails };
  readonly ip_route_dump: { readonly request: IpRouteDump; readonly details: IpRouteDetails };
  readonly ip_route_v2_dump: { readonly request: IpRouteV2Dump; readonly details: IpRouteV2Details };
  readonly ip_table_dump: { readonly request: IpTableDump; readonly details: IpTableDetails };
  readonly sr_localsids_dump: { readonly request: SrLocalsidsDump; readonly details: SrLocalsidsDetails };
  readonly sr_localsids_with_packet_stats_dump: {
    readonly request: SrLocalsidsWithPacketStatsDump;
    readonly details: SrLocalsidsWithPacketStatsDetails;
  };
  readonly sr_policies_dump: { readonly request: SrPoliciesDump; readonly details: SrPoliciesDetails };
  readonly sr_policies_v2_dump: { readonly request: SrPoliciesV2Dump; readonly details: SrPoliciesV2Details };
  readonly sr_policies_with_sl_index_dump: {
    readonly request: SrPoliciesWithSlIndexDump;
    readonly details: SrPoliciesWithSlIndexDetails;
  };
  readonly sr_steering_pol_dump: { readonly request: SrSteeringPolDump; readonly details: SrSteeringPolDetails };
  readonly sw_interface_dump: { readonly request: SwInterfaceDump; readonly details: SwInterfaceDetails };
}

/** Messages that VPP sends of its own accord once asked. */
export interface BuiltinEvents {
  readonly sw_interface_event: SwInterfaceEvent;
}
