import { canonicalIpv6, canonicalPrefix, type Locator, type Sid, type SidStructure } from '@waymark/topology';
import type { Selectable } from 'kysely';
import type { LinkLayerTable, LocatorTable, NodeLayerTable, SidTable } from '../storage/tables/ted.js';
import { linkAttributes, nodeAttributes, type Attribute } from './attributes.js';
import { namesOf } from './effective-values.js';
import type {
  LayerRow,
  LinkAttributes,
  LinkRow,
  LocatorRow,
  NodeAttributes,
  NodeRow,
  SetAttributes,
  SidRow,
} from './ted-rows.js';

/* Rows of the database ↔ rows of the TED. */

type Record = Readonly<globalThis.Record<string, unknown>>;
type Table<Attributes> = { readonly [Name in keyof Attributes]-?: Attribute };

export function nodeRowFrom(record: Selectable<NodeLayerTable>): NodeRow {
  return layerRowFrom<NodeAttributes>(record.node_id, record, nodeAttributes);
}

export function linkRowFrom(record: Selectable<LinkLayerTable>): LinkRow {
  return layerRowFrom<LinkAttributes>(record.link_id, record, linkAttributes);
}

export function nodeRecord(row: NodeRow): Record {
  return { node_id: row.id, ...layerRecord(row, nodeAttributes) };
}

export function linkRecord(row: LinkRow): Record {
  return { link_id: row.id, ...layerRecord(row, linkAttributes) };
}

function layerRowFrom<Attributes extends object>(
  id: string,
  record: Selectable<NodeLayerTable> | Selectable<LinkLayerTable>,
  table: Table<Attributes>,
): LayerRow<Attributes> {
  const columns = record as unknown as Record;
  const attributes: { [Name in keyof Attributes]?: unknown } = {};
  for (const name of namesOf(table)) {
    const value = columns[table[name].column];
    if (value !== null) attributes[name] = table[name].address === true ? canonicalAddresses(value) : value;
  }
  return {
    id,
    ...validityFrom(record),
    layer: record.layer,
    attributes: attributes as SetAttributes<Attributes>,
    since: record.since ?? {},
  };
}

function layerRecord<Attributes extends object>(row: LayerRow<Attributes>, table: Table<Attributes>): Record {
  const columns: globalThis.Record<string, unknown> = {
    ...validityRecord(row),
    since: Object.keys(row.since).length === 0 ? null : row.since,
  };
  for (const name of Object.keys(row.attributes) as (keyof Attributes)[]) {
    columns[table[name].column] = row.attributes[name];
  }
  return columns;
}

export function locatorRowFrom(record: Selectable<LocatorTable>): LocatorRow {
  const { algorithm, metric, anycast, scope, origin } = record;
  const structure = structureFrom(record) ?? { blockBits: 0, nodeBits: 0, functionBits: 0, argumentBits: 0 };
  const locator: Locator = { prefix: canonical(record.prefix), algorithm, metric, anycast, scope, structure, origin };
  return { node: record.node_id, ...validityFrom(record), layer: record.layer, locator: Object.freeze(locator) };
}

export function locatorRecord({ node, locator, ...row }: LocatorRow): Record {
  const { structure, ...columns } = locator;
  return { node_id: node, ...validityRecord(row), ...columns, ...structureRecord(structure) };
}

export function sidRowFrom(record: Selectable<SidTable>): SidRow {
  const { behavior, algorithm, link_id: linkId, origin, protected: isProtected } = record;
  const sid: Sid = {
    sid: canonical(record.sid),
    behavior,
    flavors: record.flavors as Sid['flavors'],
    algorithm,
    protected: isProtected,
    linkId,
    structure: structureFrom(record),
    origin,
  };
  return { node: record.node_id, ...validityFrom(record), layer: record.layer, sid: Object.freeze(sid) };
}

export function sidRecord({ node, sid, ...row }: SidRow): Record {
  const { structure, linkId, ...columns } = sid;
  return { node_id: node, ...validityRecord(row), ...columns, link_id: linkId, ...structureRecord(structure) };
}

interface ValidityColumns {
  readonly source: string;
  readonly from_revision: number;
  readonly to_revision: number | null;
}

function validityFrom({ source, from_revision, to_revision }: ValidityColumns) {
  return { source, fromRevision: from_revision, toRevision: to_revision };
}

function validityRecord(row: Pick<NodeRow, 'layer' | 'source' | 'fromRevision' | 'toRevision'>): Record {
  return { layer: row.layer, source: row.source, from_revision: row.fromRevision, to_revision: row.toRevision };
}

interface StructureColumns {
  readonly block_bits: number | null;
  readonly node_bits: number | null;
  readonly function_bits: number | null;
  readonly argument_bits: number | null;
}

function structureFrom({ block_bits, node_bits, function_bits, argument_bits }: StructureColumns): SidStructure | null {
  if (block_bits === null || node_bits === null || function_bits === null || argument_bits === null) return null;
  return { blockBits: block_bits, nodeBits: node_bits, functionBits: function_bits, argumentBits: argument_bits };
}

function structureRecord(structure: SidStructure | null): Record {
  return {
    block_bits: structure?.blockBits,
    node_bits: structure?.nodeBits,
    function_bits: structure?.functionBits,
    argument_bits: structure?.argumentBits,
  };
}

function canonicalAddresses(value: unknown): unknown {
  return Array.isArray(value) ? value.map((item) => canonical(String(item))) : canonical(String(value));
}

/** Postgres spells addresses as RFC 5952 does, but for those that embed an IPv4 address. */
function canonical(text: string): string {
  if (!text.includes(':') || !text.includes('.')) return text;
  return text.includes('/') ? canonicalPrefix(text) : canonicalIpv6(text);
}
