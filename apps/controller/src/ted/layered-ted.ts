import {
  withAdvertised,
  type AdvertisedAttributes,
  type LinkId,
  type NodeId,
  type Ted,
  type TedLink,
  type TedNode,
} from '@waymark/topology';
import { linkDefaults, nodeDefaults } from '@waymark/topology-formats';
import { linkAttributes, nodeAttributes } from './attributes.js';
import { effectiveLocators, effectiveSids } from './effective-sids.js';
import { layValues, rowInForce } from './effective-values.js';
import { atOnce, inSlices, type Slices } from './slices.js';
import {
  compareText,
  layerKey,
  locatorKey,
  noRows,
  sidKey,
  type LinkAttributes,
  type LinkRow,
  type LocatorRow,
  type NodeAttributes,
  type NodeRow,
  type SidRow,
  type TedRows,
} from './ted-rows.js';

/**
 * All open rows of one revision, and the effective TED they make. `replace` moves it to a later revision at the cost of
 * what changed; nodes and links that did not change stay the same objects from one TED to the next.
 *
 * A node is in the TED when a discovered layer gives its kind; a link when discovered layers give its ends and its
 * reverse, and these are there too, the reverse between the same nodes. Everything else said of an id waits until it is.
 */
export class LayeredTed {
  readonly #nodeRows = new Map<NodeId, readonly NodeRow[]>();
  readonly #linkRows = new Map<LinkId, readonly LinkRow[]>();
  readonly #locatorRows = new Map<NodeId, readonly LocatorRow[]>();
  readonly #sidRows = new Map<NodeId, readonly SidRow[]>();
  readonly #nodes = new Map<NodeId, TedNode>();
  readonly #links = new Map<LinkId, TedLink>();
  #sortedNodes: readonly NodeId[] = [];
  #sortedLinks: readonly LinkId[] = [];

  constructor(open: TedRows) {
    this.replace(noRows, open);
  }

