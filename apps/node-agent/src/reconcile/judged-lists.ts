import type { Capabilities, ProbeRoute, Tunnel } from '../dataplane/port.js';
import { srhEntries } from '../dataplane/segment-lists.js';
import { listKey, probeRoutesOf } from '../liveness/probe-address.js';
import { tunnelsOf, type WantedEntry, type WantedTunnel } from './desired-entry.js';

type Lists = Pick<WantedTunnel, 'family' | 'action' | 'standbyLists'>;

/**
 * The list whose probes speak for a list of the policy, or null. A probe is IPv6 and so needs a list whose last SID
 * takes IPv6 in. A list for IPv4 is judged by one for IPv6 that goes the same way: by the number that the controller gave
 * both, or else because it has the same SIDs up to the service SID.
 */
export type Judges = (family: Tunnel['family'], sids: readonly string[]) => readonly string[] | null;

export function judgesOf(tunnels: readonly Lists[], ways: ReadonlyMap<string, number>): Judges {
  const wayOf = (sids: readonly string[]): string => {
    const number = ways.get(listKey(sids));
    return number === undefined ? listKey(sids.slice(0, -1)) : `way ${number}`;
  };
  const byWay = new Map<string, readonly string[]>();
  const ipv6 = tunnels.filter(({ family }) => family === 'ipv6').flatMap(allLists);
  for (const sids of ipv6) if (!byWay.has(wayOf(sids))) byWay.set(wayOf(sids), sids);
  return (family, sids) => (family === 'ipv6' ? sids : (byWay.get(wayOf(sids)) ?? null));
}

/** Every list that a tunnel may use, active ones first. */
export function allLists({ action, standbyLists }: Lists): readonly (readonly string[])[] {
  const active = action.kind === 'encapsulate' ? action.segmentLists : [];
  return [...active, ...standbyLists].map(({ sids }) => sids);
}

/** The probe routes that the policies need, each list once; none where the data plane cannot probe. */
export function neededProbeRoutes(
  entries: Iterable<WantedEntry>,
  { probePrefix, msdHEncaps, encapMode }: Capabilities,
): readonly ProbeRoute[] {
  if (probePrefix === null) return [];
  const lists: (readonly string[])[] = [];
  for (const entry of entries) {
    for (const tunnel of tunnelsOf(entry)) if (tunnel.family === 'ipv6') lists.push(...allLists(tunnel));
  }
  const fitting = lists.filter(({ length }) => msdHEncaps === 0 || srhEntries(length, encapMode) <= msdHEncaps);
  return probeRoutesOf(fitting, probePrefix);
}
