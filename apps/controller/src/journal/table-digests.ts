import { sql } from 'kysely';
import type { TableDigests } from '../model/recording.js';
import type { Database } from '../storage/database.js';

/** Random, of a process, or told every few seconds. */
const TABLES_LEFT_OUT = [
  ...['migration', 'leader', 'signing_key', 'api_key'],
  ...['agent', 'agent_data_plane', 'controller'],
];

/** Of tables that are looked at: identity of the installation, and prefixes of API keys. */
const COLUMNS_LEFT_OUT = ['head.instance', 'head.pruned_through', 'audit.before', 'audit.after', 'audit.id'];

/** The digest of each table. All rows are read: some seconds for 200,000 policies. */
export async function tableDigests(db: Database): Promise<TableDigests> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (tx) => {
      const { rows: columns } = await sql<{ table: string; column: string }>`
        select c.table_name as table, c.column_name as column
        from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
        where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
          and c.data_type not like 'timestamp%'
          and c.table_name <> all(${TABLES_LEFT_OUT}::text[])
          and c.table_name || '.' || c.column_name <> all(${COLUMNS_LEFT_OUT}::text[])
        order by c.table_name collate "C", c.column_name collate "C"
      `.execute(tx);
      const digests: Record<string, string> = {};
      for (const table of new Set(columns.map((column) => column.table))) {
        const names = columns.filter((column) => column.table === table).map(({ column }) => sql.ref(column));
        const { rows } = await sql<{ digest: string }>`
          select md5(coalesce(string_agg(r::text, E'\n' order by r::text collate "C"), '')) as digest
          from (select ${sql.join(names)} from ${sql.table(table)}) r
        `.execute(tx);
        digests[table] = rows[0]?.digest ?? '';
      }
      return digests;
    });
}

/** Name of the last migration. */
export async function schemaOf(db: Database): Promise<string> {
  const { rows } = await sql<{ name: string }>`select name from migration order by id desc limit 1`.execute(db);
  return rows[0]?.name ?? 'none';
}
