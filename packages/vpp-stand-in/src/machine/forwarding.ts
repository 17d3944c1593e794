import { formatAddress, parseAddress } from './address.js';
import type { Family } from './address.js';
import type { RoutePath, Table } from './fib.js';
import { bestTarget, longestMatch } from './fib.js';
import type { Interface } from './interfaces.js';
import type { Machine } from './machine.js';
import { POLICY_TYPES } from './sr-policies.js';
import type { SrPolicy } from './sr-policies.js';

/** A segment list with the share of flows it gets; `buckets` over the sum of all buckets. Spray sends to every list. */
export interface ForwardingList {
  readonly slIndex: number;
  readonly segments: readonly string[];
  readonly buckets: number;
  readonly encapSource: string;
  readonly hopLimit: number;
}

/** What becomes of a packet at this moment. */
export type Forwarding =
  | {
      readonly kind: 'policy';
      readonly bsid: string;
      readonly mode: 'balance' | 'spray';
      readonly encapsulates: boolean;
      /** Only lists that get packets. */
      readonly lists: readonly ForwardingList[];
      /** The route that matched, and in which table. */
      readonly via: string;
    }
  | { readonly kind: 'localsid'; readonly localsid: string; readonly via: string }
  | { readonly kind: 'route'; readonly nextHops: readonly string[]; readonly via: string }
  | {
      readonly kind: 'drop';
      readonly reason:
        | 'no-route'
        | 'drop-route'
        | 'dangling-steering'
        /** The policy is there, and its weights leave no list a bucket. */
        | 'no-list'
        | 'lookup-loop'
        | 'no-such-table'
        /** Some flows: the prefix was steered although there was a route for it. */
        | 'steered-beside-a-drop'
        /** Of the interface that it came in by. */
        | 'input-acl';
      readonly via: string;
    };

const UNSET = 0xffffffff;
const PATH_DROP = 2;
const MAX_LOOKUPS = 4;

/**
 * Where a packet to `destination` looked up in `table` goes. Of several paths of a route the first decides; steering
 * through several BSIDs shows the lists of all their policies.
 */
export function forward(machine: Machine, tableId: number, destination: string): Forwarding {
  const { family, bytes } = parseAddress(destination);
  const set = machine.tables[family];
  let table: Table | undefined = set.find(tableId);
  let via = `table ${String(tableId)}`;
  for (let lookups = 0; lookups < MAX_LOOKUPS; lookups += 1) {
    if (table === undefined) return { kind: 'drop', reason: 'no-such-table', via };
    const route = longestMatch(table, bytes);
    if (route === undefined) return { kind: 'drop', reason: 'no-route', via: `table ${String(table.id)}` };
    via = `${formatAddress(route.prefix)}/${String(route.length)} in table ${String(table.id)}`;
    const { target, source } = bestTarget(route);
    switch (target.kind) {
      case 'drop':
        return { kind: 'drop', reason: source === 'default' ? 'no-route' : 'drop-route', via };
      case 'localsid':
        return { kind: 'localsid', localsid: formatAddress(target.localsid), via };
      case 'bsid':
        return throughBsids(machine, [target.bsid], family, via);
      case 'steering':
        if (target.besideDrop) return { kind: 'drop', reason: 'steered-beside-a-drop', via };
        return throughBsids(machine, target.bsids, family, via);
      case 'paths': {
        const next = otherTable(target.paths);
        if (next === undefined) return alongPaths(target.paths, via);
        table = set.find(next);
        via = `table ${String(next)}`;
      }
    }
  }
  return { kind: 'drop', reason: 'lookup-loop', via };
}

/** What becomes of a packet that comes in by an interface, from its IP header on. */
export function enter(machine: Machine, from: Interface, packet: Buffer): Forwarding {
  const verdict = machine.inputAcls.verdict(from, packet);
  if (verdict.kind === 'drop') return { kind: 'drop', reason: 'input-acl', via: from.name };
  const family: Family = (packet[0] ?? 0) >> 4 === 4 ? 'ipv4' : 'ipv6';
  const ofInterface = (family === 'ipv4' ? from.ipv4Table : from.ipv6Table) ?? 0;
  const chosen = verdict.lookup && machine.tables[family].inSlot(verdict.lookup.slot)?.id;
  const [begin, end] = family === 'ipv4' ? [16, 20] : [24, 40];
  return forward(machine, chosen ?? ofInterface, formatAddress(packet.subarray(begin, end)));
}

/**
 * Steering is recursive through the BSID's address, so that a deleted policy drops and a new one with it carries on. A
 * policy that inserts has no BSID among those for IPv4.
 */
function throughBsids(machine: Machine, bsids: readonly Buffer[], family: Family, via: string): Forwarding {
  const policies = bsids.flatMap((bsid) => machine.policies.find(bsid) ?? []);
  const alive = policies.filter((policy) => family === 'ipv6' || policy.isEncap !== 0);
  const [policy] = alive;
  if (policy === undefined) return { kind: 'drop', reason: 'dangling-steering', via };
  const lists = alive.flatMap((each) => listsOf(machine, each));
  if (lists.length === 0) return { kind: 'drop', reason: 'no-list', via };
  return {
    kind: 'policy',
    bsid: formatAddress(policy.bsid),
    mode: policy.type === POLICY_TYPES.spray ? 'spray' : 'balance',
    encapsulates: policy.isEncap !== 0,
    lists,
    via,
  };
}

function listsOf(machine: Machine, policy: SrPolicy): ForwardingList[] {
  return policy.forwarding.flatMap(({ slIndex, buckets }) => {
    const list = machine.policies.lists.at(slIndex);
    if (list === undefined || buckets === 0) return [];
    const segments = list.segments.map((segment) => formatAddress(segment));
    return [{ slIndex, segments, buckets, encapSource: formatAddress(list.encapSource), hopLimit: list.hopLimit }];
  });
}

/** The table of a path that has neither interface nor next hop: a second lookup. */
function otherTable(paths: readonly RoutePath[]): number | undefined {
  const [path] = paths;
  if (path === undefined || path.type === PATH_DROP || path.swIfIndex !== UNSET) return undefined;
  return path.nextHop.every((byte) => byte === 0) ? path.tableId : undefined;
}

function alongPaths(paths: readonly RoutePath[], via: string): Forwarding {
  if (paths[0]?.type === PATH_DROP) return { kind: 'drop', reason: 'drop-route', via };
  return { kind: 'route', nextHops: paths.map(describeNextHop), via };
}

function describeNextHop(path: RoutePath): string {
  const address = formatAddress(path.proto === 0 ? path.nextHop.subarray(0, 4) : path.nextHop);
  return path.swIfIndex === UNSET ? address : `${address} interface ${String(path.swIfIndex)}`;
}
