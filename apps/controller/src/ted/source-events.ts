import { canonicalIpv6, type LinkId, type NodeId, type Sid } from '@waymark/topology';
import { Problem, type ProblemCode } from '../model/errors.js';
import type { SourceBatch, SourceEvent } from '../model/topology.js';
import { linkAttributes, nodeAttributes } from './attributes.js';
import { isSignificant, measuredNames } from './dead-band.js';
import { diffRows, setAttributes } from './diff-rows.js';
import { isSaidBy } from './document-rows.js';
import { mistakesInEvents } from './event-mistakes.js';
import type { LayeredTed } from './layered-ted.js';
import {
  noRows,
  type LayerRow,
  type LinkAttributes,
  type LinkRow,
  type NodeAttributes,
  type NodeRow,
  type SetAttributes,
  type SidRow,
  type TedChange,
} from './ted-rows.js';

export interface EventPlan {
  readonly change: TedChange;
  /** Operational state of every link and node that the batch gives one. */
  readonly linkStates: ReadonlyMap<LinkId, 'up' | 'down'>;
  readonly nodeStates: ReadonlyMap<NodeId, 'up' | 'down'>;
}

/**
 * What a batch of a source changes in the rows of that source. Later events of the batch go over earlier ones. Throws
 * `request-invalid`, `link-unknown`, `node-unknown` or `sid-conflict`, naming the event; `skipUnknown` leaves out events on what is not in
 * the topology (any more).
 */
export function planEvents(
  layered: LayeredTed,
  source: string,
  batch: SourceBatch,
  revision: number,
  skipUnknown = false,
): EventPlan {
  const events = skipUnknown ? batch.events.filter((event) => isKnown(layered, event)) : batch.events;
  if (!skipUnknown) {
    refuseMistakes(events);
    refuseUnknown(layered, events);
  }
  refuseForeignSids(layered, events);

  const row = { source, fromRevision: revision, toRevision: null } as const;
  const discoveredLinks = new Draft<LinkAttributes>({ ...row, layer: 'discovered' }, (id) => layered.linkRowsOf(id));
  const measuredLinks = new Draft<LinkAttributes>({ ...row, layer: 'measured' }, (id) => layered.linkRowsOf(id));
  const discoveredNodes = new Draft<NodeAttributes>({ ...row, layer: 'discovered' }, (id) => layered.nodeRowsOf(id));
  const serviceSids = new Map<NodeId, readonly Sid[]>();
  const linkStates = new Map<LinkId, 'up' | 'down'>();
  const nodeStates = new Map<NodeId, 'up' | 'down'>();
  const named = { links: new Set<LinkId>(), nodes: new Set<NodeId>() };

  for (const event of events) {
    if ('link' in event) named.links.add(event.link);
    else named.nodes.add(event.node);
    switch (event.kind) {
      case 'link-state':
        linkStates.set(event.link, event.state);
        break;
      case 'node-state':
        nodeStates.set(event.node, event.state);
        break;
      case 'link-igp-metric':
        discoveredLinks.set(event.link, { igpMetric: event.igpMetric });
        break;
      case 'link-measurement':
        if (isSignificant(measuredLinks.get(event.link), event)) {
          measuredLinks.set(event.link, Object.fromEntries(measuredNames.map((name) => [name, event[name]])));
        }
        break;
      case 'service-sids':
        serviceSids.set(event.node, event.sids.map(serviceSid));
        break;
    }
  }
  if (batch.full) addUnnamed(layered, source, named, linkStates, nodeStates);
  for (const [link, operationalState] of linkStates) discoveredLinks.set(link, { operationalState });
  for (const [node, operationalState] of nodeStates) discoveredNodes.set(node, { operationalState });

  const sids = serviceSidRows(layered, source, serviceSids, revision);
  const change = diffRows(
    {
      ...noRows,
      nodes: discoveredNodes.before(),
      links: [...discoveredLinks.before(), ...measuredLinks.before()],
      sids: sids.before,
    },
    {
      ...noRows,
      nodes: discoveredNodes.after(nodeAttributes),
      links: [...discoveredLinks.after(linkAttributes), ...measuredLinks.after(linkAttributes)],
      sids: sids.after,
    },
  );
  return { change, linkStates, nodeStates };
}

