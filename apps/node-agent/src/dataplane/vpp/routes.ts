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
  try {
    const { route } = await vpp.call('ip_route_lookup', { table_id: table, exact: 1, prefix });
    return route.paths.length > 0 && route.paths.every(({ type }) => type === 'FIB_API_PATH_TYPE_DROP');
  } catch (error) {
    if (error instanceof VppRetvalError && error.retval === NO_SUCH_ENTRY) return false;
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

/** Whether exactly this prefix goes to a next hop on an interface, and nowhere else. */
export async function leadsTo(vpp: Vpp, prefix: string, table: number, swIfIndex: number, nextHop: string) {
  try {
    const { route } = await vpp.call('ip_route_lookup', { table_id: table, exact: 1, prefix });
    const [only] = route.paths;
    return route.paths.length === 1 && only?.sw_if_index === swIfIndex && only.nh.address.ip6 === nextHop;
  } catch (error) {
    if (error instanceof VppRetvalError && error.retval === NO_SUCH_ENTRY) return false;
    throw error;
  }
}

/** Has an IPv6 prefix sent to a next hop on an interface. */
export function nextHopRoute(prefix: string, table: number, swIfIndex: number, nextHop: string) {
  const route = routeTo(prefix, table, 'FIB_API_PATH_TYPE_NORMAL', 0);
  const [path] = route.route.paths;
  const paths =
    path === undefined ? [] : [{ ...path, sw_if_index: swIfIndex, nh: { ...path.nh, address: { ip6: nextHop } } }];
  return { ...route, route: { ...route.route, paths } };
}

/** A path that only says in which table to look next. */
export function looksUpIn({ paths }: VppRoute, table: number): boolean {
  const [only] = paths;
  if (paths.length !== 1 || only?.type !== 'FIB_API_PATH_TYPE_NORMAL' || only.sw_if_index !== NONE) return false;
  const { ip4, ip6 } = only.nh.address;
  return only.table_id === table && (ip6 === '::' || ip4 === '0.0.0.0');
}

function routeTo(prefix: string, table: number, type: FibPathType, inTable: number) {
  const isIpv6 = prefix.includes(':');
  const path: FibPath = {
    sw_if_index: NONE,
    table_id: inTable,
    rpf_id: NONE,
    weight: 1,
    preference: 0,
    type,
    flags: 0,
    proto: isIpv6 ? 'FIB_API_PATH_NH_PROTO_IP6' : 'FIB_API_PATH_NH_PROTO_IP4',
    nh: { address: { ip6: '::' }, via_label: 0, obj_id: NONE, classify_table_index: NONE },
    n_labels: 0,
    label_stack: [],
  };
  const route = { table_id: table, stats_index: 0, prefix, n_paths: 1, paths: [path] };
  return { is_add: true, is_multipath: false, route };
}
