import type { ClassSource, DataPlane, SteeredPrefix, Tunnel } from '../dataplane/port.js';
import { srhEntries } from '../dataplane/segment-lists.js';
import { steeredText } from '../dataplane/steered-prefix.js';
import type { EntryContent, WantedEntry } from './desired-entry.js';

export interface Judgement {
  /** Tunnels of the policies to install, by policy id. */
  readonly accepted: ReadonlyMap<string, readonly Tunnel[]>;
  /** Sources of the service classes to install, by class id. */
  readonly acceptedClasses: ReadonlyMap<string, readonly ClassSource[]>;
  /** Why an entry is not installed, by its id. What it had in the data plane before stays. */
  readonly refused: ReadonlyMap<string, string>;
}

/** What of the data plane is not ours. */
export interface Obstacles {
  readonly obstacles: ReadonlyMap<string, string>;
  readonly classObstacles: ReadonlyMap<number, string>;
}

type Limits = Pick<DataPlane, 'capabilities' | 'objection' | 'objectionToClass'>;

/**
 * Which entries may go into this data plane. An entry is taken whole or not at all. When two policies steer the same
 * prefix in the same class, or two classes name the same source, the one whose id sorts first has it: the same answer
 * whatever the order in which they arrived.
 */
export function judge(entries: Iterable<WantedEntry<Tunnel>>, dataPlane: Limits, found: Obstacles): Judgement {
  const accepted = new Map<string, readonly Tunnel[]>();
  const acceptedClasses = new Map<string, readonly ClassSource[]>();
  const refused = new Map<string, string>();
  const takenBy = new Map<string, string>();
  for (const { policyId, content } of [...entries].sort((a, b) => (a.policyId < b.policyId ? -1 : 1))) {
    const reason = objectionToEntry(content, dataPlane, found, takenBy);
    if (reason !== null) {
      refused.set(policyId, reason);
    } else if (content.kind === 'policy') {
      accepted.set(policyId, content.tunnels);
      for (const prefix of prefixesOf(content.tunnels)) takenBy.set(steeredText(prefix), policyId);
    } else if (content.kind === 'class') {
      acceptedClasses.set(policyId, content.sources);
      for (const { address } of content.sources) takenBy.set(address, policyId);
    }
  }
  return { accepted, acceptedClasses, refused };
}

/** @param takenBy who has a steered prefix (by its text) or a source (by its address) */
function objectionToEntry(
  content: EntryContent<Tunnel>,
  dataPlane: Limits,
  found: Obstacles,
  takenBy: ReadonlyMap<string, string>,
): string | null {
  switch (content.kind) {
    case 'unreadable':
      return `it cannot be read: ${content.reason}`;
    case 'class':
      return (
        objectionToClass(content.color, dataPlane, found) ??
        first(content.sources, ({ address }) => takenText(`its source ${address} is already in`, takenBy.get(address)))
      );
    case 'policy':
      return (
        objectionToPlannedSids(content.usesPlannedSids, dataPlane) ??
        first(content.tunnels, (tunnel) => objectionToTunnel(tunnel, dataPlane)) ??
        first(prefixesOf(content.tunnels), (prefix) => objectionToPrefix(prefix, dataPlane, found, takenBy))
      );
  }
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

function objectionToClass(color: number, dataPlane: Limits, { classObstacles }: Obstacles): string | null {
  const objection = dataPlane.objectionToClass(color);
  if (objection !== null) return objection;
  const obstacle = classObstacles.get(color);
  return obstacle === undefined ? null : `the place of class ${color} is not Waymark's alone: ${obstacle}`;
}

function objectionToPrefix(
  steered: SteeredPrefix,
  dataPlane: Limits,
  found: Obstacles,
  takenBy: ReadonlyMap<string, string>,
): string | null {
  const { prefix, color } = steered;
  if (color === null) {
    const obstacle = found.obstacles.get(prefix);
    if (obstacle !== undefined) return `${prefix} is held by something that is not Waymark's: ${obstacle}`;
  } else {
    const objection = objectionToClass(color, dataPlane, found);
    if (objection !== null) return objection;
  }
  const text = steeredText(steered);
  return takenText(`${text} is already steered by policy`, takenBy.get(text));
}

function takenText(text: string, other: string | undefined): string | null {
  return other === undefined ? null : `${text} ${other}`;
}

function prefixesOf(tunnels: readonly Tunnel[]): readonly SteeredPrefix[] {
  return tunnels.flatMap(({ steeredPrefixes }) => steeredPrefixes);
}

function first<T>(items: readonly T[], objection: (item: T) => string | null): string | null {
  for (const item of items) {
    const reason = objection(item);
    if (reason !== null) return reason;
  }
  return null;
}
