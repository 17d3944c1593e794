import { release } from 'node:os';
import { canonicalAddress, canonicalPrefix } from '../address.js';
import {
  DataPlaneError,
  type ActualTunnel,
  type Family,
  type LocalSid,
  type ProbeRoute,
  type SegmentList,
} from '../port.js';
import { canonicalLists } from '../segment-lists.js';
import { LOCAL_SID_ACTIONS } from './route-lines.js';
import { modeName, type LinuxSettings } from './settings.js';

/** A route as `ip -s -N -j -d route show` prints it: numbers instead of names. */
export interface KernelRoute {
  readonly prefix: string;
  readonly protocol: number;
  /** IPv4 leaves out a metric of 0. */
  readonly metric: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

export type OurRoute =
  | { readonly kind: 'steering'; readonly prefix: string; readonly action: ActualTunnel['action'] }
  | { readonly kind: 'local-sid'; readonly localSid: LocalSid };

const UNICAST = '1';
const BLACKHOLE = '6';
export const THROW = '9';

/** Reads what iproute2 printed. Throws DataPlaneError when it is not what iproute2 prints. */
export function parseRoutes(json: string, family: Family): KernelRoute[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json.trim() === '' ? '[]' : json);
  } catch (error) {
    throw new DataPlaneError(`ip printed no JSON: ${String(error)}`);
  }
  if (!Array.isArray(parsed)) throw new DataPlaneError('ip printed no list of routes');
  return parsed.filter(isRecord).flatMap((fields) => {
    const { dst, protocol, metric } = fields;
    if (typeof dst !== 'string') return [];
    const everything = family === 'ipv4' ? '0.0.0.0/0' : '::/0';
    return [
      {
        prefix: dst === 'default' ? everything : canonicalPrefix(dst),
        protocol: Number(protocol),
        metric: typeof metric === 'number' ? metric : 0,
        fields,
      },
    ];
  });
}

/**
 * Whether the kernel counts what reaches a local SID. Before 5.14 it may not, and takes a route with `count` as one
 * without: a route that is not counted is then right.
 */
export function countsLocalSids(kernelRelease: string): boolean {
  const [major = 0, minor = 0] = kernelRelease.split('.').map((part) => Number.parseInt(part, 10));
  return major > 5 || (major === 5 && minor >= 14);
}

const KERNEL_COUNTS = countsLocalSids(release());

/** What a route of ours means. */
export function interpretRoute(
  { prefix, fields }: KernelRoute,
  settings: LinuxSettings,
  kernelCounts = KERNEL_COUNTS,
): OurRoute {
  if (fields['encap'] === 'seg6local') return { kind: 'local-sid', localSid: localSidOf(prefix, fields, kernelCounts) };
  return { kind: 'steering', prefix, action: actionOf(fields, settings) };
}

/** What a route of ours in the table of a service class means; no local SID is there. */
export function interpretClassRoute({ prefix, fields }: KernelRoute, settings: LinuxSettings) {
  return { prefix, action: actionOf(fields, settings) };
}

/** The probe route that a route of ours in the probe table is; without SIDs when we would not have written it so. */
export function probeRouteOf({ prefix, fields }: KernelRoute, settings: LinuxSettings): ProbeRoute {
  const list = fields['type'] === UNICAST && !('nexthops' in fields) ? listOf(fields, settings) : null;
  return { address: prefix.replace(/\/128$/, ''), sids: list?.sids ?? [] };
}

/** For messages: `proto 12 metric 0 via 10.0.0.1 dev eth0` */
export function describeRoute({ fields, metric }: KernelRoute): string {
  const { protocol, gateway, dev, table, type } = fields;
  const parts = { type: type === UNICAST ? undefined : type, proto: protocol, table, metric, via: gateway, dev };
  return Object.entries(parts)
    .filter(([, value]) => typeof value === 'string' || typeof value === 'number')
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(' ');
}

function actionOf(fields: KernelRoute['fields'], settings: LinuxSettings): ActualTunnel['action'] {
  if (fields['type'] === BLACKHOLE) return { kind: 'drop' };
  const nexthops: unknown[] = Array.isArray(fields['nexthops']) ? fields['nexthops'] : [fields];
  const lists = nexthops.map((nexthop) => (isRecord(nexthop) ? listOf(nexthop, settings) : null));
  const segmentLists = lists.filter((list) => list !== null);
  if (fields['type'] !== UNICAST || segmentLists.length !== lists.length) {
    return { kind: 'other', detail: JSON.stringify(fields) };
  }
  return { kind: 'encapsulate', segmentLists: canonicalLists(segmentLists) };
}

/** Null: not a nexthop as we write them. */
function listOf(nexthop: Readonly<Record<string, unknown>>, settings: LinuxSettings): SegmentList | null {
  const { encap, mode, segs, dev, weight, nhid } = nexthop;
  if (encap !== 'seg6' || mode !== modeName(settings.encapMode) || dev !== settings.device) return null;
  if (nhid !== undefined || !Array.isArray(segs)) return null;
  const sids = segs.filter((sid) => typeof sid === 'string').map(canonicalAddress);
  return { weight: typeof weight === 'number' ? weight : 1, sids };
}

/** The behavior in the words of RFC 8986 when the route is as we write it, else as the kernel has it. */
function localSidOf(prefix: string, fields: KernelRoute['fields'], kernelCounts: boolean): LocalSid {
  const sid = prefix.replace(/\/128$/, '');
  const { action, table, nh4, nh6, oif, vrftable, flavors, stats64 } = fields;
  const found = Object.entries({ table, nh4, nh6, oif, vrftable, flavors })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  // Earlier versions wrote routes that are not counted: not as we write them, so they are replaced.
  const uncounted = stats64 === undefined && kernelCounts ? ' (not counted)' : '';
  const text = `${String(action)}${found.join('')}${uncounted}`;
  const behavior = Object.entries(LOCAL_SID_ACTIONS).find(([, ours]) => ours === text);
  return { sid, behavior: behavior?.[0] ?? text };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
