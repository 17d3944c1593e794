import type { SrBehavior } from '@waymark/vpp-api';
import { formatAddress, maskedPrefix, parseAddress } from '../address.js';
import type { Family, SegmentList } from '../port.js';
import { colorOfTable } from './class-table-ids.js';
import type { VppSettings } from './settings.js';
import { joinHalves } from './default-route.js';
import type { Vpp } from './vpp-link.js';

/** What VPP keeps for SRv6, ours or not, in the words of the port. */

export interface VppPolicy {
  readonly bsid: string;
  readonly lists: readonly SegmentList[];
  /** Of the list that was made last; VPP does not show those of the others. */
  readonly encapSource: string;
  /** False: it inserts. */
  readonly encapsulates: boolean;
  /** False: it sends to all lists at once, or timestamps. */
  readonly balances: boolean;
  /** Table of its binding SID. */
  readonly table: number;
}

/** A segment list with its number in VPP's pool: only good until the next change. */
export interface NumberedList extends SegmentList {
  readonly slIndex: number;
}

export interface VppSteering {
  readonly family: Family;
  readonly table: number;
  /** As it was asked for, host bits included; of a default route that of the whole. */
  readonly prefix: string;
  /** What VPP steers for it. */
  readonly parts: readonly string[];
  /** Where packets go. The policy there may be gone. */
  readonly bsid: string;
  /** False: its table has no route for it any more, so it steers nothing. */
  readonly routed: boolean;
}

export interface VppLocalSid {
  readonly sid: string;
  readonly behavior: SrBehavior;
  readonly endPsp: boolean;
  readonly table: number;
  readonly nextHop: string;
  /** Interface of a cross-connect, table of a decapsulation. */
  readonly interfaceOrTable: number;
}

export interface VppTable {
  readonly family: Family;
  readonly id: number;
  readonly name: string;
}

/** More SIDs than a list can have make VPP send whatever follows in memory. */
export const MOST_SIDS = 16;

export async function readPolicies(vpp: Vpp): Promise<readonly VppPolicy[]> {
  const policies = await vpp.dump('sr_policies_v2_dump', {});
  return policies.map((policy) => ({
    bsid: policy.bsid,
    lists: policy.sid_lists.map(segmentList),
    encapSource: policy.encap_src,
    encapsulates: policy.is_encap,
    balances: policy.type === 'SR_API_POLICY_TYPE_DEFAULT',
    table: policy.fib_table,
  }));
}

/** By binding SID. */
export async function readNumberedLists(vpp: Vpp): Promise<ReadonlyMap<string, readonly NumberedList[]>> {
  const policies = await vpp.dump('sr_policies_with_sl_index_dump', {});
  return new Map(
    policies.map(({ bsid, sid_lists }) => [
      bsid,
      sid_lists.map((list) => ({ ...segmentList(list), slIndex: list.sl_index })),
    ]),
  );
}

/**
 * All steerings. VPP names the policy by its place in a pool, which another may have taken since it was deleted, and shows a
 * steering whose table was made anew: of those in tables of ours, the routes tell what really becomes of packets.
 */
export async function readSteerings(
  vpp: Vpp,
  settings: Pick<VppSettings, 'table' | 'classTables'>,
): Promise<readonly VppSteering[]> {
  const steerings = await vpp.dump('sr_steering_pol_dump', {});
  const isOurs = (id: number): boolean => id === settings.table || colorOfTable(settings, id) !== null;
  const tables = new Set(steerings.map(({ fib_table }) => fib_table).filter(isOurs));
  const routes = new Map(
    await Promise.all(
      [...tables].map(async (table) => {
        const [ipv4, ipv6] = await Promise.all([
          readSteeringRoutes(vpp, 'ipv4', table),
          readSteeringRoutes(vpp, 'ipv6', table),
        ]);
        return [table, { ipv4, ipv6 }] as const;
      }),
    ),
  );
  const parts = steerings.flatMap(({ traffic_type: type, fib_table: table, prefix: shown, bsid }) => {
    if (type !== 'SR_STEER_API_IPV4' && type !== 'SR_STEER_API_IPV6') return [];
    const family: Family = type === 'SR_STEER_API_IPV4' ? 'ipv4' : 'ipv6';
    // VPP writes an IPv6 prefix whose first 96 bits are zero, the default route first of all, as IPv4.
    const prefix = family === 'ipv4' ? shown : inIpv6(shown);
    const ofTable = routes.get(table);
    if (ofTable === undefined) return [{ family, table, prefix, bsid, routed: true }];
    const bsids = ofTable[family].get(maskedPrefix(prefix)) ?? [];
    return [
      { family, table, prefix, bsid: bsids.includes(bsid) ? bsid : (bsids[0] ?? bsid), routed: bsids.length > 0 },
    ];
  });
  return joinHalves(parts);
}

/** The binding SIDs that routes of steering go through, by prefix: several when prefixes differ in host bits only. */
async function readSteeringRoutes(vpp: Vpp, family: Family, table: number) {
  const routes = await vpp.dump('ip_route_v2_dump', {
    src: FIB_SOURCE_SR,
    table: { table_id: table, is_ip6: family === 'ipv6', name: '' },
  });
  return new Map(
    routes.map(({ route }) => [maskedPrefix(route.prefix), route.paths.map(({ nh }) => nh.address.ip6 ?? '')]),
  );
}

export async function readLocalSids(vpp: Vpp): Promise<readonly VppLocalSid[]> {
  const localSids = await vpp.dump('sr_localsids_dump', {});
  return localSids.map((localSid) => ({
    sid: localSid.addr,
    behavior: localSid.behavior,
    endPsp: localSid.end_psp,
    table: localSid.fib_table,
    nextHop: localSid.xconnect_nh_addr,
    interfaceOrTable: localSid.xconnect_iface_or_vrf_table,
  }));
}

/** VPP's number for what SR writes into its tables. */
const FIB_SOURCE_SR = 5;
/** For what comes by the binary API. */
export const FIB_SOURCE_API = 8;

/** VPP gives all its internal tables the same number. */
const INTERNAL_TABLE = 0xffffffff;

export async function readTables(vpp: Vpp): Promise<readonly VppTable[]> {
  const tables = await vpp.dump('ip_table_dump', {});
  return tables
    .map(({ table }): VppTable => ({
      family: table.is_ip6 ? 'ipv6' : 'ipv4',
      id: table.table_id,
      name: table.name,
    }))
    .filter(({ id }) => id !== INTERNAL_TABLE);
}

export function hasTable(tables: readonly VppTable[], family: Family, id: number): boolean {
  return tables.some((table) => table.family === family && table.id === id);
}

export function hasHostBits(prefix: string): boolean {
  return maskedPrefix(prefix) !== prefix;
}

function segmentList(list: { readonly num_sids: number; readonly weight: number; readonly sids: readonly string[] }) {
  return { weight: list.weight, sids: list.sids.slice(0, Math.min(list.num_sids, MOST_SIDS)) };
}

function inIpv6(prefix: string): string {
  if (prefix.includes(':')) return prefix;
  const [address = '', length = ''] = prefix.split('/');
  return `${formatAddress(Uint8Array.of(...new Array<number>(12).fill(0), ...parseAddress(address)))}/${length}`;
}
