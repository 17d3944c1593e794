import { MultiDirectedGraph } from 'graphology';
import { parsePrefix, prefixContains } from '../model/address.js';
import type { LinkId, Locator, NodeId, Ted, TedLink, TedNode } from '../model/ted.js';

export type FindingKind =
  | 'duplicate-node'
  | 'duplicate-link'
  | 'dangling-link'
  | 'self-loop'
  | 'host-to-host'
  | 'missing-reverse'
  | 'reverse-mismatch'
  | 'duplicate-sid'
  | 'adjacency-sid-mismatch'
  | 'sid-algorithm-mismatch'
  | 'algorithm-without-node'
  | 'nested-locators';

/** Something in a TED that no network can mean. */
export interface Finding {
  readonly kind: FindingKind;
  /** One sentence, naming ids. */
  readonly message: string;
  readonly node: NodeId | null;
  readonly link: LinkId | null;
}

export type TedGraph = MultiDirectedGraph<TedNode, TedLink>;

/**
 * The TED as a graphology graph (node key = node id, edge key = link id), for validation, export and any tool that
 * speaks graphology; path computation runs on the frozen snapshot instead. What does not fit a graph is left out and
 * listed, in the order of the TED.
 */
export function toGraph(ted: Ted): { readonly graph: TedGraph; readonly findings: readonly Finding[] } {
  const graph: TedGraph = new MultiDirectedGraph<TedNode, TedLink>();
  const findings: Finding[] = [];
  const aboutNode = (kind: FindingKind, node: NodeId, message: string) =>
    findings.push({ kind, message, node, link: null });
  const aboutLink = (kind: FindingKind, link: TedLink, message: string) =>
    findings.push({ kind, message, node: link.from, link: link.id });

  for (const node of ted.nodes) {
    if (graph.hasNode(node.id)) aboutNode('duplicate-node', node.id, `node ${node.id} occurs twice`);
    else graph.addNode(node.id, node);
  }
  for (const link of ted.links) {
    const unknown = [link.from, link.to].find((end) => !graph.hasNode(end));
    if (graph.hasEdge(link.id)) aboutLink('duplicate-link', link, `link ${link.id} occurs twice`);
    else if (unknown !== undefined) aboutLink('dangling-link', link, `link ${link.id} ends at unknown node ${unknown}`);
    else graph.addDirectedEdgeWithKey(link.id, link.from, link.to, link);
  }
  graph.forEachDirectedEdge((id, link, from, to, fromNode, toNode) => {
    if (from === to) aboutLink('self-loop', link, `link ${id} leads from ${from} to itself`);
    if (fromNode.kind === 'host' && toNode.kind === 'host') {
      aboutLink('host-to-host', link, `link ${id} joins two hosts; no router would use it`);
    }
    if (!graph.hasEdge(link.reverseId)) {
      aboutLink('missing-reverse', link, `link ${id} names ${link.reverseId} as its reverse, which does not exist`);
      return;
    }
    const reverse = graph.getEdgeAttributes(link.reverseId);
    if (reverse.from !== to || reverse.to !== from || reverse.reverseId !== id) {
      aboutLink('reverse-mismatch', link, `links ${id} and ${link.reverseId} are not each other's reverse`);
    }
  });
  const ownerOf = new Map<string, NodeId>();
  graph.forEachNode((id, node) => {
    for (const { prefix, algorithm } of node.locators) {
      if (algorithm === 0 || node.flexAlgorithms.some((entry) => entry.algorithm === algorithm)) continue;
      const what = `locator ${prefix} of ${id} is of algorithm ${algorithm}`;
      aboutNode('algorithm-without-node', id, `${what}, in which ${id} takes no part: nobody routes it`);
    }
    for (const { inner, outer } of nestedLocators(node)) {
      const what = `locator ${inner.prefix} of ${id} (algorithm ${inner.algorithm})`;
      const within = `${outer.prefix} (algorithm ${outer.algorithm})`;
      aboutNode('nested-locators', id, `${what} lies in its ${within}: routers outside go by that instead`);
    }
    for (const { sid, linkId, behavior, algorithm } of node.sids) {
      const other = ownerOf.get(sid);
      const locator = locatorOf(node, sid);
      if (other !== undefined && !(locator?.anycast && locatorOf(graph.getNodeAttributes(other), sid)?.anycast)) {
        aboutNode('duplicate-sid', id, `SID ${sid} is owned by ${other} and by ${id}`);
      }
      if (locator !== undefined && locator.algorithm !== algorithm) {
        const what = `SID ${sid} of ${id} says algorithm ${algorithm}`;
        aboutNode('sid-algorithm-mismatch', id, `${what}, and its locator ${locator.prefix} ${locator.algorithm}`);
      }
      ownerOf.set(sid, id);
      if (behavior !== 'End.X') continue;
      const leaves = linkId !== null && graph.hasEdge(linkId) && graph.source(linkId) === id;
      if (!leaves) aboutNode('adjacency-sid-mismatch', id, `SID ${sid} (End.X) of ${id} crosses no link of ${id}`);
    }
  });
  return { graph, findings };
}

/** The longest locator of the node that covers the SID. */
function locatorOf({ locators }: TedNode, sid: string): Locator | undefined {
  const address = parsePrefix(`${sid}/128`);
  return locators
    .filter(({ prefix }) => prefixContains(parsePrefix(prefix), address))
    .sort((a, b) => parsePrefix(b.prefix).length - parsePrefix(a.prefix).length)[0];
}

/** Locators of one node inside each other that differ in which routers have a route. */
function nestedLocators({ locators }: TedNode): { readonly inner: Locator; readonly outer: Locator }[] {
  return locators.flatMap((inner) => {
    const prefix = parsePrefix(inner.prefix);
    const around = locators.filter((outer) => {
      const wider = parsePrefix(outer.prefix);
      const isAlike = outer.algorithm === inner.algorithm && outer.scope === inner.scope;
      return !isAlike && wider.length < prefix.length && prefixContains(wider, prefix);
    });
    return around.map((outer) => ({ inner, outer }));
  });
}
