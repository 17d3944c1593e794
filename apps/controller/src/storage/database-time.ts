import { sql, type Kysely } from 'kysely';
import type { Tables } from './database.js';

export type ReadDatabaseTime = typeof databaseTime;

/** The one clock that all controllers of a database share. Within a transaction it goes on. */
export async function databaseTime(db: Kysely<Tables>): Promise<Date> {
  const { rows } = await sql<{ at: Date }>`select clock_timestamp() as at`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('the database does not tell its time');
  return row.at;
}
