import { isDeepStrictEqual } from 'node:util';
import {
  layerKey,
  locatorKey,
  setAt,
  sidKey,
  type LayerRow,
  type SetAttributes,
  type TedChange,
  type TedRows,
} from './ted-rows.js';

/**
 * What must be closed and opened so that `current` says what `desired` says. Rows of `desired` carry the revision that
 * writes them; attributes that stay the same keep the revision at which they were set.
 */
export function diffRows(current: TedRows, desired: TedRows): TedChange {
  const nodes = diff(current.nodes, desired.nodes, layerKey, sameAttributes, keepingSetRevisions);
  const links = diff(current.links, desired.links, layerKey, sameAttributes, keepingSetRevisions);
  const locators = diff(current.locators, desired.locators, locatorKey, (a, b) => same(a.locator, b.locator));
  const sids = diff(current.sids, desired.sids, sidKey, (a, b) => same(a.sid, b.sid));
  return {
    closed: { nodes: nodes.closed, links: links.closed, locators: locators.closed, sids: sids.closed },
    opened: { nodes: nodes.opened, links: links.opened, locators: locators.opened, sids: sids.opened },
  };
}

interface Difference<Row> {
  readonly closed: readonly Row[];
  readonly opened: readonly Row[];
}

function diff<Row>(
  current: readonly Row[],
  desired: readonly Row[],
  key: (row: Row) => string,
  equal: (a: Row, b: Row) => boolean,
  succeed: (before: Row, after: Row) => Row = (_before, after) => after,
): Difference<Row> {
  const before = new Map(current.map((row) => [key(row), row]));
  const closed: Row[] = [];
  const opened: Row[] = [];
  for (const row of desired) {
    const old = before.get(key(row));
    before.delete(key(row));
    if (old === undefined) {
      opened.push(row);
    } else if (!equal(old, row)) {
      closed.push(old);
      opened.push(succeed(old, row));
    }
  }
  closed.push(...before.values());
  return { closed, opened };
}

function same(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(a, b);
}

function sameAttributes<Attributes>(a: LayerRow<Attributes>, b: LayerRow<Attributes>): boolean {
  return same(a.attributes, b.attributes);
}

function keepingSetRevisions<Attributes>(
  before: LayerRow<Attributes>,
  after: LayerRow<Attributes>,
): LayerRow<Attributes> {
  const since: Record<string, number> = {};
  for (const name of Object.keys(after.attributes) as (keyof Attributes & string)[]) {
    if (same(before.attributes[name], after.attributes[name])) since[name] = setAt(before, name);
  }
  return { ...after, since };
}

/** The attributes of `values` that a layer stores: those of the table that are neither null nor undefined. */
export function setAttributes<Attributes extends object>(
  table: Readonly<Record<keyof Attributes, unknown>>,
  values: { readonly [Name in keyof Attributes]?: Attributes[Name] | null | undefined },
): SetAttributes<Attributes> {
  const set: { [Name in keyof Attributes]?: NonNullable<Attributes[Name]> } = {};
  for (const name of Object.keys(table) as (keyof Attributes)[]) {
    const value = values[name];
    if (value !== null && value !== undefined) set[name] = value;
  }
  return set;
}
