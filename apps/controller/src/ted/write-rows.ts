import { sql, type RawBuilder, type Transaction } from 'kysely';
import type { Tables } from '../storage/database.js';
import { linkRecord, locatorRecord, nodeRecord, sidRecord } from './row-records.js';
import type { TedChange } from './ted-rows.js';

/** Rows per statement: keeps one parameter at some megabytes. */
const CHUNK = 10_000;

/**
 * Closes and opens rows with a revision, set by set. Throws when a row to close is not open: the caller has worked from
 * something else than the newest revision.
 */
export async function writeRows(tx: Transaction<Tables>, revision: number, change: TedChange): Promise<void> {
  const { closed, opened } = change;
  await close(tx, revision, 'node_layer', ['node_id', 'layer', 'source'], closed.nodes.map(nodeRecord));
  await close(tx, revision, 'link_layer', ['link_id', 'layer', 'source'], closed.links.map(linkRecord));
  await close(tx, revision, 'locator', ['node_id', 'prefix', 'layer', 'source'], closed.locators.map(locatorRecord));
  await close(tx, revision, 'sid', ['node_id', 'sid', 'behavior', 'layer', 'source'], closed.sids.map(sidRecord));
  await open(tx, 'node_layer', opened.nodes.map(nodeRecord));
  await open(tx, 'link_layer', opened.links.map(linkRecord));
  await open(tx, 'locator', opened.locators.map(locatorRecord));
  await open(tx, 'sid', opened.sids.map(sidRecord));
}

type TedTable = 'node_layer' | 'link_layer' | 'locator' | 'sid';
type Row = Readonly<Record<string, unknown>>;

/** Rows travel as one JSON parameter and take the types of the table's own columns. */
function recordset(table: TedTable, rows: readonly Row[]): RawBuilder<unknown> {
  return sql`json_populate_recordset(null::${sql.table(table)}, ${JSON.stringify(rows)}::json)`;
}

async function open(tx: Transaction<Tables>, table: TedTable, rows: readonly Row[]): Promise<void> {
  for (const chunk of chunksOf(rows)) {
    await sql`insert into ${sql.table(table)} select * from ${recordset(table, chunk)}`.execute(tx);
  }
}

async function close(
  tx: Transaction<Tables>,
  revision: number,
  table: TedTable,
  key: readonly string[],
  rows: readonly Row[],
): Promise<void> {
  const keysOnly = rows.map((row) => Object.fromEntries(key.map((column) => [column, row[column]])));
  const matches = sql.join(
    key.map((column) => sql`open_row.${sql.ref(column)} = ended.${sql.ref(column)}`),
    sql` and `,
  );
  for (const chunk of chunksOf(keysOnly)) {
    const result = await sql`
      update ${sql.table(table)} as open_row set to_revision = ${revision}
      from ${recordset(table, chunk)} as ended
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
