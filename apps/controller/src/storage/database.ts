import { Kysely, PostgresDialect, PostgresDriver, type DatabaseConnection, type PostgresDialectConfig } from 'kysely';
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

/** Opens a pool on a PostgreSQL 15 or newer. Nothing is connected yet; the first query fails when there is no server. */
export function createDatabase(url: string, maxConnections = 10): Database {
  const pool = new pg.Pool({ ...connection(url), max: maxConnections });
  // A server that goes away makes every session emit `error`, idle or not; unheard, that would end the process. Whoever
  // uses the session learns of it from its own query.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return new Kysely<Tables>({ dialect: new OutageAwareDialect({ pool }) });
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
  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await super.commitTransaction(connection);
    } catch (error) {
      throw isRefusal(error) ? error : new OutcomeUnknown(error);
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

/** The server answered, goes on, and has undone the transaction. */
function isRefusal(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.severity === 'ERROR';
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
