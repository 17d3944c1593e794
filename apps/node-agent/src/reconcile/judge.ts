import type { DataPlane, Tunnel } from '../dataplane/port.js';
import { srhEntries } from '../dataplane/segment-lists.js';
import type { WantedPolicy } from './desired-policy.js';

export interface Judgement {
  /** Tunnels of the policies to install, by policy id. */
  readonly accepted: ReadonlyMap<string, readonly Tunnel[]>;
  /** Why a policy is not installed, by policy id. What it had in the data plane before stays. */
  readonly refused: ReadonlyMap<string, string>;
}

/**
 * Which policies may go into this data plane. A policy is taken whole or not at all. When two policies steer the same
 * prefix, the one whose id sorts first has it: the same answer whatever the order in which they arrived.
 */
export function judge(
  policies: Iterable<WantedPolicy<Tunnel>>,
  dataPlane: Pick<DataPlane, 'capabilities' | 'objection'>,
  obstacles: ReadonlyMap<string, string>,
): Judgement {
  const accepted = new Map<string, readonly Tunnel[]>();
  const refused = new Map<string, string>();
  const steeredBy = new Map<string, string>();
  for (const { policyId, content } of [...policies].sort((a, b) => (a.policyId < b.policyId ? -1 : 1))) {
    if (content.kind === 'unreadable') {
      refused.set(policyId, `the policy cannot be read: ${content.reason}`);
      continue;
    }
    const reason =
      objectionToPlannedSids(content.usesPlannedSids, dataPlane) ??
      first(content.tunnels, (tunnel) => objectionToTunnel(tunnel, dataPlane)) ??
      firstPrefix(content.tunnels, (prefix) => objectionToPrefix(prefix, obstacles, steeredBy));
    if (reason !== null) {
      refused.set(policyId, reason);
      continue;
    }
    accepted.set(policyId, content.tunnels);
    for (const { steeredPrefixes } of content.tunnels) {
      for (const prefix of steeredPrefixes) steeredBy.set(prefix, policyId);
    }
  }
  return { accepted, refused };
}

function objectionToPlannedSids(usesPlannedSids: boolean, { capabilities }: Pick<DataPlane, 'capabilities'>) {
  if (!usesPlannedSids || !capabilities.real) return null;
  return 'its segment lists use planned SIDs, which no router is known to have; confirm or discover them first';
}

/** Why the data plane can never hold the tunnel, or null. */
export function objectionToTunnel(
  tunnel: Tunnel,
  dataPlane: Pick<DataPlane, 'capabilities' | 'objection'>,
): string | null {
  return objectionToDepth(tunnel, dataPlane) ?? dataPlane.objection(tunnel);
}

function objectionToDepth(tunnel: Tunnel, { capabilities }: Pick<DataPlane, 'capabilities'>): string | null {
  if (tunnel.action.kind === 'drop' || capabilities.msdHEncaps === 0) return null;
  const { encapMode, msdHEncaps } = capabilities;
  const deepest = Math.max(...tunnel.action.segmentLists.map(({ sids }) => srhEntries(sids.length, encapMode)));
  if (deepest <= msdHEncaps) return null;
  return `a segment list takes ${deepest} SRH entries; this data plane pushes at most ${msdHEncaps} (MSD of H.Encaps)`;
}

function objectionToPrefix(
  prefix: string,
  obstacles: ReadonlyMap<string, string>,
  steeredBy: ReadonlyMap<string, string>,
): string | null {
  const obstacle = obstacles.get(prefix);
  if (obstacle !== undefined) return `${prefix} is held by something that is not Waymark's: ${obstacle}`;
  const other = steeredBy.get(prefix);
  return other === undefined ? null : `${prefix} is already steered by policy ${other}`;
}

function firstPrefix(tunnels: readonly Tunnel[], objection: (prefix: string) => string | null): string | null {
  return first(tunnels, (tunnel) => first(tunnel.steeredPrefixes, objection));
}

function first<T>(items: readonly T[], objection: (item: T) => string | null): string | null {
  for (const item of items) {
    const reason = objection(item);
    if (reason !== null) return reason;
  }
  return null;
}
