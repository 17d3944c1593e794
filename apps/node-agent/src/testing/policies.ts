import { encodeDesiredPolicy, encodeServiceClass, Family, TunnelAction, type Tunnel } from '@waymark/agent-protocol';
import { parseAddress } from '../dataplane/address.js';
import type { SteeredPrefix } from '../dataplane/port.js';
import type { DesiredState } from '../session/ports.js';

/** A tunnel in short: `drop`, or segment lists as `[weight, ...sids]`. */
export interface TunnelSketch {
  readonly lists: 'drop' | readonly (readonly [number, ...string[]])[];
  readonly prefixes: readonly string[];
  /** Of the class of the policy's color; none by default. */
  readonly classPrefixes?: readonly string[];
  /** Of the lists, in their order; none by default. */
  readonly ways?: readonly number[];
  readonly standby?: readonly (readonly [number, ...string[]])[];
}

export interface PolicySketch {
  readonly id: string;
  readonly ipv4?: TunnelSketch;
  readonly ipv6?: TunnelSketch;
  readonly planned?: boolean;
}

/** A service class in short. */
export interface ClassSketch {
  /** `<headend>:<color>:<headend>` */
  readonly id: string;
  readonly sources: readonly string[];
}

export type EntrySketch = PolicySketch | ClassSketch;

/** The bytes of an entry as the controller would send them. */
function entryBody(sketch: EntrySketch): Uint8Array {
  if (!('sources' in sketch)) return policyBody(sketch);
  const { id, sources } = sketch;
  return encodeServiceClass({ classId: id, color: colorOf(id), sources: sources.map(parseAddress) });
}

export function colorOf(id: string): number {
  return Number(id.split(':')[1]);
}

/** The bytes of a policy as the controller would send them. */
export function policyBody({ id, ipv4, ipv6, planned = false }: PolicySketch): Uint8Array {
  const tunnels = [
    ...(ipv4 === undefined ? [] : [tunnelMessage(id, Family.IPV4, ipv4)]),
    ...(ipv6 === undefined ? [] : [tunnelMessage(id, Family.IPV6, ipv6)]),
  ];
  const color = colorOf(id);
  const endpoint = parseAddress('fd00::1');
  return encodeDesiredPolicy({ policyId: id, color, endpoint, tunnels, usesPlannedSids: planned });
}

/** A desired state; each entry is of the generation of the state unless an earlier state held the same bytes. */
export function desiredState(
  generation: number,
  sketches: readonly EntrySketch[],
  before?: DesiredState,
): DesiredState {
  const policies = sketches.map((sketch) => {
    const body = entryBody(sketch);
    const known = before?.policies.get(sketch.id);
    const same = known !== undefined && Buffer.compare(known.body, body) === 0;
    return [sketch.id, same ? known : { generation, body }] as const;
  });
  return { epoch: 1, generation, policies: new Map(policies) };
}

function tunnelMessage(id: string, family: Family, sketch: TunnelSketch): Tunnel {
  const { lists, prefixes, classPrefixes = [], standby = [], ways = [] } = sketch;
  const messageOf = (prefix: string) => {
    const [address = '', length] = prefix.split('/');
    return { family, address: parseAddress(address), length: Number(length) };
  };
  return {
    family,
    action: lists === 'drop' ? TunnelAction.DROP : TunnelAction.ENCAPSULATE,
    bsid: bindingSid(id, family, 0),
    alternateBsid: bindingSid(id, family, 1),
    segmentLists: lists === 'drop' ? [] : lists.map((list, i) => listMessage(list, ways[i])),
    standbyLists: standby.map((list) => listMessage(list)),
    steeredPrefixes: prefixes.map(messageOf),
    classPrefixes: classPrefixes.map(messageOf),
  };
}

function listMessage([weight, ...sids]: readonly [number, ...string[]], way = 0) {
  return { weight, sids: sids.map(parseAddress), way };
}

/** The prefixes as everybody is steered by them. */
export function everybodys(prefixes: readonly string[]): SteeredPrefix[] {
  return prefixes.map((prefix) => ({ prefix, color: null }));
}

/** Distinct for each policy id, family and slot. */
function bindingSid(id: string, family: Family, slot: number): Uint8Array {
  const sid = parseAddress('fdff::');
  id.split(/(?:)/u).forEach((character, index) => {
    const place = 2 + (index % 12);
    sid[place] = ((sid[place] ?? 0) * 31 + character.charCodeAt(0)) % 256;
  });
  sid[14] = family;
  sid[15] = slot;
  return sid;
}
