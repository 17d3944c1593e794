import type {
  ActualState,
  ActualTunnel,
  Capabilities,
  ClassSource,
  LocalSid,
  ProbeRoute,
  SteeredPrefix,
  Tunnel,
  TunnelAction,
} from '../dataplane/port.js';
import { sourceText, steeredText } from '../dataplane/steered-prefix.js';

/** What was read back, by what it is looked up with. */
export interface ActualIndex {
  /** By the text of a steered prefix. */
  readonly byPrefix: ReadonlyMap<string, ActualTunnel>;
  readonly byBsid: ReadonlyMap<string, ActualTunnel>;
  readonly localSids: ReadonlyMap<string, LocalSid>;
  /** By address. */
  readonly probeRoutes: ReadonlyMap<string, ProbeRoute>;
  /** Colors by address. */
  readonly classSources: ReadonlyMap<string, number>;
  /** All that is steered and every source of a class, as texts. */
  readonly parts: ReadonlySet<string>;
  readonly state: ActualState;
}

export function indexActual(state: ActualState): ActualIndex {
  const byPrefix = new Map<string, ActualTunnel>();
  const byBsid = new Map<string, ActualTunnel>();
  for (const tunnel of state.tunnels) {
    if (tunnel.bsid !== null) byBsid.set(tunnel.bsid, tunnel);
    for (const prefix of tunnel.steeredPrefixes) byPrefix.set(steeredText(prefix), tunnel);
  }
  const localSids = new Map(state.localSids.map((sid) => [sid.sid, sid]));
  const probeRoutes = new Map(state.probeRoutes.map((route) => [route.address, route]));
  const classSources = new Map(state.classSources.map(({ address, color }) => [address, color]));
  const parts = new Set([...byPrefix.keys(), ...state.classSources.map(sourceText)]);
  return { byPrefix, byBsid, localSids, probeRoutes, classSources, parts, state };
}

/** The steered prefixes of a tunnel that the data plane does not treat as the tunnel says. */
export function wrongPrefixes(tunnel: Tunnel, actual: ActualIndex): readonly SteeredPrefix[] {
  return tunnel.steeredPrefixes.filter((prefix) => {
    const found = actual.byPrefix.get(steeredText(prefix));
    return found === undefined || !isTunnel(found, tunnel);
  });
}

/** Whether the data plane holds the tunnel, whole and exactly. */
export function isHeld(tunnel: Tunnel, actual: ActualIndex, capabilities: Capabilities): boolean {
  if (wrongPrefixes(tunnel, actual).length > 0) return false;
  if (!capabilities.bindingSids) return true;
  return [tunnel.bsid, tunnel.alternateBsid].some((bsid) => {
    const found = actual.byBsid.get(bsid);
    return found !== undefined && isTunnel(found, tunnel);
  });
}

/** Whether packets from the address are of the class, and of no other. */
export function isSourceHeld({ address, color }: ClassSource, actual: ActualIndex): boolean {
  return actual.classSources.get(address) === color;
}

function isTunnel(found: ActualTunnel, tunnel: Tunnel): boolean {
  const ownBsid = found.bsid === null || found.bsid === tunnel.bsid || found.bsid === tunnel.alternateBsid;
  return (
    ownBsid && (found.family === null || found.family === tunnel.family) && isSameAction(found.action, tunnel.action)
  );
}

export function isSameLocalSid(a: LocalSid, b: LocalSid): boolean {
  return a.behavior === b.behavior && a.via === b.via;
}

/** Whether probes to the address of the route travel its list. */
export function isProbeRouteHeld({ address, sids }: ProbeRoute, actual: ActualIndex): boolean {
  return actual.probeRoutes.get(address)?.sids.join() === sids.join();
}

/** The segment lists that packets of the tunnel may take now, whatever it should be: texts of their SIDs. */
export function installedLists(tunnel: Tunnel, actual: ActualIndex): ReadonlySet<string> {
  const found = [
    ...tunnel.steeredPrefixes.map((prefix) => actual.byPrefix.get(steeredText(prefix))),
    ...[tunnel.bsid, tunnel.alternateBsid].map((bsid) => actual.byBsid.get(bsid)),
  ];
  return new Set(
    found.flatMap((held) =>
      held?.action.kind === 'encapsulate' ? held.action.segmentLists.map(({ sids }) => sids.join()) : [],
    ),
  );
}

/** Both actions have their lists in canonical form, so that equal splits are equal texts. */
export function isSameAction(found: ActualTunnel['action'], wanted: TunnelAction): boolean {
  if (found.kind !== 'encapsulate' || wanted.kind !== 'encapsulate') return found.kind === wanted.kind;
  if (found.segmentLists.length !== wanted.segmentLists.length) return false;
  return found.segmentLists.every((list, index) => {
    const other = wanted.segmentLists[index];
    return list.weight === other?.weight && list.sids.join() === other.sids.join();
  });
}
