import type { LinkId, NodeId, TedLink, TedNode } from '@waymark/topology';
import type { LinkConstraintFilter, LinkFilter, NodeFilter } from '../model/filters.js';
import type { Page, PageRequest } from '../model/ports.js';
import type { Layer, LayerView, LinkConstraints, LinkView, NodeView, OperatorSettings } from '../model/topology.js';
import { linkAttributes, nodeAttributes } from './attributes.js';
import { effectiveLocators, listProvenance } from './effective-sids.js';
import { provenanceOf } from './effective-values.js';
import type { LayeredTed } from './layered-ted.js';
import { compareText, type LayerRow, type LocatorRow, type SidRow } from './ted-rows.js';

/** A node as an operator sees it: effective values, where each is from, and what every layer says. */
export function nodeView(layered: LayeredTed, id: NodeId): NodeView | undefined {
  const effective = layered.node(id);
  if (effective === undefined) return undefined;
  const rows = layered.nodeRowsOf(id);
  const locators = listProvenance(effectiveLocators(layered.locatorRowsOf(id)));
  const sids = listProvenance(layered.sidsInForce(id));
  return {
    effective,
    provenance: {
      ...provenanceOf(nodeAttributes, rows),
      ...(locators && { locators }),
      ...(sids && { sids }),
    },
    layers: nodeLayers(rows, layered.locatorRowsOf(id), layered.sidRowsOf(id)),
  };
}

export function linkView(layered: LayeredTed, id: LinkId): LinkView | undefined {
  const effective = layered.link(id);
  if (effective === undefined) return undefined;
  const rows = layered.linkRowsOf(id);
  return { effective, provenance: provenanceOf(linkAttributes, rows), layers: rows.map(layerView).sort(byLayer) };
}

const layerOrder: readonly Layer[] = ['discovered', 'measured', 'operator'];

function byLayer(a: LayerView<unknown>, b: LayerView<unknown>): number {
  return layerOrder.indexOf(a.layer) - layerOrder.indexOf(b.layer) || compareText(a.source, b.source);
}

function layerView<Attributes>(row: LayerRow<Attributes>): LayerView<Attributes> {
  const { layer, source, fromRevision, attributes } = row;
  return { layer, source, revision: fromRevision, attributes: attributes };
}

/** A source may speak of a node's SIDs or locators alone; that is a layer of the node too. */
function nodeLayers(
  rows: readonly LayerRow<Omit<TedNode, 'id' | 'locators' | 'sids'>>[],
  locators: readonly LocatorRow[],
  sids: readonly SidRow[],
): readonly LayerView<TedNode>[] {
  const speakers = new Map<string, LayerView<TedNode>>();
  for (const row of [...rows, ...locators, ...sids]) {
    const key = `${row.layer} ${row.source}`;
    const before = speakers.get(key);
    const own = <Item extends LocatorRow | SidRow>(items: readonly Item[]): readonly Item[] =>
      items.filter((item) => item.layer === row.layer && item.source === row.source);
    const ownLocators = own(locators).map((item) => item.locator);
    const ownSids = own(sids).map((item) => item.sid);
    speakers.set(key, {
      layer: row.layer,
      source: row.source,
      revision: Math.max(before?.revision ?? 0, row.fromRevision),
      attributes: {
        ...before?.attributes,
        ...('attributes' in row ? row.attributes : {}),
        ...(ownLocators.length > 0 && { locators: ownLocators }),
        ...(ownSids.length > 0 && { sids: ownSids }),
      },
    });
  }
  return [...speakers.values()].sort(byLayer);
}

export function matchesNode(node: TedNode, filter: NodeFilter): boolean {
  return (
    (filter.kind === undefined || node.kind === filter.kind) &&
    (filter.site === undefined || node.site === filter.site) &&
    (filter.adminState === undefined || node.adminState === filter.adminState) &&
    (filter.operationalState === undefined || node.operationalState === filter.operationalState)
  );
}

export function matchesLink(link: TedLink, filter: LinkFilter): boolean {
  return (
    (filter.node === undefined || link.from === filter.node || link.to === filter.node) &&
    (filter.from === undefined || link.from === filter.from) &&
    (filter.to === undefined || link.to === filter.to) &&
    (filter.affinity === undefined || link.affinities.includes(filter.affinity)) &&
    (filter.srlg === undefined || link.srlgs.includes(filter.srlg)) &&
    (filter.adminState === undefined || link.adminState === filter.adminState) &&
    (filter.operationalState === undefined || link.operationalState === filter.operationalState)
  );
}

/** `link` is undefined when no source knows the link any more: then it has no ends to filter by. */
export function matchesConstraints(
  { constraints }: OperatorSettings<LinkConstraints>,
  link: TedLink | undefined,
  { node, from, to, adminState, sets }: LinkConstraintFilter,
): boolean {
  return (
    (node === undefined || link?.from === node || link?.to === node) &&
    (from === undefined || link?.from === from) &&
    (to === undefined || link?.to === to) &&
    (adminState === undefined || constraints.adminState === adminState) &&
    (sets === undefined || constraints[sets] !== undefined)
  );
}

/** One page of items that are sorted by id. */
export function pageOf<Item extends { readonly id: string }>(
  items: readonly Item[],
  matches: (item: Item) => boolean,
  { limit, after }: PageRequest,
): Page<Item> {
  const found: Item[] = [];
  for (let index = after === undefined ? 0 : firstAfter(items, after); index < items.length; index++) {
    const item = items[index];
    if (item === undefined || !matches(item)) continue;
    if (found.length === limit) return { items: found, next: found.at(-1)?.id ?? null };
    found.push(item);
  }
  return { items: found, next: null };
}

function firstAfter(items: readonly { readonly id: string }[], after: string): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((items[middle]?.id ?? '') <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}
