import type { ActualTunnel, Capabilities, LocalSid, ProbeRoute, Step, Tunnel } from '../dataplane/port.js';
import { steeredText } from '../dataplane/steered-prefix.js';
import {
  isHeld,
  isProbeRouteHeld,
  isSameAction,
  isSameLocalSid,
  isSourceHeld,
  wrongPrefixes,
  type ActualIndex,
} from './actual-index.js';
import { sourcesOf, tunnelsOf, type WantedEntry } from './desired-entry.js';
import type { Judgement } from './judge.js';

/**
 * What has to be put there: local SIDs first, so that nothing is sent towards a node that cannot yet receive; then the
 * probe routes, before anything is steered into their lists; the sources of service classes last, so that their class is
 * whole when they come into it.
 */
export function planMakes(
  { accepted, acceptedClasses }: Pick<Judgement, 'accepted' | 'acceptedClasses'>,
  localSids: readonly LocalSid[],
  probeRoutes: readonly ProbeRoute[],
  actual: ActualIndex,
  capabilities: Capabilities,
): Step[] {
  const steps: Step[] = [];
  for (const localSid of localSids) {
    const found = actual.localSids.get(localSid.sid);
    if (found !== undefined && isSameLocalSid(found, localSid)) continue;
    steps.push({ kind: 'put-local-sid', localSid, replaces: found !== undefined });
  }
  for (const route of probeRoutes) {
    if (isProbeRouteHeld(route, actual)) continue;
    steps.push({ kind: 'put-probe-route', route, replaces: actual.probeRoutes.has(route.address) });
  }
  for (const [policyId, tunnels] of accepted) {
    for (const tunnel of tunnels) {
      if (isHeld(tunnel, actual, capabilities)) continue;
      const steer = wrongPrefixes(tunnel, actual).map((steered) => ({
        ...steered,
        replaces: actual.byPrefix.has(steeredText(steered)),
      }));
      steps.push({ kind: 'put-tunnel', policyId, tunnel, steer });
    }
  }
  for (const [classId, sources] of acceptedClasses) {
    for (const source of sources) {
      if (isSourceHeld(source, actual)) continue;
      const replaces = actual.classSources.get(source.address) ?? null;
      steps.push({ kind: 'put-class-source', classId, source, replaces });
    }
  }
  return steps;
}

/**
 * What of ours nobody wants any more, sources of service classes first. An entry that was refused still protects its
 * prefixes and sources: what was there before stays. One that cannot be read might protect anything, so nothing is
 * removed while there is one.
 */
export function planBreaks(
  wanted: Iterable<WantedEntry<Tunnel>>,
  localSids: readonly LocalSid[],
  probeRoutes: readonly ProbeRoute[],
  { state, byBsid }: ActualIndex,
): Step[] {
  const prefixes = new Set<string>();
  const addresses = new Set<string>();
  const bsids = new Set<string>();
  /** The other binding SIDs of tunnels that are steered through one of theirs. */
  const spare = new Set<string>();
  for (const entry of wanted) {
    if (entry.content.kind === 'unreadable') return [];
    for (const { address } of sourcesOf(entry)) addresses.add(address);
    for (const tunnel of tunnelsOf(entry)) {
      for (const prefix of tunnel.steeredPrefixes) prefixes.add(steeredText(prefix));
      bsids.add(tunnel.bsid).add(tunnel.alternateBsid);
      const idle = idleSlot(tunnel, byBsid);
      if (idle !== null) spare.add(idle);
    }
  }
  const sids = new Set(localSids.map(({ sid }) => sid));
  const declassed = state.classSources
    .filter(({ address }) => !addresses.has(address))
    .map((source): Step => ({ kind: 'remove-class-source', source }));
  const unsteer = state.tunnels.flatMap(({ family, steeredPrefixes }) =>
    family === null
      ? []
      : steeredPrefixes
          .filter((prefix) => !prefixes.has(steeredText(prefix)))
          .map((prefix): Step => ({ kind: 'unsteer', family, ...prefix })),
  );
  // What still carries a prefix of a policy that was refused stays with it.
  const carrying = new Set(
    state.tunnels
      .filter(({ steeredPrefixes }) => steeredPrefixes.some((prefix) => prefixes.has(steeredText(prefix))))
      .map(({ bsid }) => bsid),
  );
  const tunnels = [...byBsid.keys()]
    .filter((bsid) => (!bsids.has(bsid) && !carrying.has(bsid)) || spare.has(bsid))
    .map((bsid): Step => ({ kind: 'remove-tunnel', bsid }));
  const unownedSids = state.localSids
    .filter(({ sid }) => !sids.has(sid))
    .map((localSid): Step => ({ kind: 'remove-local-sid', localSid }));
  const probed = new Set(probeRoutes.map(({ address }) => address));
  const unprobed = state.probeRoutes
    .filter(({ address }) => !probed.has(address))
    .map((route): Step => ({ kind: 'remove-probe-route', route }));
  const strays = state.strays.map((stray): Step => ({ kind: 'remove-stray', stray }));
  return [...declassed, ...unsteer, ...tunnels, ...unownedSids, ...unprobed, ...strays];
}

/**
 * Of two binding SIDs that both exist, the one that may go: without steered prefixes, and wrong, unless both are right. One that
 * is right stays beside one that is wrong and still in use.
 */
function idleSlot({ bsid, alternateBsid, action }: Tunnel, byBsid: ActualIndex['byBsid']): string | null {
  const [first, second] = [byBsid.get(bsid), byBsid.get(alternateBsid)];
  if (first === undefined || second === undefined) return null;
  const isRight = (found: ActualTunnel): boolean => isSameAction(found.action, action);
  const idle = [second, first].filter(({ steeredPrefixes }) => steeredPrefixes.length === 0);
  const dispensable = isRight(first) && isRight(second) ? idle[0] : idle.find((found) => !isRight(found));
  return dispensable?.bsid ?? null;
}
