import { sql, type Kysely, type Selectable } from 'kysely';
import { Problem } from '../model/errors.js';
import type { SourceFilter } from '../model/filters.js';
import type { Page, PageRequest } from '../model/ports.js';
import type { SourceView } from '../model/topology.js';
import type { Database, Tables } from '../storage/database.js';
import type { SourceTable } from '../storage/tables/ted.js';

export type SourceRecord = Selectable<SourceTable>;

export async function sources(
  db: Database,
  { kind, held }: SourceFilter,
  { limit, after }: PageRequest,
): Promise<Page<SourceView>> {
  const rows = await db
    .selectFrom('source')
    .selectAll()
    .$if(after !== undefined, (query) => query.where('id', '>', after ?? ''))
    .$if(kind !== undefined, (query) => query.where('kind', '=', kind ?? 'file'))
    .$if(held !== undefined, (query) => query.where('held_since', held === true ? 'is not' : 'is', null))
    .orderBy('id')
    .limit(limit + 1)
    .execute();
  const items = rows.slice(0, limit).map(sourceView);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/** Throws `not-found`. */
export async function sourceById(db: Kysely<Tables>, id: string): Promise<SourceView> {
  const record = await sourceRecord(db, id);
  if (record === undefined) throw new Problem('not-found', { detail: `there is no source "${id}"` });
  return sourceView(record);
}

export async function sourceRecord(db: Kysely<Tables>, id: string): Promise<SourceRecord | undefined> {
  return db.selectFrom('source').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Throws `source-kind-mismatch` when another kind of source has this id. */
export async function requireSourceKind(
  db: Kysely<Tables>,
  id: string,
  kind: SourceView['kind'],
): Promise<SourceRecord | undefined> {
  const record = await sourceRecord(db, id);
  if (record !== undefined && record.kind !== kind) {
    throw new Problem('source-kind-mismatch', { detail: `"${id}" is a source of kind ${record.kind}, not ${kind}` });
  }
  return record;
}

export const NOT_HELD = { held_since: null, held_reason: null, held_revision: null, held_batch: null } as const;

/** Creates or updates a source. */
export async function writeSource(
  db: Kysely<Tables>,
  id: string,
  kind: SourceView['kind'],
  values: {
    readonly updated_at: Date;
    readonly last_sequence?: number;
    readonly complete?: boolean;
    readonly trusted_revision?: number;
    readonly held_since?: Date | null;
    readonly held_reason?: string | null;
    readonly held_revision?: number | null;
    readonly held_batch?: string | null;
  },
): Promise<void> {
  await db
    .insertInto('source')
    .values({ id, kind, ...values })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
    .execute();
}

/** Creates or updates many sources of one kind, of which nothing is to be noted but that they spoke. */
export async function writeSources(
  db: Kysely<Tables>,
  ids: readonly string[],
  kind: SourceView['kind'],
  updatedAt: Date,
): Promise<void> {
  await sql`
    insert into source (id, kind, updated_at) select id, ${kind}, ${updatedAt} from unnest(${ids}::text[]) as id
    on conflict (id) do update set updated_at = excluded.updated_at
  `.execute(db);
}

function sourceView(record: SourceRecord): SourceView {
  const { id, kind, last_sequence, held_since, held_reason, updated_at } = record;
  return {
    id,
    kind,
    lastSequence: last_sequence,
    held: held_since === null ? null : { since: held_since.toISOString(), reason: held_reason ?? '' },
    updatedAt: updated_at.toISOString(),
  };
}
