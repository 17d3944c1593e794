import {
  canBeSid,
  hostPrefix,
  parsePrefix,
  prefixContains,
  type Locator,
  type Prefix,
  type Sid,
} from '@waymark/topology';
import type { DocumentLink, DocumentNode } from '../topology-document.js';
import { isServiceBehavior } from './fields.js';
import type { Placed, PlacedNode, SidPlace } from './placed.js';
import type { ProblemList } from './problem-list.js';

interface PlacedDocument {
  readonly nodes: readonly PlacedNode[];
  readonly links: readonly Placed<DocumentLink>[];
  /** False: an entry of `nodes` has no readable id, so a link to an unknown node may be that entry's fault. */
  readonly allNodesRead: boolean;
}

/** Reports what is wrong between the parts of a file whose fields are right on their own. */
export function checkDocument(document: PlacedDocument, problems: ProblemList): void {
  const nodes = indexById(document.nodes, 'node', problems);
  const links = indexById(document.links, 'link', problems);
  for (const link of document.links) {
    checkEndpoints(link, nodes, links, document.allNodesRead, problems);
    checkReverse(link, links, problems);
    if (link.sound) checkDelays(link, problems);
  }
  checkAffinityCount(document.links, problems);

  const claims = new Claims(problems);
  for (const node of document.nodes) {
    if (!node.sound) continue;
    checkFlexAlgorithms(node, problems);
    for (const [i, locator] of (node.value.locators ?? []).entries()) {
      checkLocator(locator, `${node.pointer}/locators/${i}`, problems);
    }
    for (const [i, sid] of (node.value.sids ?? []).entries()) {
      const place = node.sidPlaces[i];
      if (place) checkSid(sid, place, `${node.pointer}/sids/${i}`, node.value, links, problems);
    }
    claims.take(node);
  }
  for (const link of document.links) claims.takeInterfaces(link);
  checkLocatorOverlap(document.nodes, problems);
}

function indexById<T extends { readonly id: string }>(
  entries: readonly Placed<T>[],
  what: string,
  problems: ProblemList,
): ReadonlyMap<string, Placed<T>> {
  const index = new Map<string, Placed<T>>();
  for (const entry of entries) {
    const { id } = entry.value;
    if (index.has(id)) problems.report(entry.pointer, `there is more than one ${what} with the id ${id}`);
    else index.set(id, entry);
  }
  return index;
}

function checkEndpoints(
  { value: { id, from, to, reverseId }, pointer }: Placed<DocumentLink>,
  nodes: ReadonlyMap<string, Placed<DocumentNode>>,
  links: ReadonlyMap<string, Placed<DocumentLink>>,
  allNodesRead: boolean,
  problems: ProblemList,
): void {
  for (const end of links.has(reverseId) ? [from] : [from, to]) {
    if (allNodesRead && !nodes.has(end)) problems.report(pointer, `link ${id}: there is no node ${end}`);
  }
  if (from === to) problems.report(pointer, `link ${id} leads from ${from} to itself`);
  else if (nodes.get(from)?.value.kind === 'host' && nodes.get(to)?.value.kind === 'host' && from < to) {
    problems.report(pointer, `link ${id} joins two hosts; a host attaches to routers only`);
  }
}

function checkReverse(
  { value: { id, from, to, reverseId }, pointer }: Placed<DocumentLink>,
  links: ReadonlyMap<string, Placed<DocumentLink>>,
  problems: ProblemList,
): void {
  const reverse = links.get(reverseId)?.value;
  if (reverse === undefined) {
    problems.report(pointer, `link ${id}: there is no link ${reverseId} that could be its reverse direction`);
  } else if (reverse.from !== to || reverse.to !== from) {
    problems.report(pointer, `link ${id}: its reverse ${reverseId} does not lead from ${to} to ${from}`);
  } else if (reverse.reverseId !== id) {
    problems.report(pointer, `link ${id}: its reverse ${reverseId} names ${reverse.reverseId} as its own reverse`);
  }
}

