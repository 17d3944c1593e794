import { sql, type Kysely } from 'kysely';
import { Problem } from '../model/errors.js';
import type { ChangeFilter } from '../model/filters.js';
import type { Page, PageRequest } from '../model/ports.js';
import type { ChangeEntry, EntityChange, Layer } from '../model/topology.js';
import type { Database, Tables } from '../storage/database.js';
import { LayeredTed } from './layered-ted.js';
import { readRows } from './read-rows.js';
import {
  compareText,
  layerKey,
  locatorKey,
  noRows,
  sidKey,
  type LayerRow,
  type LocatorRow,
  type SidRow,
} from './ted-rows.js';

/** A change log entry lists at most this many entities; `entityCount` says how many there are. */
export const MAX_ENTITIES = 1_000;

export interface PastTed {
  readonly tedRevision: number;
  readonly layered: LayeredTed;
}

/** The TED of a TED revision. Throws `revision-pruned` and, for one that is still to come, `not-found`. */
export async function tedAt(db: Database, tedRevision: number): Promise<PastTed> {
  return inSnapshot(db, async (tx) => {
    const head = await tx.selectFrom('head').select(['ted_revision', 'pruned_through']).executeTakeFirstOrThrow();
    if (tedRevision > head.ted_revision) throw unknownRevision(`TED revision ${tedRevision}`);
    const first = await tx
      .selectFrom('revision')
      .select('revision')
      .where('ted_revision', '=', tedRevision)
      .orderBy('revision')
      .limit(1)
      .executeTakeFirst();
    const revision = first?.revision ?? 0;
    if (revision < head.pruned_through) throw pruned(`TED revision ${tedRevision}`);
    return { tedRevision, layered: await layeredAt(tx, revision) };
  });
}

/** The TED as it was at a revision of anything. Throws as `tedAt` does. */
export async function tedAtRevision(db: Database, revision: number): Promise<PastTed> {
  return inSnapshot(db, async (tx) => {
    const head = await tx.selectFrom('head').select(['revision', 'pruned_through']).executeTakeFirstOrThrow();
    if (revision > head.revision) throw unknownRevision(`revision ${revision}`);
    if (revision < head.pruned_through) throw pruned(`revision ${revision}`);
    const entry = await tx
      .selectFrom('revision')
      .select('ted_revision')
      .where('revision', '=', revision)
      .executeTakeFirst();
    return { tedRevision: entry?.ted_revision ?? 0, layered: await layeredAt(tx, revision) };
  });
}

/** Newest first; `after` is the last revision of the page before. */
export async function changes(
  db: Database,
  { kind, actor, since, until, node, link }: ChangeFilter,
  { limit, after }: PageRequest,
): Promise<Page<ChangeEntry>> {
  let query = db.selectFrom('revision').selectAll();
  if (after !== undefined) query = query.where('revision', '<', Number(after));
  if (kind !== undefined) query = query.where('kind', '=', kind);
  if (actor !== undefined) query = query.where('actor', '=', actor);
  if (since !== undefined) query = query.where('at', '>=', since);
  if (until !== undefined) query = query.where('at', '<', until);
  if (node !== undefined) query = query.where('revision', 'in', revisionsOfNode(node));
  if (link !== undefined) query = query.where('revision', 'in', revisionsOf('link_layer', 'link_id', link));
  const rows = await query
    .orderBy('revision', 'desc')
    .limit(limit + 1)
    .execute();
  const items = rows.slice(0, limit).map(entryFrom);
  return { items, next: rows.length > limit ? String(items.at(-1)?.revision) : null };
}

/** Revisions that opened or closed a row of one entity. */
function revisionsOf(table: 'node_layer' | 'link_layer' | 'locator' | 'sid', key: 'node_id' | 'link_id', id: string) {
  const rows = sql`from ${sql.table(table)} where ${sql.ref(key)} = ${id}`;
  return sql<number>`(select from_revision ${rows} union select to_revision ${rows} and to_revision is not null)`;
}

function revisionsOfNode(node: string) {
  const tables = (['node_layer', 'locator', 'sid'] as const).map((table) => revisionsOf(table, 'node_id', node));
  return sql<number>`(${sql.join(tables, sql` union `)})`;
}

