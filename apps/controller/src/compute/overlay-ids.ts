import { maxAffinities } from '@waymark/http-contract';
import type { Overlay, Snapshot } from '@waymark/topology';
import { Problem } from '../model/errors.js';
import { requireKnownIds, type NamedId } from './request-ids.js';

/**
 * Throws Problem node-unknown or link-unknown for ids that the snapshot lacks, request-invalid for an SRLG or site that
 * nothing is in, for a link that is changed twice, for traffic of a node to itself, and for more affinities than a network can have. `at` points to the overlay.
 */
export function requireKnownOverlay(snapshot: Snapshot, overlay: Overlay, at = '/overlay'): void {
  requireKnownIds(snapshot, idsInOverlay(overlay, at));
  const errors = [
    ...emptyGroups(snapshot, overlay, at),
    ...repeatedLinks(overlay, at),
    ...circularDemands(overlay, at),
    ...surplusAffinities(snapshot, overlay, at),
  ];
  const [error] = errors;
  if (error !== undefined) throw new Problem('request-invalid', { ...error, errors });
}

function idsInOverlay({ down, links = [], demands = [] }: Overlay, at: string): NamedId[] {
  return [
    ...(down?.links ?? []).map((link, i) => ({ field: `${at}/down/links/${i}`, link })),
    ...(down?.nodes ?? []).map((node, i) => ({ field: `${at}/down/nodes/${i}`, node })),
    ...links.map(({ link }, i) => ({ field: `${at}/links/${i}/link`, link })),
    ...demands.flatMap((demand, i): NamedId[] =>
      'links' in demand
        ? demand.links.map((link, j) => ({ field: `${at}/demands/${i}/links/${j}`, link }))
        : [
            { field: `${at}/demands/${i}/source`, node: demand.source },
            { field: `${at}/demands/${i}/destination`, node: demand.destination },
          ],
    ),
  ];
}

interface FieldError {
  readonly field: string;
  readonly detail: string;
}

function emptyGroups(snapshot: Snapshot, { down, links = [] }: Overlay, at: string): FieldError[] {
  const groups = new Set(down?.srlgs === undefined ? [] : snapshot.data.srlgs);
  for (const group of links.flatMap(({ srlgs = [] }) => srlgs)) groups.add(group);
  const noLinks = (down?.srlgs ?? []).map((group, i) => ({
    isKnown: groups.has(group),
    field: `${at}/down/srlgs/${i}`,
    detail: `No link is in SRLG ${group}; GET /v1/links shows which groups links are in.`,
  }));
  const noNodes = (down?.sites ?? []).map((site, i) => ({
    isKnown: snapshot.siteNames.includes(site),
    field: `${at}/down/sites/${i}`,
    detail: `No node is at site "${site}"; GET /v1/nodes shows where nodes are.`,
  }));
  return [...noLinks, ...noNodes].filter(({ isKnown }) => !isKnown).map(({ field, detail }) => ({ field, detail }));
}

function repeatedLinks({ links = [] }: Overlay, at: string): FieldError[] {
  const seen = new Set<string>();
  return links.flatMap(({ link }, i) => {
    if (!seen.has(link)) {
      seen.add(link);
      return [];
    }
    return [
      { field: `${at}/links/${i}/link`, detail: `Link "${link}" is changed twice; give all its attributes in one.` },
    ];
  });
}

function circularDemands({ demands = [] }: Overlay, at: string): FieldError[] {
  return demands.flatMap((demand, i) =>
    'links' in demand || demand.source !== demand.destination
      ? []
      : [{ field: `${at}/demands/${i}/destination`, detail: `The traffic begins and ends at ${demand.source}.` }],
  );
}

/** Each takes a bit of every link. */
function surplusAffinities({ affinityNames }: Snapshot, { links = [] }: Overlay, at: string): FieldError[] {
  const names = new Set(links.flatMap(({ affinities = [] }) => affinities));
  for (const name of affinityNames) names.add(name);
  if (names.size <= maxAffinities) return [];
  const detail = `With those of the network these are ${names.size} different affinities; there can be ${maxAffinities}.`;
  return [{ field: `${at}/links`, detail }];
}
