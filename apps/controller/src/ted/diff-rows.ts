import { atOnce, type Slices } from './slices.js';
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
  return atOnce(diffRowsInSlices(current, desired));
}

export function* diffRowsInSlices(current: TedRows, desired: TedRows): Slices<TedChange> {
  const nodes = yield* diff(current.nodes, desired.nodes, layerKey, sameAttributes, keepingSetRevisions);
  const links = yield* diff(current.links, desired.links, layerKey, sameAttributes, keepingSetRevisions);
  const locators = yield* diff(current.locators, desired.locators, locatorKey, (a, b) => same(a.locator, b.locator));
  const sids = yield* diff(current.sids, desired.sids, sidKey, (a, b) => same(a.sid, b.sid));
  return {
    closed: { nodes: nodes.closed, links: links.closed, locators: locators.closed, sids: sids.closed },
    opened: { nodes: nodes.opened, links: links.opened, locators: locators.opened, sids: sids.opened },
  };
}

interface Difference<Row> {
  readonly closed: readonly Row[];
  readonly opened: readonly Row[];
}

function* diff<Row>(
  current: readonly Row[],
  desired: readonly Row[],
  key: (row: Row) => string,
  equal: (a: Row, b: Row) => boolean,
  succeed: (before: Row, after: Row) => Row = (_before, after) => after,
): Slices<Difference<Row>> {
  if (current.length === 0) return { closed: [], opened: desired };
  const before = new Map<string, Row>();
  for (const row of current) {
    yield;
    before.set(key(row), row);
  }
  const closed: Row[] = [];
  const opened: Row[] = [];
  for (const row of desired) {
    yield;
    const rowKey = key(row);
    const old = before.get(rowKey);
    before.delete(rowKey);
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

/** Of values without prototypes or cycles, as rows have them. */
function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && same(a[name as keyof typeof a], b[name as keyof typeof b]))
  );
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
