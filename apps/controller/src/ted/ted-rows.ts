import type { Locator, NodeId, Sid, TedLink, TedNode } from '@waymark/topology';
import type { Layer } from '../model/topology.js';

/*
 * The TED as it is stored: rows of what one source says in one layer, each valid for [from, to) revisions. Effective
 * values are made of them (effective-values.ts, effective-sids.ts).
 */

export type NodeAttributes = Omit<TedNode, 'id' | 'locators' | 'sids'>;
export type LinkAttributes = Omit<TedLink, 'id' | 'advertised'>;

/** Only what a layer sets. A TED's null means that no layer set a value, so it never stands here. */
export type SetAttributes<Attributes> = { readonly [Name in keyof Attributes]?: NonNullable<Attributes[Name]> };

interface Row {
  readonly layer: Layer;
  readonly source: string;
  readonly fromRevision: number;
  /** null: still open. */
  readonly toRevision: number | null;
}

export interface LayerRow<Attributes> extends Row {
  /** Node or link. */
  readonly id: string;
  readonly attributes: SetAttributes<Attributes>;
  /** Revisions of the attributes that were set before this row; the others were set by it. */
  readonly since: Readonly<Record<string, number>>;
}

export type NodeRow = LayerRow<NodeAttributes>;
export type LinkRow = LayerRow<LinkAttributes>;

export interface LocatorRow extends Row {
  readonly node: NodeId;
  readonly locator: Locator;
}

export interface SidRow extends Row {
  readonly node: NodeId;
  readonly sid: Sid;
}

export interface TedRows {
  readonly nodes: readonly NodeRow[];
  readonly links: readonly LinkRow[];
  readonly locators: readonly LocatorRow[];
  readonly sids: readonly SidRow[];
}

/** What one revision does to the rows: `closed` end with it, `opened` begin with it. */
export interface TedChange {
  readonly closed: TedRows;
  readonly opened: TedRows;
}

export const noRows: TedRows = { nodes: [], links: [], locators: [], sids: [] };

export const OPERATOR_SOURCE = 'operator';

export function rowCount({ nodes, links, locators, sids }: TedRows): number {
  return nodes.length + links.length + locators.length + sids.length;
}

export function isEmpty({ closed, opened }: TedChange): boolean {
  return rowCount(closed) + rowCount(opened) === 0;
}

/** The revision at which a row's source set the attribute to what it is. */
export function setAt<Attributes>(row: LayerRow<Attributes>, name: keyof Attributes & string): number {
  return row.since[name] ?? row.fromRevision;
}

/** At most one open row has a given key. */
export function layerKey(row: Pick<NodeRow | LinkRow, 'id' | 'layer' | 'source'>): string {
  return `${row.id} ${row.layer} ${row.source}`;
}

export function locatorKey(row: LocatorRow): string {
  return `${row.node} ${row.locator.prefix} ${row.layer} ${row.source}`;
}

export function sidKey(row: SidRow): string {
  return `${row.node} ${row.sid.sid} ${row.sid.behavior} ${row.layer} ${row.source}`;
}

/** Ids and addresses are compared by code unit everywhere, whatever the locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