  /** Takes rows out and puts rows in; `closed` may name rows that are not here. */
  replace(closed: TedRows, opened: TedRows): void {
    atOnce(this.#replace(closed, opened));
  }

  /** What `replace` would make of this one: another, made in slices between which others get their turn. */
  async replacedInSlices(closed: TedRows, opened: TedRows): Promise<LayeredTed> {
    const next = new LayeredTed(noRows);
    copyInto(next.#nodeRows, this.#nodeRows);
    copyInto(next.#linkRows, this.#linkRows);
    copyInto(next.#locatorRows, this.#locatorRows);
    copyInto(next.#sidRows, this.#sidRows);
    copyInto(next.#nodes, this.#nodes);
    copyInto(next.#links, this.#links);
    next.#sortedNodes = this.#sortedNodes;
    next.#sortedLinks = this.#sortedLinks;
    await inSlices(next.#replace(closed, opened));
    return next;
  }

  *#replace(closed: TedRows, opened: TedRows): Slices<void> {
    const nodes = new Set<NodeId>();
    const links = new Set<LinkId>();
    yield* exchange(this.#nodeRows, closed.nodes, opened.nodes, (row) => row.id, layerKey, nodes);
    yield* exchange(this.#linkRows, closed.links, opened.links, (row) => row.id, layerKey, links);
    yield* exchange(this.#locatorRows, closed.locators, opened.locators, (row) => row.node, locatorKey, nodes);
    yield* exchange(this.#sidRows, closed.sids, opened.sids, (row) => row.node, sidKey, nodes);
    yield* this.#evaluate(nodes, links);
  }

  /** Frozen, down to the lists within. Sorted by id. */
  ted(revision: number): Ted {
    const nodes = this.#sortedNodes.map((id) => this.#nodes.get(id)).filter((node) => node !== undefined);
    const links = this.#sortedLinks.map((id) => this.#links.get(id)).filter((link) => link !== undefined);
    return Object.freeze({ revision, nodes: Object.freeze(nodes), links: Object.freeze(links) });
  }

  node(id: NodeId): TedNode | undefined {
    return this.#nodes.get(id);
  }

  link(id: LinkId): TedLink | undefined {
    return this.#links.get(id);
  }

  nodeRowsOf(id: NodeId): readonly NodeRow[] {
    return this.#nodeRows.get(id) ?? [];
  }

  linkRowsOf(id: LinkId): readonly LinkRow[] {
    return this.#linkRows.get(id) ?? [];
  }

  locatorRowsOf(id: NodeId): readonly LocatorRow[] {
    return this.#locatorRows.get(id) ?? [];
  }

  sidRowsOf(id: NodeId): readonly SidRow[] {
    return this.#sidRows.get(id) ?? [];
  }

  /** Open rows, in no particular order. */
  rowsWhere(matches: (row: RowOrigin) => boolean): TedRows {
    return {
      nodes: collect(this.#nodeRows, matches),
      links: collect(this.#linkRows, matches),
      locators: collect(this.#locatorRows, matches),
      sids: collect(this.#sidRows, matches),
    };
  }

  /** The rows of links or of nodes alone; those of SIDs and locators are many. */
  entityRowsWhere(kind: 'links' | 'nodes', matches: (row: RowOrigin) => boolean): readonly (LinkRow | NodeRow)[] {
    return kind === 'links' ? collect(this.#linkRows, matches) : collect(this.#nodeRows, matches);
  }

  /** What the TED would be without operators and measurements. */
  discoveredOnly(): LayeredTed {
    return new LayeredTed(this.rowsWhere((row) => row.layer === 'discovered'));
  }

  /** SIDs in force of a node, but those of links that are not there, or not its own. */
  sidsInForce(id: NodeId): readonly SidRow[] {
    return effectiveSids(this.sidRowsOf(id)).filter(
      ({ sid }) => sid.linkId === null || this.#links.get(sid.linkId)?.from === id,
    );
  }

  *#evaluate(touchedNodes: Set<NodeId>, touchedLinks: Set<LinkId>): Slices<void> {
    const appeared = yield* this.#evaluateExistence(touchedNodes, touchedLinks);
    for (const id of touchedLinks) {
      yield;
      if (this.#links.has(id)) this.#links.set(id, this.#effectiveLink(id));
    }
    for (const id of touchedNodes) {
      yield;
      if (this.#nodes.has(id)) this.#nodes.set(id, this.#effectiveNode(id));
    }
    if (appeared.nodes) this.#sortedNodes = [...this.#nodes.keys()].sort(compareText);
    if (appeared.links) this.#sortedLinks = [...this.#links.keys()].sort(compareText);
  }

  /**
   * Existence follows from other entities, so it is found anew for all. Nodes that came are added to what is touched;
   * links that came have their values already.
   */
  *#evaluateExistence(
    touchedNodes: Set<NodeId>,
    touchedLinks: Set<LinkId>,
  ): Slices<{ readonly nodes: boolean; readonly links: boolean }> {
    const changed = { nodes: false, links: false };
    for (const id of touchedNodes) {
      const exists = rowInForce(this.nodeRowsOf(id), 'kind', 'routers') !== undefined;
      if (exists === this.#nodes.has(id)) continue;
      changed.nodes = true;
      if (exists) this.#nodes.set(id, { ...nodeDefaults, id, kind: 'router', name: id });
      else this.#nodes.delete(id);
    }
    const candidates = this.#withReverses(touchedLinks);
    if (changed.nodes) for (const id of this.#linkRows.keys()) candidates.add(id);
    const wellDefined = new Map<LinkId, Ends | undefined>();
    const endsOf = (id: LinkId): Ends | undefined => {
      if (!wellDefined.has(id)) wellDefined.set(id, this.#endsOf(id));
      return wellDefined.get(id);
    };
    for (const id of candidates) {
      yield;
      const ends = endsOf(id);
      const now = ends !== undefined && isReverse(id, ends, endsOf(ends.reverseId)) ? ends : undefined;
      const before = this.#links.get(id);
      // The SID for an adjacency comes and goes with it.
      if (now?.from !== before?.from) for (const owner of [now?.from, before?.from]) if (owner) touchedNodes.add(owner);
      if ((now === undefined) === (before === undefined)) continue;
      changed.links = true;
      touchedLinks.delete(id);
      if (now === undefined) this.#links.delete(id);
      else this.#links.set(id, this.#effectiveLink(id));
    }
    return changed;
  }

  /** The touched links, what they now call their reverse, and what did so before. */
  #withReverses(links: ReadonlySet<LinkId>): Set<LinkId> {
    const all = new Set(links);
    for (const id of links) {
      const before = this.#links.get(id)?.reverseId;
      const now = rowInForce(this.linkRowsOf(id), 'reverseId', 'routers')?.attributes.reverseId;
      if (before !== undefined) all.add(before);
      if (now !== undefined) all.add(now);
    }
    return all;
  }

  #endsOf(id: LinkId): Ends | undefined {
    const rows = this.linkRowsOf(id);
    const from = rowInForce(rows, 'from', 'routers')?.attributes.from;
    const to = rowInForce(rows, 'to', 'routers')?.attributes.to;
    const reverseId = rowInForce(rows, 'reverseId', 'routers')?.attributes.reverseId;
    if (from === undefined || to === undefined || reverseId === undefined) return undefined;
    return this.#nodes.has(from) && this.#nodes.has(to) ? { from, to, reverseId } : undefined;
  }

  #effectiveNode(id: NodeId): TedNode {
    const node = {
      ...{ id, kind: 'router' as const, name: id, ...nodeDefaults },
      locators: effectiveLocators(this.locatorRowsOf(id)).map((row) => row.locator),
      sids: this.sidsInForce(id).map((row) => row.sid),
    };
    return freeze(layValues<NodeAttributes, TedNode>(nodeAttributes, this.nodeRowsOf(id), node));
  }

  #effectiveLink(id: LinkId): TedLink {
    const link = { id, from: '', to: '', reverseId: '', ...linkDefaults };
    const rows = this.linkRowsOf(id);
    const effective = layValues<LinkAttributes, TedLink>(linkAttributes, rows, link);
    return freeze(withAdvertised(effective, advertisedBy(rows)));
  }
}

/** Whose row it is. */
export type RowOrigin = Pick<NodeRow, 'layer' | 'source'>;

interface Ends {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly reverseId: LinkId;
}

/** What routers use for flexible algorithms, which no operator and no measurement can change. */
function advertisedBy(rows: readonly LinkRow[]): AdvertisedAttributes {
  const said = <Name extends keyof AdvertisedAttributes>(name: Name) =>
    rowInForce(rows, name, 'routers')?.attributes[name];
  return {
    teMetric: said('teMetric') ?? linkDefaults.teMetric,
    delayMinUs: said('delayMinUs') ?? linkDefaults.delayMinUs,
    affinities: said('affinities') ?? linkDefaults.affinities,
    srlgs: said('srlgs') ?? linkDefaults.srlgs,
  };
}

function isReverse(id: LinkId, { from, to }: Ends, reverse: Ends | undefined): boolean {
  return reverse?.reverseId === id && reverse.from === to && reverse.to === from;
}

function collect<Row extends RowOrigin>(
  rows: ReadonlyMap<string, readonly Row[]>,
  matches: (row: RowOrigin) => boolean,
): readonly Row[] {
  const found: Row[] = [];
  for (const ofEntity of rows.values()) for (const row of ofEntity) if (matches(row)) found.push(row);
  return found;
}

function* exchange<Row>(
  rows: Map<string, readonly Row[]>,
  closed: readonly Row[],
  opened: readonly Row[],
  entity: (row: Row) => string,
  key: (row: Row) => string,
  touched: Set<string>,
): Slices<void> {
  for (const row of closed) {
    yield;
    const kept = (rows.get(entity(row)) ?? []).filter((other) => key(other) !== key(row));
    if (kept.length > 0) rows.set(entity(row), kept);
    else rows.delete(entity(row));
    touched.add(entity(row));
  }
  for (const row of opened) {
    yield;
    const others = rows.get(entity(row));
    rows.set(entity(row), others === undefined ? [row] : [...others, row]);
    touched.add(entity(row));
  }
}

function copyInto<Key, Value>(target: Map<Key, Value>, source: ReadonlyMap<Key, Value>): void {
  for (const [key, value] of source) target.set(key, value);
}

function freeze<Entity extends TedNode | TedLink>(entity: Entity): Entity {
  for (const value of Object.values(entity) as unknown[]) if (Array.isArray(value)) Object.freeze(value);
  return Object.freeze(entity);
}
