import { partsOf } from './default-route.js';
import type { Family, SegmentList } from '../port.js';
import { SID_TABLE } from './local-sids.js';
import type { VppSteering } from './vpp-state.js';

/** The requests of the driver, apart from when to make them. VPP ignores the fields that are `NONE` or 0 here. */
const NONE = 0xffffffff;

export function policyAddition(bsid: string, list: SegmentList, encapSource: string) {
  return {
    bsid_addr: bsid,
    weight: list.weight,
    is_encap: true,
    type: 'SR_API_POLICY_TYPE_DEFAULT' as const,
    fib_table: SID_TABLE,
    sids: sidList(list),
    encap_src: encapSource,
  };
}

export function listAddition(bsid: string, list: SegmentList, encapSource: string) {
  return {
    ...modification(bsid, NONE, encapSource),
    operation: 'SR_POLICY_OP_API_ADD' as const,
    weight: list.weight,
    sids: sidList(list),
  };
}

export function listRemoval(bsid: string, slIndex: number, encapSource: string) {
  return { ...modification(bsid, slIndex, encapSource), operation: 'SR_POLICY_OP_API_DEL' as const };
}

export function reweighing(bsid: string, slIndex: number, weight: number, encapSource: string) {
  return {
    ...modification(bsid, slIndex, encapSource),
    operation: 'SR_POLICY_OP_API_MOD' as const,
    weight,
    // The weight that VPP takes is this one.
    sids: { num_sids: 0, weight, sids: [] },
  };
}

export function policyRemoval(bsid: string) {
  return { bsid_addr: bsid, sr_policy_index: NONE };
}

/** One for each part of the prefix. */
export function steeringAdditions(family: Family, table: number, prefix: string, bsid: string) {
  return partsOf(prefix).map((part) => steeringAddition(family, table, part, bsid));
}

function steeringAddition(family: Family, table: number, prefix: string, bsid: string) {
  return {
    is_del: false,
    bsid_addr: bsid,
    sr_policy_index: NONE,
    table_id: table,
    prefix,
    sw_if_index: NONE,
    traffic_type: family === 'ipv4' ? ('SR_STEER_API_IPV4' as const) : ('SR_STEER_API_IPV6' as const),
  };
}

export function steeringRemovals({ family, table, parts, bsid }: VppSteering) {
  return parts.map((part) => ({ ...steeringAddition(family, table, part, bsid), is_del: true }));
}

function modification(bsid: string, slIndex: number, encapSource: string) {
  const sids = { num_sids: 0, weight: 0, sids: [] };
  return {
    bsid_addr: bsid,
    sr_policy_index: NONE,
    fib_table: SID_TABLE,
    sl_index: slIndex,
    weight: 0,
    sids,
    encap_src: encapSource,
  };
}

function sidList({ sids, weight }: SegmentList) {
  return { num_sids: sids.length, weight, sids };
}
