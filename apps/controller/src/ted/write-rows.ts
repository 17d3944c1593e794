import { sql, type RawBuilder, type Transaction } from 'kysely';
import type { Tables } from '../storage/database.js';
import { linkRecord, locatorRecord, nodeRecord, sidRecord } from './row-records.js';
import type { TedChange } from './ted-rows.js';

/** Rows per statement: keeps one parameter at a megabyte, and the time it takes to write it short. */
const CHUNK = 2_000;

/**
 * Closes and opens rows with a revision, set by set. Throws when a row to close is not open: the caller has worked from
 * something else than the newest revision.
 */
export async function writeRows(tx: Transaction<Tables>, revision: number, change: TedChange): Promise<void> {
  const { closed, opened } = change;
  await close(tx, revision, 'node_layer', ['node_id', 'layer', 'source'], closed.nodes, nodeRecord);
  await close(tx, revision, 'link_layer', ['link_id', 'layer', 'source'], closed.links, linkRecord);
  await close(tx, revision, 'locator', ['node_id', 'prefix', 'layer', 'source'], closed.locators, locatorRecord);
  await close(tx, revision, 'sid', ['node_id', 'sid', 'behavior', 'layer', 'source'], closed.sids, sidRecord);
  await open(tx, 'node_layer', opened.nodes, nodeRecord);
  await open(tx, 'link_layer', opened.links, linkRecord);
  await open(tx, 'locator', opened.locators, locatorRecord);
  await open(tx, 'sid', opened.sids, sidRecord);
}

type TedTable = 'node_layer' | 'link_layer' | 'locator' | 'sid';
type Columns = Readonly<Record<string, unknown>>;

/** Rows travel as one JSON parameter and take the types of the table's own columns. */
function recordset(table: TedTable, rows: readonly Columns[]): RawBuilder<unknown> {
  return sql`json_populate_recordset(null::${sql.table(table)}, ${JSON.stringify(rows)}::json)`;
}

async function open<Row>(
  tx: Transaction<Tables>,
  table: TedTable,
  rows: readonly Row[],
  columnsOf: (row: Row) => Columns,
): Promise<void> {
  for (const chunk of chunksOf(rows)) {
    await sql`insert into ${sql.table(table)} select * from ${recordset(table, chunk.map(columnsOf))}`.execute(tx);
  }
}

async function close<Row>(
  tx: Transaction<Tables>,
  revision: number,
  table: TedTable,
  key: readonly string[],
  rows: readonly Row[],
  columnsOf: (row: Row) => Columns,
): Promise<void> {
  const keyOf = (columns: Columns): Columns => Object.fromEntries(key.map((column) => [column, columns[column]]));
  const matches = sql.join(
    key.map((column) => sql`open_row.${sql.ref(column)} = ended.${sql.ref(column)}`),
    sql` and `,
  );
  for (const chunk of chunksOf(rows)) {
    const ended = chunk.map((row) => keyOf(columnsOf(row)));
    const result = await sql`
      update ${sql.table(table)} as open_row set to_revision = ${revision}
      from ${recordset(table, ended)} as ended
      where ${matches} and open_row.to_revision is null
    `.execute(tx);
    if (result.numAffectedRows !== BigInt(chunk.length)) {
      throw new Error(`${table}: ${String(result.numAffectedRows)} of ${chunk.length} rows were open`);
    }
  }
}

function* chunksOf<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += CHUNK) yield items.slice(start, start + CHUNK);
}
