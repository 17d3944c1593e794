import { encodeDesiredPolicy, Family, TunnelAction, type Tunnel } from '@waymark/agent-protocol';
import { parseAddress } from '../dataplane/address.js';
import type { SteeredPrefix } from '../dataplane/port.js';
import type { DesiredState } from '../session/ports.js';

/** A tunnel in short: `drop`, or segment lists as `[weight, ...sids]`. */
export interface TunnelSketch {
  readonly lists: 'drop' | readonly (readonly [number, ...string[]])[];
  readonly prefixes: readonly string[];
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

/** The bytes of a policy as the controller would send them. */
export function policyBody({ id, ipv4, ipv6, planned = false }: PolicySketch): Uint8Array {
  const tunnels = [
    ...(ipv4 === undefined ? [] : [tunnelMessage(id, Family.IPV4, ipv4)]),
    ...(ipv6 === undefined ? [] : [tunnelMessage(id, Family.IPV6, ipv6)]),
  ];
  const color = Number(id.split(':')[1]);
  const endpoint = parseAddress('fd00::1');
  return encodeDesiredPolicy({ policyId: id, color, endpoint, tunnels, usesPlannedSids: planned });
}

/** A desired state; each policy is of the generation of the state unless an earlier state held the same bytes. */
export function desiredState(
  generation: number,
  sketches: readonly PolicySketch[],
  before?: DesiredState,
): DesiredState {
  const policies = sketches.map((sketch) => {
    const body = policyBody(sketch);
    const known = before?.policies.get(sketch.id);
    const same = known !== undefined && Buffer.compare(known.body, body) === 0;
    return [sketch.id, same ? known : { generation, body }] as const;
  });
  return { epoch: 1, generation, policies: new Map(policies) };
}

function tunnelMessage(id: string, family: Family, { lists, prefixes, standby = [], ways = [] }: TunnelSketch): Tunnel {
  return {
    family,
    action: lists === 'drop' ? TunnelAction.DROP : TunnelAction.ENCAPSULATE,
    bsid: bindingSid(id, family, 0),
    alternateBsid: bindingSid(id, family, 1),
    segmentLists: lists === 'drop' ? [] : lists.map((list, i) => listMessage(list, ways[i])),
    standbyLists: standby.map((list) => listMessage(list)),
    steeredPrefixes: prefixes.map((prefix) => {
      const [address = '', length] = prefix.split('/');
      return { family, address: parseAddress(address), length: Number(length) };
    }),
    classPrefixes: [],
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
