import type { Sid, Ted, TedLink, TedNode } from '../model/ted.js';
import { Snapshot } from './snapshot.js';
import {
  ArcFlag,
  BEHAVIORS,
  LocatorFlag,
  NodeFlag,
  ORIGINS,
  SidFlavorFlag,
  type SnapshotData,
} from './snapshot-data.js';
import { withDerivedFlags } from './arc-flags.js';
import { definitionAffinityNames, freezeFlexAlgorithms } from './freeze-flex-algorithms.js';
import { affinityNamesOf, affinitySets } from './affinity-sets.js';
import { bytes, integers, reals, signedIntegers, startsOf } from './shared-arrays.js';
import { packStrings } from './string-table.js';

/**
 * Freezes a TED into the form every algorithm runs on. Links with an end that is not in the TED are left out (routers
 * cannot use them either); a link without its reverse is kept and never usable (two-way check). `toGraph` lists such
 * findings. Throws RangeError for duplicate ids, and for metrics and delays that are not whole: shortest paths compare sums exactly.
 */
export function freezeSnapshot(ted: Ted): Snapshot {
  const nodes = sortedById(ted.nodes);
  const nodeIndex = new Map(nodes.map((node, index) => [node.id, index]));
  const links = arcOrder(sortedById(ted.links), nodeIndex);
  const arcIndex = new Map(links.map((link, index) => [link.id, index]));
  requireWholeNumbers(links);
  const isFlexible = nodes.some((node) => node.flexAlgorithms.length > 0);
  const affinityNames = affinityNamesOf([
    ...links.map((link) => link.affinities),
    ...(isFlexible ? links.map((link) => link.advertised?.affinities ?? []) : []),
    definitionAffinityNames(nodes),
  ]);
  const frozenNodes = freezeNodes(nodes);
  return new Snapshot({
    revision: ted.revision,
    nodeCount: nodes.length,
    arcCount: links.length,
    ...frozenNodes,
    ...freezeTopology(nodeIndex, links, arcIndex, frozenNodes),
    ...freezeAttributes(links, affinityNames),
    ...freezeFlexAlgorithms(nodes, links, affinityNames, frozenNodes),
    ...freezeLocators(nodes),
    ...freezeSids(nodes, arcIndex),
  });
}

function freezeNodes(nodes: readonly TedNode[]) {
  const siteNames = [...new Set(nodes.map((node) => node.site).filter((site) => site !== null))].sort(compare);
  const siteIndex = new Map(siteNames.map((name, index) => [name, index]));
  const domains = [...new Set(nodes.map((node) => node.igpDomain))];
  return {
    siteCount: siteNames.length,
    siteNames: packStrings(siteNames),
    nodeSite: signedIntegers(nodes.map((node) => (node.site === null ? -1 : (siteIndex.get(node.site) as number)))),
    nodeIds: packStrings(nodes.map((node) => node.id)),
    nodeFlags: bytes(
      nodes.map(
        (node) =>
          (node.kind === 'host' ? NodeFlag.Host : 0) |
          (node.operationalState === 'up' ? NodeFlag.Up : 0) |
          (node.adminState === 'drained' ? NodeFlag.Drained : 0) |
          (node.adminState === 'down' ? NodeFlag.Down : 0) |
          (node.encapMode === 'reduced' ? NodeFlag.ReducedEncap : 0),
      ),
    ),
    nodeDomain: integers(nodes.map((node) => domains.indexOf(node.igpDomain))),
    nodeMsd: signedIntegers(nodes.map((node) => node.msdHEncaps ?? -1)),
    nodeMsdSegmentsLeft: signedIntegers(nodes.map((node) => node.msdSegmentsLeft ?? -1)),
    nodeMsdEndPop: signedIntegers(nodes.map((node) => node.msdEndPop ?? -1)),
    nodeMsdEndD: signedIntegers(nodes.map((node) => node.msdEndD ?? -1)),
  };
}

function freezeTopology(
  nodeIndex: ReadonlyMap<string, number>,
  links: readonly TedLink[],
  arcIndex: ReadonlyMap<string, number>,
  frozenNodes: Pick<SnapshotData, 'nodeFlags' | 'nodeDomain'>,
) {
  const arcFrom = integers(links.map((link) => nodeIndex.get(link.from) as number));
  const arcTo = integers(links.map((link) => nodeIndex.get(link.to) as number));
  const arcReverse = signedIntegers(links.map((link) => arcIndex.get(link.reverseId) ?? -1));
  const ends = { ...frozenNodes, arcFrom, arcTo, arcReverse };
  const arcFlags = bytes(
    links.map(
      (link) =>
        (link.operationalState === 'up' ? ArcFlag.Up : 0) |
        (link.adminState === 'drained' ? ArcFlag.Drained : 0) |
        (link.adminState === 'down' ? ArcFlag.Down : 0),
    ),
  );
  for (const arc of arcFlags.keys()) arcFlags[arc] = withDerivedFlags(ends, arcFlags, arc);
  const inStart = rowStarts(nodeIndex.size, arcTo);
  const inArcs = integers(new Array<number>(links.length).fill(0));
  const next = Uint32Array.from(inStart);
  arcTo.forEach((node, arc) => (inArcs[(next[node] as number)++] = arc));
  return { arcFrom, arcTo, arcReverse, arcFlags, outStart: rowStarts(nodeIndex.size, arcFrom), inStart, inArcs };
}