function checkDelays({ value, pointer }: Placed<DocumentLink>, problems: ProblemList): void {
  const { id, delayUs, delayMinUs, delayMaxUs } = value;
  const known = [delayMinUs, delayUs, delayMaxUs].filter((delay) => delay !== undefined && delay !== null);
  if (known.some((delay, i) => i > 0 && delay < (known[i - 1] ?? 0))) {
    problems.report(pointer, `link ${id}: expected delayMinUs <= delayUs <= delayMaxUs`);
  }
}

/** An extended admin group has 256 bits in Waymark, and each name takes one. */
function checkAffinityCount(links: readonly Placed<DocumentLink>[], problems: ProblemList): void {
  const names = new Set(links.flatMap(({ value }) => value.affinities ?? []));
  if (names.size > 256) problems.report('/links', `at most 256 different affinities, not ${names.size}`);
}

function checkFlexAlgorithms({ value: { id, kind, flexAlgorithms = [] }, pointer }: PlacedNode, problems: ProblemList) {
  const at = `${pointer}/flexAlgorithms`;
  const twice = flexAlgorithms.find(({ algorithm }, i) => algorithm === flexAlgorithms[i - 1]?.algorithm);
  if (twice !== undefined) problems.report(at, `${id}: algorithm ${twice.algorithm} is given twice`);
  const defined = kind === 'host' ? flexAlgorithms.find(({ definition }) => definition !== null) : undefined;
  if (defined !== undefined) {
    problems.report(at, `${id}: a host takes part in algorithm ${defined.algorithm}, but only routers define it`);
  }
}

function checkLocator({ prefix, structure }: Locator, pointer: string, problems: ProblemList): void {
  const { blockBits, nodeBits, functionBits, argumentBits } = structure;
  const length = parsePrefix(prefix).length;
  if (blockBits + nodeBits !== length) {
    problems.report(pointer, `${prefix}: block and node are ${blockBits + nodeBits} bits, the prefix has ${length}`);
  }
  if (length + functionBits + argumentBits > 128) {
    problems.report(pointer, `${prefix}: locator, function and argument are more than 128 bits`);
  }
}

function checkSid(
  sid: Sid,
  { locator }: SidPlace,
  pointer: string,
  node: DocumentNode,
  links: ReadonlyMap<string, Placed<DocumentLink>>,
  problems: ProblemList,
): void {
  const report = (message: string): void => problems.report(pointer, `SID ${sid.sid} of ${node.id}: ${message}`);
  const isService = isServiceBehavior(sid.behavior);
  if (!canBeSid(sid.sid)) {
    report('an unspecified, loopback, link-local, multicast or IPv4 address is no SID');
  }
  if (node.kind === 'host' && !isService) {
    report(`a host is never transit, so it owns only service SIDs (End.DT4, End.DT6, End.DT46), not ${sid.behavior}`);
  }
  if (isService && sid.flavors.length > 0) report(`${sid.behavior} has no flavors`);
  if (sid.structure !== null) {
    const { blockBits, nodeBits, functionBits, argumentBits } = sid.structure;
    if (blockBits + nodeBits + functionBits + argumentBits > 128) report('its structure has more than 128 bits');
  }
  if (node.kind === 'router') {
    if (locator === undefined) {
      report('no locator of this router covers it, so no other router has a route to it; declare the locator');
    } else if (locator.algorithm !== sid.algorithm) {
      report(`algorithm ${sid.algorithm}, but its locator ${locator.prefix} has ${locator.algorithm}`);
    }
  }
  checkSidLink(sid, node, links, report);
}