/** One change with what it did to each entity, as the rows that it closed and opened tell. */
export async function change(
  db: Database,
  revision: number,
): Promise<ChangeEntry & { readonly entityCount: number; readonly entities: readonly EntityChange[] }> {
  return inSnapshot(db, async (tx) => {
    const head = await tx.selectFrom('head').select(['revision', 'pruned_through']).executeTakeFirstOrThrow();
    if (revision < head.pruned_through && revision > 0) throw pruned(`revision ${revision}`);
    const entry = await tx.selectFrom('revision').selectAll().where('revision', '=', revision).executeTakeFirst();
    if (entry === undefined) throw unknownRevision(`revision ${revision}`);
    const rows = await readRows(tx, { kind: 'changed-by', revision });
    const entities = [
      ...pair(rows.nodes, revision, layerKey, (row) => ({ entity: 'node', id: row.id, value: valuesOf(row) })),
      ...pair(rows.links, revision, layerKey, (row) => ({ entity: 'link', id: row.id, value: valuesOf(row) })),
      ...pair(rows.locators, revision, locatorKey, locatorValue),
      ...pair(rows.sids, revision, sidKey, sidValue),
    ];
    return { ...entryFrom(entry), entityCount: entities.length, entities: entities.slice(0, MAX_ENTITIES) };
  });
}

/**
 * Forgets how the TED was before the last revision that is older than `olderThan`; that one can still be rebuilt. What
 * the leader has yet to react to is kept. Returns the oldest revision that is left.
 */
export async function pruneHistory(db: Database, olderThan: Date): Promise<number> {
  return db.transaction().execute(async (tx) => {
    const horizon = await tx
      .selectFrom('revision')
      .select((eb) => eb.fn.max<number | null>('revision').as('revision'))
      .where('at', '<', olderThan)
      .where('revision', '<=', (eb) => eb.selectFrom('head').select('computed_through'))
      .executeTakeFirst();
    const oldest = horizon?.revision;
    if (oldest === undefined || oldest === null) {
      return (await tx.selectFrom('head').select('pruned_through').executeTakeFirstOrThrow()).pruned_through;
    }
    for (const table of ['node_layer', 'link_layer', 'locator', 'sid'] as const) {
      await tx.deleteFrom(table).where('to_revision', '<=', oldest).execute();
    }
    await tx.deleteFrom('revision').where('revision', '<', oldest).execute();
    await tx.updateTable('head').set({ pruned_through: oldest }).execute();
    return oldest;
  });
}

async function layeredAt(tx: Kysely<Tables>, revision: number): Promise<LayeredTed> {
  return new LayeredTed(noRows).replacedInSlices(noRows, await readRows(tx, { kind: 'at', revision }));
}

async function inSnapshot<Result>(db: Database, work: (tx: Kysely<Tables>) => Promise<Result>): Promise<Result> {
  return db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(work);
}

function pruned(what: string): Problem {
  return new Problem('revision-pruned', { detail: `${what} is older than the retention of the history` });
}

function unknownRevision(what: string): Problem {
  return new Problem('not-found', { detail: `there is no ${what}` });
}

interface RevisionRecord {
  readonly revision: number;
  readonly ted_revision: number;
  readonly at: Date;
  readonly actor: string;
  readonly kind: string;
  readonly summary: string;
}

function entryFrom({ revision, ted_revision, at, actor, kind, summary }: RevisionRecord): ChangeEntry {
  return { revision, tedRevision: ted_revision, at: at.toISOString(), actor, kind, summary };
}

interface Described {
  readonly entity: EntityChange['entity'];
  readonly id: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface Version {
  readonly layer: Layer;
  readonly source: string;
  readonly toRevision: number | null;
}

/** Brings together what a revision closed and opened under one key. */
function pair<Row extends Version>(
  rows: readonly Row[],
  revision: number,
  key: (row: Row) => string,
  describe: (row: Row) => Described,
): readonly EntityChange[] {
  const byKey = new Map<string, EntityChange>();
  for (const row of rows) {
    const { entity, id, value } = describe(row);
    const known = byKey.get(key(row)) ?? {
      entity,
      id,
      layer: row.layer,
      source: row.source,
      before: null,
      after: null,
    };
    byKey.set(key(row), row.toRevision === revision ? { ...known, before: value } : { ...known, after: value });
  }
  return [...byKey.values()].sort((a, b) => compareText(a.id, b.id) || compareText(a.source, b.source));
}

function valuesOf(row: LayerRow<object>): Readonly<Record<string, unknown>> {
  return { ...row.attributes };
}

function locatorValue({ node, locator }: LocatorRow): Described {
  return { entity: 'locator', id: locator.prefix, value: { node, ...locator } };
}

function sidValue({ node, sid }: SidRow): Described {
  return { entity: 'sid', id: sid.sid, value: { node, ...sid } };
}
