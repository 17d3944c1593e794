import type { Duplex } from 'node:stream';
import {
  CompiledQuery,
  Kysely,
  PostgresDialect,
  PostgresDriver,
  type DatabaseConnection,
  type PostgresDialectConfig,
  type TransactionSettings,
} from 'kysely';
import pg from 'pg';
import { isOutage, OutcomeUnknown } from '../model/outage.js';
import type { AccessTables } from './tables/access.js';
import type { DistributionTables } from './tables/distribution.js';
import type { PolicyTables } from './tables/policies.js';
import type { TedTables } from './tables/ted.js';

export interface Tables extends TedTables, PolicyTables, DistributionTables, AccessTables {}

/** A pool of sessions of one PostgreSQL database. `destroy()` closes it. */
export type Database = Kysely<Tables>;

const INT8 = 20;
const INT8_ARRAY = 1016;
const TEXT_ARRAY = 1009;

/** A session that stops in the middle of a transaction (a paused process) must not hold the head row for ever. */
const IDLE_IN_TRANSACTION_MS = 30_000;

/** The sessions of each pool, in use or not. */
const sessionsOf = new WeakMap<Database, ReadonlySet<pg.ClientBase>>();

/** Opens a pool on a PostgreSQL 15 or newer. Nothing is connected yet; the first query fails when there is no server. */
export function createDatabase(url: string, maxConnections = 10): Database {
  const pool = new pg.Pool({ ...connection(url), max: maxConnections });
  const sessions = new Set<pg.ClientBase>();
  // A server that goes away makes every session emit `error`, idle or not; unheard, that would end the process. Whoever
  // uses the session learns of it from its own query.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => {
    sessions.add(client);
    client.on('error', () => undefined);
  });
  pool.on('remove', (client) => sessions.delete(client));
  const db = new Kysely<Tables>({ dialect: new OutageAwareDialect({ pool }) });
  sessionsOf.set(db, sessions);
  return db;
}

/**
 * Ends all sessions of a pool, without a word to the server: it does not answer, and whoever waits for it learns so at once
 * instead of when the kernel gives up, which takes a quarter of an hour. The next query makes a new session.
 */
export function endSessions(db: Database): void {
  for (const session of sessionsOf.get(db) ?? []) endSession(session);
}

/** Ends one session, whether the server hears of it or not. */
export function endSession(session: pg.ClientBase): void {
  // Its own end() waits for the server.
  (session as unknown as { readonly connection: { readonly stream: Duplex } }).connection.stream.destroy();
}

class OutageAwareDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;

  constructor(config: PostgresDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): PostgresDriver {
    return new OutageAwareDriver(this.#config);
  }
}

/** Transactions whose session breaks: says when it broke during the commit, and what broke it, not that nothing can be rolled back. */
class OutageAwareDriver extends PostgresDriver {
  /** Sessions whose transaction writes nothing, so that its outcome is known whatever becomes of it. */
  readonly #reading = new WeakSet<DatabaseConnection>();

  override async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    if (settings.accessMode === 'read only') this.#reading.add(connection);
    else this.#reading.delete(connection);
    await super.beginTransaction(connection, settings);
  }

  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await super.commitTransaction(connection);
    } catch (error) {
      if (this.#reading.has(connection) || (await isRefusal(connection, error))) throw error;
      throw new OutcomeUnknown(error);
    }
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await super.rollbackTransaction(connection);
    } catch (error) {
      // The transaction has ended with its session. Kysely would throw this instead of what led to it.
      if (!isOutage(error)) throw error;
    }
  }
}

/**
 * The server answered, goes on, and has undone the transaction. Whether it goes on is asked of itself: what pg passes on of the
 * answer (severity) is in the language of the server, and most SQLSTATEs come both with sessions that go on and with ones that end.
 */
async function isRefusal(connection: DatabaseConnection, error: unknown): Promise<boolean> {
  if (!(error instanceof pg.DatabaseError)) return false;
  try {
    await connection.executeQuery(CompiledQuery.raw('select 1'));
    return true;
  } catch {
    return false;
  }
}

/** A dedicated session outside the pool (LISTEN, advisory locks). The caller connects, listens for `error` and ends it. */
export function createSession(url: string): pg.Client {
  return new pg.Client(connection(url));
}

function connection(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: 'waymark',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    types: { getTypeParser },
  };
}

/** pg's own parsers. Its typing admits the numbers of well-known types only. */
const standard = pg.types as { getTypeParser(oid: number, format?: string): unknown };
const parseTextArray = standard.getTypeParser(TEXT_ARRAY) as (text: string) => (string | null)[];

function getTypeParser(oid: number, format?: string): unknown {
  if (format !== 'binary') {
    if (oid === INT8) return parseInt8;
    if (oid === INT8_ARRAY) return (text: string) => parseTextArray(text).map((item) => item && parseInt8(item));
  }
  return standard.getTypeParser(oid, format);
}

/** Throws RangeError for what a JavaScript number cannot hold exactly (pg itself returns int8 as text). */
export function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} from the database exceeds 2^53 - 1`);
  return value;
}