function freezeAttributes(links: readonly TedLink[], affinityNames: readonly string[]) {
  return {
    linkIds: packStrings(links.map((link) => link.id)),
    igpMetric: reals(links.map((link) => link.igpMetric)),
    teMetric: reals(links.map((link) => link.teMetric ?? link.igpMetric)),
    delayUs: reals(links.map((link) => link.delayUs ?? Number.NaN)),
    delayVariationUs: reals(links.map((link) => link.delayVariationUs ?? Number.NaN)),
    lossPpm: reals(links.map((link) => link.lossPpm ?? Number.NaN)),
    reservableBps: reals(links.map((link) => link.reservableBandwidthBps ?? link.bandwidthBps ?? Number.NaN)),
    mtuBytes: reals(links.map((link) => link.mtuBytes ?? Number.NaN)),
    affinityCount: affinityNames.length,
    affinityNames: packStrings(affinityNames),
    affinityWords: Math.ceil(affinityNames.length / 32),
    affinities: affinitySets(
      affinityNames,
      links.map((link) => link.affinities),
    ),
    srlgStart: integers(startsOf(links.map((link) => link.srlgs))),
    srlgs: integers(links.flatMap((link) => [...link.srlgs])),
  };
}

/** Throws RangeError: shortest paths compare sums exactly. */
export function requireWhole(linkId: string, attribute: string, value: number | null): void {
  if (value !== null && !Number.isInteger(value)) {
    throw new RangeError(`${attribute} of link ${linkId} is ${value}; it has to be a whole number`);
  }
}

const WHOLE = ['igpMetric', 'teMetric', 'delayUs', 'delayMinUs', 'delayVariationUs'] as const;
const WHOLE_ADVERTISED = ['teMetric', 'delayMinUs'] as const;

function requireWholeNumbers(links: readonly TedLink[]): void {
  for (const link of links) {
    for (const attribute of WHOLE) requireWhole(link.id, attribute, link[attribute]);
    const { advertised } = link;
    if (advertised === null) continue;
    for (const attribute of WHOLE_ADVERTISED) requireWhole(link.id, `advertised.${attribute}`, advertised[attribute]);
  }
}

function freezeLocators(nodes: readonly TedNode[]) {
  const locators = nodes.flatMap((node, index) => node.locators.map((locator) => ({ index, locator })));
  return {
    locatorCount: locators.length,
    locatorPrefixes: packStrings(locators.map(({ locator }) => locator.prefix)),
    locatorNode: integers(locators.map(({ index }) => index)),
    locatorFlags: bytes(
      locators.map(
        ({ locator }) =>
          (locator.scope === 'igp' ? LocatorFlag.IgpScope : 0) | (locator.anycast ? LocatorFlag.Anycast : 0),
      ),
    ),
    locatorAlgorithm: bytes(locators.map(({ locator }) => locator.algorithm)),
    locatorMetric: reals(locators.map(({ locator }) => locator.metric)),
  };
}

function freezeSids(nodes: readonly TedNode[], arcIndex: ReadonlyMap<string, number>) {
  const sidStart = [0];
  const sids: { readonly node: number; readonly sid: Sid }[] = [];
  nodes.forEach((node, index) => {
    for (const sid of [...node.sids].sort((a, b) => compare(a.sid, b.sid))) sids.push({ node: index, sid });
    sidStart.push(sids.length);
  });
  return {
    sidCount: sids.length,
    sidStart: integers(sidStart),
    sidTexts: packStrings(sids.map(({ sid }) => sid.sid)),
    sidNode: integers(sids.map(({ node }) => node)),
    sidBehavior: bytes(sids.map(({ sid }) => BEHAVIORS.indexOf(sid.behavior))),
    sidOrigin: bytes(sids.map(({ sid }) => ORIGINS.indexOf(sid.origin))),
    sidProtected: bytes(sids.map(({ sid }) => (sid.protected ? 1 : 0))),
    sidFlavors: bytes(sids.map(({ sid }) => sid.flavors.reduce((flags, flavor) => flags | SidFlavorFlag[flavor], 0))),
    sidBlockBits: bytes(sids.map(({ sid }) => sid.structure?.blockBits ?? 0)),
    sidLocalBits: bytes(sids.map(({ sid }) => (sid.structure?.nodeBits ?? 0) + (sid.structure?.functionBits ?? 0))),
    sidArc: signedIntegers(sids.map(({ sid }) => (sid.linkId === null ? -1 : (arcIndex.get(sid.linkId) ?? -1)))),
  };
}

/** Code-unit order, the same on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function sortedById<T extends { readonly id: string }>(items: readonly T[]): readonly T[] {
  const inOrder = items.every((item, i) => i === 0 || (items[i - 1] as T).id < item.id);
  if (inOrder) return items;
  const sorted = [...items].sort((a, b) => compare(a.id, b.id));
  sorted.forEach((item, i) => {
    if (sorted[i + 1]?.id === item.id) throw new RangeError(`the id "${item.id}" occurs twice`);
  });
  return sorted;
}

function arcOrder(links: readonly TedLink[], nodeIndex: ReadonlyMap<string, number>): TedLink[] {
  return links
    .filter((link) => nodeIndex.has(link.from) && nodeIndex.has(link.to))
    .map((link) => ({ link, from: nodeIndex.get(link.from) as number }))
    .sort((a, b) => a.from - b.from || compare(a.link.id, b.link.id))
    .map(({ link }) => link);
}

function rowStarts(rows: number, rowOf: Uint32Array): Uint32Array<SharedArrayBuffer> {
  const starts = new Uint32Array(new SharedArrayBuffer(4 * (rows + 1)));
  for (const row of rowOf) starts[row + 1] = (starts[row + 1] as number) + 1;
  for (let row = 0; row < rows; row++) starts[row + 1] = (starts[row + 1] as number) + (starts[row] as number);
  return starts;
}