/** One sentence for the change log and for the cause of what it moves. */
export function describeEvents(source: string, events: readonly SourceEvent[]): string {
  const shown = events.slice(0, 3).map(describeEvent);
  const rest = events.length - shown.length;
  return `${source}: ${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function describeEvent(event: SourceEvent): string {
  switch (event.kind) {
    case 'link-state':
      return `link ${event.link} ${event.state}`;
    case 'node-state':
      return `node ${event.node} ${event.state}`;
    case 'link-igp-metric':
      return `link ${event.link} IGP metric ${event.igpMetric}`;
    case 'link-measurement':
      return `link ${event.link} measured`;
    case 'service-sids':
      return `service SIDs of ${event.node}`;
  }
}

type RowIdentity = Pick<LinkRow, 'layer' | 'source' | 'fromRevision' | 'toRevision'>;

/** The attributes of the rows that a batch touches, as they become. */
class Draft<Attributes extends object> {
  readonly #identity: RowIdentity;
  readonly #rowsOf: (id: string) => readonly LayerRow<Attributes>[];
  readonly #attributes = new Map<
    string,
    { readonly [Name in keyof Attributes]?: Attributes[Name] | null | undefined }
  >();
  readonly #before: LayerRow<Attributes>[] = [];

  constructor(identity: RowIdentity, rowsOf: (id: string) => readonly LayerRow<Attributes>[]) {
    this.#identity = identity;
    this.#rowsOf = rowsOf;
  }

  get(id: string): SetAttributes<Attributes> {
    return (this.#attributes.get(id) ?? this.#open(id)?.attributes ?? {}) as SetAttributes<Attributes>;
  }

  set(id: string, values: { readonly [Name in keyof Attributes]?: Attributes[Name] | null | undefined }): void {
    if (!this.#attributes.has(id)) {
      const row = this.#open(id);
      if (row !== undefined) this.#before.push(row);
    }
    const given = Object.entries(values).filter(([, value]) => value !== undefined);
    this.#attributes.set(id, { ...this.get(id), ...Object.fromEntries(given) });
  }

  before(): readonly LayerRow<Attributes>[] {
    return this.#before;
  }

  after(table: Readonly<Record<keyof Attributes, unknown>>): readonly LayerRow<Attributes>[] {
    return [...this.#attributes]
      .map(([id, values]) => ({
        id,
        ...this.#identity,
        attributes: setAttributes<Attributes>(table, values),
        since: {},
      }))
      .filter((row) => Object.keys(row.attributes).length > 0);
  }

  #open(id: string): LayerRow<Attributes> | undefined {
    const { layer, source } = this.#identity;
    return this.#rowsOf(id).find((row) => row.layer === layer && row.source === source);
  }
}

/** A full batch: what this source has called up before and does not name is down for it. */
function addUnnamed(
  layered: LayeredTed,
  source: string,
  named: { readonly links: ReadonlySet<LinkId>; readonly nodes: ReadonlySet<NodeId> },
  linkStates: Map<LinkId, 'up' | 'down'>,
  nodeStates: Map<NodeId, 'up' | 'down'>,
): void {
  const { links, nodes } = layered.rowsWhere(isSaidBy(source));
  const wasUp = (row: LinkRow | NodeRow): boolean => row.attributes.operationalState === 'up';
  for (const row of links) if (wasUp(row) && !named.links.has(row.id)) linkStates.set(row.id, 'down');
  for (const row of nodes) if (wasUp(row) && !named.nodes.has(row.id)) nodeStates.set(row.id, 'down');
}

function serviceSid({ sid, behavior }: { readonly sid: string; readonly behavior: Sid['behavior'] }): Sid {
  return {
    sid: canonicalIpv6(sid),
    behavior,
    flavors: [],
    algorithm: 0,
    protected: false,
    linkId: null,
    structure: null,
    origin: 'discovered',
  };
}

function serviceSidRows(
  layered: LayeredTed,
  source: string,
  sidsOf: ReadonlyMap<NodeId, readonly Sid[]>,
  revision: number,
): { readonly before: readonly SidRow[]; readonly after: readonly SidRow[] } {
  const row = { layer: 'discovered', source, fromRevision: revision, toRevision: null } as const;
  const before: SidRow[] = [];
  const after: SidRow[] = [];
  for (const [node, sids] of sidsOf) {
    before.push(
      ...layered
        .sidRowsOf(node)
        .filter((old) => old.layer === 'discovered' && old.source === source && old.sid.behavior.startsWith('End.DT')),
    );
    const distinct = new Map(sids.map((sid) => [sid.sid, sid]));
    after.push(...[...distinct.values()].map((sid) => ({ ...row, node, sid })));
  }
  return { before, after };
}

function isKnown(layered: LayeredTed, event: SourceEvent): boolean {
  return 'link' in event ? layered.link(event.link) !== undefined : layered.node(event.node) !== undefined;
}

function refuseUnknown(layered: LayeredTed, events: readonly SourceEvent[]): void {
  const errors = events.flatMap((event, index) => {
    if (isKnown(layered, event)) return [];
    const [what, id] = 'link' in event ? (['link', event.link] as const) : (['node', event.node] as const);
    return [{ what, field: `/events/${index}/${what}`, detail: `${what} "${id}" is not in the topology` }];
  });
  const [first] = errors;
  if (first !== undefined) refuse(`${first.what}-unknown`, errors);
}

function refuseMistakes(events: readonly SourceEvent[]): void {
  const errors = mistakesInEvents(events);
  if (errors.length > 0) refuse('request-invalid', errors);
}

function refuseForeignSids(layered: LayeredTed, events: readonly SourceEvent[]): void {
  if (!events.some((event) => event.kind === 'service-sids')) return;
  const owners = new Map(layered.rowsWhere(() => true).sids.map((row) => [row.sid.sid, row.node]));
  // Of several for one node the last counts.
  const lastOf = new Map(
    events.flatMap((event, index) => (event.kind === 'service-sids' ? [[event.node, index] as const] : [])),
  );
  const errors = events.flatMap((event, index) => {
    if (event.kind !== 'service-sids') return [];
    return event.sids.flatMap(({ sid }, position) => {
      const canonical = canonicalIpv6(sid);
      const owner = owners.get(canonical);
      if (owner === undefined && lastOf.get(event.node) === index) owners.set(canonical, event.node);
      if (owner === undefined || owner === event.node) return [];
      return [{ field: `/events/${index}/sids/${position}/sid`, detail: `${sid} belongs to node ${owner}` }];
    });
  });
  if (errors.length > 0) refuse('sid-conflict', errors);
}

function refuse(code: ProblemCode, errors: readonly { readonly field: string; readonly detail: string }[]): never {
  const [first] = errors;
  throw new Problem(code, {
    detail: first?.detail ?? '',
    ...(first && { field: first.field }),
    errors: errors.slice(0, 100).map(({ field, detail }) => ({ field, detail })),
  });
}
