import type { Ted } from '@waymark/topology';
import { nodeDefaults, type TopologyDocument } from '@waymark/topology-formats';
import { linkAttributes, nodeAttributes } from './attributes.js';
import { setAttributes } from './diff-rows.js';
import type { LayeredTed, RowOrigin } from './layered-ted.js';
import type { Slices } from './slices.js';
import type { LinkAttributes, LinkRow, LocatorRow, NodeAttributes, NodeRow, SidRow, TedRows } from './ted-rows.js';

/** The rows that say what a file says: the discovered layer of its source, opened by `revision`. */
export function* documentRows(document: TopologyDocument, source: string, revision: number): Slices<TedRows> {
  const row = { layer: 'discovered', source, fromRevision: revision, toRevision: null } as const;
  const since = Object.freeze({});
  const rows = { nodes: [] as NodeRow[], links: [] as LinkRow[], locators: [] as LocatorRow[], sids: [] as SidRow[] };
  for (const node of document.nodes) {
    yield;
    rows.nodes.push({ ...row, id: node.id, attributes: setAttributes<NodeAttributes>(nodeAttributes, node), since });
    for (const locator of node.locators ?? []) {
      rows.locators.push({ ...row, node: node.id, locator: Object.freeze(locator) });
    }
    for (const sid of node.sids ?? []) rows.sids.push({ ...row, node: node.id, sid: Object.freeze(sid) });
  }
  for (const link of document.links) {
    yield;
    rows.links.push({ ...row, id: link.id, attributes: setAttributes<LinkAttributes>(linkAttributes, link), since });
  }
  return rows;
}

/** Lists that are sets: the order in which somebody wrote them makes no difference. */
export function sortedNames(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort();
}

export function sortedNumbers(numbers: readonly number[]): readonly number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** Is it what this source says in the discovered layer? */
export function isSaidBy(source: string): (row: RowOrigin) => boolean {
  return (row) => row.layer === 'discovered' && row.source === source;
}

/**
 * Everything known, for the SID plan: with the planned values that something better has replaced since (so that a
 * re-import plans them again, not others), and with what was said of nodes that are not in the TED.
 */
export function everythingKnown(layered: LayeredTed, ted: Ted): Ted {
  const { locators, sids } = layered.rowsWhere(() => true);
  const ids = new Set([...locators, ...sids].map((row) => row.node));
  const unseen = [...ids].filter((id) => layered.node(id) === undefined);
  const nodes = [...ted.nodes, ...unseen.map((id) => ({ ...nodeDefaults, id, kind: 'router', name: id }) as const)].map(
    (node) => ({
      ...node,
      locators: layered.locatorRowsOf(node.id).map((row) => row.locator),
      sids: layered.sidRowsOf(node.id).map((row) => row.sid),
    }),
  );
  return { ...ted, nodes };
}