function checkSidLink(
  { behavior, linkId }: Sid,
  node: DocumentNode,
  links: ReadonlyMap<string, Placed<DocumentLink>>,
  report: (message: string) => void,
): void {
  if (behavior !== 'End.X') {
    if (linkId !== null) report(`linkId belongs to End.X, not to ${behavior}`);
    return;
  }
  if (linkId === null) {
    report('End.X needs the linkId it sends to');
    return;
  }
  const link = links.get(linkId)?.value;
  if (link === undefined) report(`there is no link ${linkId}`);
  else if (link.from !== node.id) report(`link ${linkId} leaves ${link.from}, not ${node.id}`);
}

const linkLocal = ['fe80::/10', '169.254.0.0/16'].map((text) => parsePrefix(text));

/** What belongs to one node only: SIDs (anycast ones apart), pod prefixes, and addresses of nodes and interfaces. */
class Claims {
  readonly #problems: ProblemList;
  readonly #owners = new Map<string, string>();

  constructor(problems: ProblemList) {
    this.#problems = problems;
  }

  take({ value: node, pointer, sidPlaces }: PlacedNode): void {
    for (const [i, sid] of (node.sids ?? []).entries()) {
      const anycast = sidPlaces[i]?.locator?.anycast === true;
      this.#claim(anycast ? `${sid.sid} of ${node.id}` : sid.sid, `SID ${sid.sid}`, node.id, `${pointer}/sids/${i}`);
    }
    for (const prefix of node.podPrefixes ?? []) {
      this.#claim(prefix, `pod prefix ${prefix}`, node.id, `${pointer}/podPrefixes`);
    }
    if (node.address !== undefined && node.address !== null) {
      this.#claim(`node ${node.address}`, `address ${node.address}`, node.id, `${pointer}/address`);
    }
  }

  /** Several links may leave by one interface, and one without addresses of its own lends that of its node. */
  takeInterfaces({ value: { id, from, interfaceAddresses }, pointer }: Placed<DocumentLink>): void {
    for (const address of interfaceAddresses ?? []) {
      const other = this.#owners.get(`node ${address}`) ?? from;
      if (linkLocal.some((prefix) => prefixContains(prefix, hostPrefix(address)))) continue;
      this.#owners.set(`node ${address}`, other);
      if (other === from) continue;
      this.#problems.report(
        pointer,
        `link ${id}: interface address ${address} of ${from} is already given to ${other}`,
      );
    }
  }

  #claim(key: string, what: string, owner: string, pointer: string): void {
    const other = this.#owners.get(key);
    if (other === undefined) this.#owners.set(key, owner);
    else this.#problems.report(pointer, `${what} of ${owner} is already given to ${other}`);
  }
}

/** Two nodes share a locator only when both say anycast; one locator within another leaves it open whose SIDs are meant. */
function checkLocatorOverlap(nodes: readonly Placed<DocumentNode>[], problems: ProblemList): void {
  const all = nodes
    .filter(({ sound }) => sound)
    .flatMap(({ value: { id, locators = [] }, pointer }) =>
      locators.map((locator, i) => ({
        id,
        locator,
        pointer: `${pointer}/locators/${i}`,
        range: parsePrefix(locator.prefix),
      })),
    )
    .sort((a, b) => compareNetworks(a.range, b.range));
  // In this order a prefix is followed by all that lie within it: the chain of those still open is the stack.
  const open: typeof all = [];
  for (const entry of all) {
    for (let last = open.at(-1); last && !prefixContains(last.range, entry.range); last = open.at(-1)) open.pop();
    const outer = open.at(-1);
    const sameAnycast =
      outer?.locator.prefix === entry.locator.prefix && outer.locator.anycast && entry.locator.anycast;
    if (outer && (outer.id === entry.id ? outer.locator.prefix === entry.locator.prefix : !sameAnycast)) {
      problems.report(
        entry.pointer,
        `locator ${entry.locator.prefix} of ${entry.id} overlaps ${outer.locator.prefix} of ${outer.id}`,
      );
    }
    open.push(entry);
  }
}

function compareNetworks(a: Prefix, b: Prefix): number {
  if (a.network !== b.network) return a.network < b.network ? -1 : 1;
  return a.length - b.length;
}
