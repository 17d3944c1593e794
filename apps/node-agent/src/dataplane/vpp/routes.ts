import { VppRetvalError, type FibPath, type FibPathType } from '@waymark/vpp-api';
import type { Family } from '../port.js';
import type { Vpp } from './vpp-link.js';

/** Routes of the binary API that the driver adds beside its steering. */

const NONE = 0xffffffff;
const NO_SUCH_ENTRY = -6;

export interface VppRoute {
  readonly prefix: string;
  readonly paths: readonly FibPath[];
}

export async function readRoutes(vpp: Vpp, family: Family, table: number): Promise<readonly VppRoute[]> {
  const routes = await vpp.dump('ip_route_dump', {
    table: { table_id: table, is_ip6: family === 'ipv6', name: '' },
  });
  return routes.map(({ route }) => ({ prefix: route.prefix, paths: route.paths }));
}

/** Whether exactly this prefix has a route that drops. */
export async function isDropped(vpp: Vpp, prefix: string, table: number): Promise<boolean> {
  const paths = await pathsOf(vpp, prefix, table);
  return paths.length > 0 && paths.every(({ type }) => type === 'FIB_API_PATH_TYPE_DROP');
}

/** Whether exactly this prefix goes to a next hop on an interface, and nowhere else. */
export async function leadsTo(vpp: Vpp, prefix: string, table: number, swIfIndex: number, nextHop: string) {
  const [only, ...others] = await pathsOf(vpp, prefix, table);
  return others.length === 0 && only?.sw_if_index === swIfIndex && only.nh.address.ip6 === nextHop;
}

/** Whether exactly this prefix is looked up in another table, and nothing else. */
export async function isLookedUpIn(vpp: Vpp, prefix: string, table: number, inTable: number): Promise<boolean> {
  return looksUpIn({ prefix, paths: await pathsOf(vpp, prefix, table) }, inTable);
}

/** Whether there is a route of exactly this prefix. */
export async function hasRoute(vpp: Vpp, prefix: string, table: number): Promise<boolean> {
  return (await pathsOf(vpp, prefix, table)).length > 0;
}

/** Of the route of exactly this prefix; none when there is no such route. */
async function pathsOf(vpp: Vpp, prefix: string, table: number): Promise<readonly FibPath[]> {
  try {
    return (await vpp.call('ip_route_lookup', { table_id: table, exact: 1, prefix })).route.paths;
  } catch (error) {
    if (error instanceof VppRetvalError && error.retval === NO_SUCH_ENTRY) return [];
    throw error;
  }
}

export function dropRoute(prefix: string, table: number) {
  return routeTo(prefix, table, 'FIB_API_PATH_TYPE_DROP', NONE);
}

/** Has `prefix` looked up in another table. */
export function lookupRoute(prefix: string, table: number, inTable: number) {
  return routeTo(prefix, table, 'FIB_API_PATH_TYPE_NORMAL', inTable);
}

export function routeRemoval(prefix: string, table: number) {
  const route = { table_id: table, stats_index: 0, prefix, n_paths: 0, paths: [] };
  return { is_add: false, is_multipath: false, route };
}

/** Has an IPv6 prefix sent to a next hop on an interface. */
export function nextHopRoute(prefix: string, table: number, swIfIndex: number, nextHop: string) {
  return routeTo(prefix, table, 'FIB_API_PATH_TYPE_NORMAL', 0, swIfIndex, nextHop);
}

/** A path that only says in which table to look next. */
export function looksUpIn({ paths }: VppRoute, table: number): boolean {
  const [only] = paths;
  if (paths.length !== 1 || only?.type !== 'FIB_API_PATH_TYPE_NORMAL' || only.sw_if_index !== NONE) return false;
  const { ip4, ip6 } = only.nh.address;
  return only.table_id === table && (ip6 === '::' || ip4 === '0.0.0.0');
}

function routeTo(prefix: string, table: number, type: FibPathType, inTable: number, swIfIndex = NONE, nextHop = '::') {
  const isIpv6 = prefix.includes(':');
  const path: FibPath = {
    sw_if_index: swIfIndex,
    table_id: inTable,
    rpf_id: NONE,
    weight: 1,
    preference: 0,
    type,
    flags: 0,
    proto: isIpv6 ? 'FIB_API_PATH_NH_PROTO_IP6' : 'FIB_API_PATH_NH_PROTO_IP4',
    nh: { address: { ip6: nextHop }, via_label: 0, obj_id: NONE, classify_table_index: NONE },
    n_labels: 0,
    label_stack: [],
  };
  const route = { table_id: table, stats_index: 0, prefix, n_paths: 1, paths: [path] };
  return { is_add: true, is_multipath: false, route };
}
