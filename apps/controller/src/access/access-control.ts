import { sql } from 'kysely';
import type { AccessService, Identity } from '../model/access.js';
import { Problem } from '../model/errors.js';
import { StartFault } from '../model/start-fault.js';
import type { Database } from '../storage/database.js';
import { readAdminKey } from './admin-key-file.js';
import type { ApiKeyRow, KnownKeys } from './known-keys.js';
import type { Tokens } from './tokens.js';
import { hashOf, isSame, prefixOf } from './secrets.js';

export interface AccessSettings {
  readonly adminKeyFile: string | undefined;
  /** Nothing of an operator's is at stake and nobody but this machine can ask: no DATABASE_URL, bound to loopback. */
  readonly isEmbeddedOnLoopback: boolean;
}

interface Log {
  warn(details: object, message: string): void;
}

const everything = { role: 'admin', operations: null } as const;
const anonymous: Identity = { name: 'anonymous', credential: 'anonymous', ...everything };
const adminKey: Identity = { name: 'admin-key', credential: 'admin-key', ...everything };

/** Tells by the token of a request who makes it. */
export class AccessControl implements AccessService {
  readonly isOpen: boolean;
  readonly #adminKey: Buffer | undefined;
  readonly #known: KnownKeys;
  readonly #tokens: Tokens | undefined;
  readonly #clock: () => Date;
  readonly #log: Log;

  private constructor(options: {
    isOpen: boolean;
    adminKey: Buffer | undefined;
    known: KnownKeys;
    tokens: Tokens | undefined;
    clock: () => Date;
    log: Log;
  }) {
    this.isOpen = options.isOpen;
    this.#adminKey = options.adminKey;
    this.#known = options.known;
    this.#tokens = options.tokens;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** @throws StartFault when anybody could do anything, or nobody could do anything. */
  static async open(
    { adminKeyFile, isEmbeddedOnLoopback }: AccessSettings,
    {
      db,
      ...rest
    }: {
      readonly db: Database;
      readonly known: KnownKeys;
      readonly tokens: Tokens | undefined;
      readonly clock: () => Date;
      readonly log: Log;
    },
  ): Promise<AccessControl> {
    const key = adminKeyFile === undefined ? undefined : readAdminKey(adminKeyFile);
    const isKnown = key !== undefined || rest.tokens !== undefined;
    const isOpen = !isKnown && isEmbeddedOnLoopback;
    if (!isKnown && !isOpen && !(await hasAdmin(db))) {
      throw new StartFault(
        'the REST API needs to know its first admin: set WAYMARK_ADMIN_KEY_FILE to a file with a key (the output of ' +
          '`openssl rand -hex 32`), or WAYMARK_OIDC_ISSUER. Only with the embedded database, and WAYMARK_HTTP_HOST on loopback, does it do without',
      );
    }
    return new AccessControl({ isOpen, adminKey: key, ...rest });
  }

  async identify(token: string | undefined): Promise<Identity> {
    if (token === undefined) {
      if (this.isOpen) return anonymous;
      throw new Problem('unauthenticated', { detail: 'there is no Authorization: Bearer in the request' });
    }
    if (this.#adminKey !== undefined && isSame(hashOf(token), this.#adminKey)) return adminKey;
    const prefix = prefixOf(token);
    if (prefix !== undefined) return this.#identifyKey(prefix, token);
    if (this.#tokens !== undefined) return this.#tokens.identify(token);
    throw new Problem('unauthenticated', { detail: 'what was sent is no API key' });
  }

  async #identifyKey(prefix: string, token: string): Promise<Identity> {
    const row = await this.#known.find(prefix);
    if (row === undefined || !isGood(row, prefix, token, this.#clock())) {
      throw new Problem('unauthenticated', { detail: 'this API key does not exist, or not any more' });
    }
    const { name, role, operations } = row;
    if (row.expires_at !== null && row.expires_at <= this.#clock()) {
      throw new Problem('unauthenticated', {
        detail: `the API key ${name} expired at ${row.expires_at.toISOString()}`,
      });
    }
    // Nobody waits for it.
    this.#known
      .noteUse(name)
      .catch((error: unknown) => this.#log.warn({ err: error }, 'the last use of an API key could not be noted'));
    return { name, role, operations, credential: `api-key:${prefix}` };
  }
}

function isGood(row: ApiKeyRow, prefix: string, token: string, now: Date): boolean {
  const hash = hashOf(token);
  if (prefix === row.prefix) return isSame(hash, row.hash);
  const { previous_hash, previous_until } = row;
  return previous_hash !== null && previous_until !== null && previous_until > now && isSame(hash, previous_hash);
}

/** With a key that may make others. */
async function hasAdmin(db: Database): Promise<boolean> {
  const { rows } = await sql`
    select from api_key where role = 'admin' and operations is null and (expires_at is null or expires_at > now()) limit 1
  `.execute(db);
  return rows.length > 0;
}
