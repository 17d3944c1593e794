import type { DisjointRequest, UnachievedLevel } from '../../model/disjoint-paths.js';
import type { Shared } from '../../model/path-answer.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import { kindsOf, type Level } from './disjointness-level.js';
import { Risks } from './risks.js';
import type { Cut, LevelResult } from './search-level.js';

export const NO_BLOCKING: Shared = { nodes: [], links: [], srlgs: [], sites: [] };

/** Why there are no paths at a level, with the cut that proves it where there is one. */
export function explainLevel(
  snapshot: Snapshot,
  request: DisjointRequest,
  level: Level,
  { isProved, cut }: Extract<LevelResult, { kind: 'none' }>,
): Omit<UnachievedLevel, 'disjoint'> {
  const kinds = kindsOf(level);
  const what = kinds.length === 0 ? 'paths that fit together' : `${kinds.join('- and ')}-disjoint paths`;
  if (!isProved) {
    const message = `the work budget ended the search before it found ${what}`;
    return { isProved, message, blocking: NO_BLOCKING };
  }
  if (cut === null) {
    const message = `there are no ${what} within the constraints: all combinations were ruled out`;
    return { isProved, message, blocking: NO_BLOCKING };
  }
  const blocking = blockingOf(snapshot, cut);
  return { isProved, message: `there are no ${what}: ${sentence(request, cut, blocking)}`, blocking };
}

function blockingOf(snapshot: Snapshot, cut: Cut): Shared {
  const risks = Risks.of(snapshot);
  const names = (kind: 'node' | 'srlg' | 'site') =>
    cut.risks
      .filter((risk) => risks.kindOf(risk) === kind)
      .map((risk) => risks.nameOf(risk))
      .sort();
  const srlgs = names('srlg')
    .map(Number)
    .sort((a, b) => a - b);
  const links = cut.arcs.map((arc) => snapshot.linkIdOf(arc)).sort();
  return { nodes: names('node'), links, srlgs, sites: names('site') };
}

function sentence({ members }: DisjointRequest, { crossing }: Cut, blocking: Shared): string {
  const things = [
    ...blocking.nodes.map((id) => `node ${id}`),
    ...blocking.links.map((id) => `link ${id}`),
    ...blocking.srlgs.map((group) => `SRLG ${group}`),
    ...blocking.sites.map((site) => `site ${site}`),
  ];
  const pairs = crossing.map((i) => `${members[i]?.source ?? ''} to ${members[i]?.destination ?? ''}`);
  const who = [...new Set(pairs)].join(', and from ');
  if (things.length === 0) return `nothing that others leave free leads from ${who}`;
  if (things.length === 1) return `every path from ${who} passes ${things.join('')}`;
  return `each of ${crossing.length} paths from ${who} has to pass one of ${things.join(', ')}`;
}
