import { formatAddress } from '../machine/address.js';
import type { Route, RoutePath, RouteTarget, Table } from '../machine/fib.js';
import { bestTarget, getRoute, longestMatch, removeRoute, ROUTE_SOURCES, setRoute } from '../machine/fib.js';
import type { Machine } from '../machine/machine.js';
import type { Fields, Handlers, Reply } from './handler.js';
import { answer, fixedSize, variableSize } from './handler.js';

/**
 * Offsets of an ip_route: u32 table_id, u32 stats_index, prefix, u8 n_paths, then (v2 only) u8 src, then the paths.
 * fib_path: sw_if_index@0 table_id@4 rpf_id@8 weight@12 preference@13 type@14 flags@18 proto@22 next hop@26
 * via_label@42 obj_id@46 classify_table_index@50 n_labels@54 labels@55; 167 bytes.
 */
const PATH_BYTES = 167;
const UNSET = 0xffffffff;
const NO_SUCH_FIB = -3;
const NO_SUCH_ENTRY = -6;
const NO_PATHS_IN_ROUTE = -52;
const NO_MATCHING_INTERFACE = -54;
const INVALID_PREFIX_LENGTH = -171;
const PATH_NORMAL = 0;
const PATH_DROP = 2;

interface RouteRequest {
  readonly isAdd: boolean;
  readonly isMultipath: boolean;
  readonly tableId: number;
  readonly family: 'ipv4' | 'ipv6';
  readonly prefix: Buffer;
  readonly length: number;
  readonly paths: readonly RoutePath[];
}

function read(request: Buffer, pathsOffset: number): RouteRequest {
  const family = request.readUInt8(20) === 1 ? 'ipv6' : 'ipv4';
  return {
    isAdd: request.readUInt8(10) !== 0,
    isMultipath: request.readUInt8(11) !== 0,
    tableId: request.readUInt32BE(12),
    family,
    prefix: Buffer.from(request.subarray(21, family === 'ipv6' ? 37 : 25)),
    length: request.readUInt8(37),
    paths: Array.from({ length: request.readUInt8(38) }, (_, index) =>
      readPath(request, pathsOffset + index * PATH_BYTES),
    ),
  };
}

function readPath(request: Buffer, offset: number): RoutePath {
  return {
    swIfIndex: request.readUInt32BE(offset),
    tableId: request.readUInt32BE(offset + 4),
    weight: request.readUInt8(offset + 12) || 1,
    preference: request.readUInt8(offset + 13),
    type: request.readUInt32BE(offset + 14),
    flags: request.readUInt32BE(offset + 18),
    proto: request.readUInt32BE(offset + 22),
    nextHop: Buffer.from(request.subarray(offset + 26, offset + 42)),
  };
}

function describe(request: Buffer, pathsOffset: number): Fields {
  const { prefix, length, paths, ...rest } = read(request, pathsOffset);
  return {
    ...rest,
    prefix: `${formatAddress(prefix)}/${String(length)}`,
    paths: paths.map(({ nextHop, ...path }) => ({ ...path, nextHop: nextHop.toString('hex') })),
  };
}

function addOrDelete(machine: Machine, request: RouteRequest): number {
  const { isAdd, isMultipath, prefix, length, paths } = request;
  const table = machine.tables[request.family].find(request.tableId);
  if (table === undefined) return NO_SUCH_FIB;
  for (const path of paths) {
    const fault = faultOf(machine, path);
    if (fault !== 0) return fault;
  }
  if (length > prefix.length * 8) return INVALID_PREFIX_LENGTH;
  if (paths.length === 0 && (isAdd || isMultipath)) return NO_PATHS_IN_ROUTE;
  const present = isMultipath ? apiPaths(table, prefix, length) : [];
  const others = present.filter((path) => !paths.some((given) => isSamePath(given, path)));
  const next = isAdd ? [...others, ...paths] : isMultipath ? others : [];
  if (next.length === 0) removeRoute(table, prefix, length, 'api');
  else setRoute(table, prefix, length, 'api', { kind: 'paths', paths: next });
  return 0;
}

function faultOf(machine: Machine, path: RoutePath): number {
  if (path.type !== PATH_NORMAL || path.proto > 1) return 0;
  if (path.swIfIndex !== UNSET) return machine.interfaces.has(path.swIfIndex) ? 0 : NO_MATCHING_INTERFACE;
  const tables = path.proto === 1 ? machine.tables.ipv6 : machine.tables.ipv4;
  return tables.find(path.tableId) === undefined ? NO_SUCH_FIB : 0;
}

function apiPaths(table: Table, prefix: Buffer, length: number): readonly RoutePath[] {
  const target = getRoute(table, prefix, length)?.targets.get('api');
  return target?.kind === 'paths' ? target.paths : [];
}

function isSamePath(left: RoutePath, right: RoutePath): boolean {
  return (
    left.swIfIndex === right.swIfIndex &&
    left.tableId === right.tableId &&
    left.type === right.type &&
    left.proto === right.proto &&
    left.nextHop.equals(right.nextHop)
  );
}

function routeReply(name: string, request: Buffer, retval: number): readonly Reply[] {
  const reply = answer(name, request, 14);
  reply.message.writeInt32BE(retval, 6);
  // The index of the route's counters; there are none here.
  reply.message.writeUInt32BE(UNSET, 10);
  return [reply];
}

/** SR and special routes as paths; a localsid or BSID shows no address of its own. */
function pathsOf(target: RouteTarget, family: 'ipv4' | 'ipv6'): readonly RoutePath[] {
  const path = { swIfIndex: UNSET, tableId: 0, weight: 1, preference: 0, type: PATH_NORMAL, flags: 0, proto: 1 };
  const nowhere = { ...path, proto: family === 'ipv6' ? 1 : 0, nextHop: Buffer.alloc(16) };
  switch (target.kind) {
    case 'paths':
      return target.paths;
    case 'steering':
      return target.bsids.map((nextHop) => ({ ...path, tableId: UNSET, nextHop }));
    case 'drop':
      return [{ ...nowhere, type: PATH_DROP }];
    default:
      return [nowhere];
  }
}

function details(name: string, request: Buffer, table: Table, route: Route, isV2: boolean): Reply {
  const { target, source } = bestTarget(route);
  const paths = pathsOf(target, table.family);
  const pathsOffset = isV2 ? 34 : 33;
  const reply = answer(name, request, pathsOffset + paths.length * PATH_BYTES);
  const { message } = reply;
  message.writeUInt32BE(table.id, 6);
  message.writeUInt32BE(UNSET, 10);
  message.writeUInt8(table.family === 'ipv6' ? 1 : 0, 14);
  route.prefix.copy(message, 15);
  message.writeUInt8(route.length, 31);
  message.writeUInt8(paths.length, 32);
  if (isV2) message.writeUInt8(ROUTE_SOURCES[source], 33);
  for (const [index, path] of paths.entries()) writePath(message, pathsOffset + index * PATH_BYTES, path);
  return reply;
}

function writePath(message: Buffer, offset: number, path: RoutePath): void {
  message.writeUInt32BE(path.swIfIndex, offset);
  message.writeUInt32BE(path.tableId, offset + 4);
  message.writeUInt8(path.weight, offset + 12);
  message.writeUInt8(path.preference, offset + 13);
  message.writeUInt32BE(path.type, offset + 14);
  // Flags are kept by VPP but not shown.
  message.writeUInt32BE(path.proto, offset + 22);
  path.nextHop.copy(message, offset + 26);
}

function dumpTable(machine: Machine, request: Buffer, tableOffset: number): Table | undefined {
  const set = request.readUInt8(tableOffset + 4) === 0 ? machine.tables.ipv4 : machine.tables.ipv6;
  return set.find(request.readUInt32BE(tableOffset));
}

const describeDump = (request: Buffer, tableOffset: number): Fields => ({
  tableId: request.readUInt32BE(tableOffset),
  family: request.readUInt8(tableOffset + 4) === 0 ? 'ipv4' : 'ipv6',
});

/** table_id@10 exact@14 prefix@15; 33 bytes. The reply repeats the route's own prefix, and is all zeros when refused. */
function lookUp(machine: Machine, request: Buffer): Reply {
  const family = request.readUInt8(15) === 1 ? 'ipv6' : 'ipv4';
  const prefix = request.subarray(16, family === 'ipv6' ? 32 : 20);
  const table = machine.tables[family].find(request.readUInt32BE(10));
  const isExact = request.readUInt8(14) !== 0;
  const length = request.readUInt8(32);
  const route = table && (isExact ? getRoute(table, prefix, length) : longestMatch(table, prefix, length));
  const paths = route === undefined ? [] : pathsOf(bestTarget(route).target, family);
  const reply = answer('ip_route_lookup_reply', request, 37 + paths.length * PATH_BYTES);
  const { message } = reply;
  if (table === undefined || route === undefined) {
    message.writeInt32BE(table === undefined ? NO_SUCH_FIB : NO_SUCH_ENTRY, 6);
    return reply;
  }
  message.writeUInt32BE(table.id, 10);
  message.writeUInt32BE(UNSET, 14);
  message.writeUInt8(family === 'ipv6' ? 1 : 0, 18);
  route.prefix.copy(message, 19);
  message.writeUInt8(route.length, 35);
  message.writeUInt8(paths.length, 36);
  for (const [index, path] of paths.entries()) writePath(message, 37 + index * PATH_BYTES, path);
  return reply;
}

export const ipRouteHandlers: Handlers = {
  ip_route_lookup: {
    size: fixedSize(33),
    describe: (request) => ({ tableId: request.readUInt32BE(10), exact: request.readUInt8(14) !== 0 }),
    run: (machine, request) => [lookUp(machine, request)],
  },
  ip_route_add_del: {
    size: variableSize(39, (request) => 39 + request.readUInt8(38) * PATH_BYTES),
    describe: (request) => describe(request, 39),
    run: (machine, request) => routeReply('ip_route_add_del_reply', request, addOrDelete(machine, read(request, 39))),
  },
  ip_route_add_del_v2: {
    size: variableSize(40, (request) => 40 + request.readUInt8(38) * PATH_BYTES),
    describe: (request) => describe(request, 40),
    run: (machine, request) =>
      routeReply('ip_route_add_del_v2_reply', request, addOrDelete(machine, read(request, 40))),
  },
  ip_route_dump: {
    size: fixedSize(79),
    asksForClientFirst: true,
    describe: (request) => describeDump(request, 10),
    run: (machine, request) => {
      const table = dumpTable(machine, request, 10);
      if (table === undefined) return [];
      return [...table.routes.values()].map((route) => details('ip_route_details', request, table, route, false));
    },
  },
  ip_route_v2_dump: {
    size: fixedSize(80),
    asksForClientFirst: true,
    describe: (request) => ({ source: request.readUInt8(10), ...describeDump(request, 11) }),
    run: (machine, request) => {
      const table = dumpTable(machine, request, 11);
      if (table === undefined) return [];
      const wanted = request.readUInt8(10);
      return [...table.routes.values()]
        .filter(({ targets }) => wanted === 0 || [...targets.keys()].some((source) => ROUTE_SOURCES[source] === wanted))
        .map((route) => details('ip_route_v2_details', request, table, route, true));
    },
  },
};
