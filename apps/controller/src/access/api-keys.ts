import type { Selectable, Transaction } from 'kysely';
import type { ApiKeyRequest, ApiKeyView, IssuedApiKey } from '../model/access.js';
import { Problem } from '../model/errors.js';
import type { ApiKeyFilter } from '../model/filters.js';
import type { ApiKeyService, Page, PageRequest } from '../model/ports.js';
import type { Actor } from '../model/topology.js';
import type { Database, Tables } from '../storage/database.js';
import { recordAudit } from '../storage/audit.js';
import { withRevision } from '../storage/revision.js';
import type { ApiKeyTable } from '../storage/tables/access.js';
import type { KnownKeys } from './known-keys.js';
import { newSecret } from './secrets.js';

type ApiKeyRow = Selectable<ApiKeyTable>;

/** What the change log calls those without a key, in small letters. */
const takenNames: readonly string[] = ['anonymous', 'admin-key', 'demo', 'mesh', 'agents', 'waymark'];

const DEFAULT_GRACE_S = 86_400;

/** Makes, rotates and deletes API keys: each a revision with its entries in change log and audit. */
export class ApiKeys implements ApiKeyService {
  constructor(
    private readonly db: Database,
    private readonly known: Pick<KnownKeys, 'forget'>,
    private readonly clock: () => Date,
  ) {}

  async keys({ role }: ApiKeyFilter, { limit, after }: PageRequest): Promise<Page<ApiKeyView>> {
    let query = this.db.selectFrom('api_key').selectAll();
    if (role !== undefined) query = query.where('role', '=', role);
    if (after !== undefined) query = query.where('name', '>', after);
    const rows = await query
      .orderBy('name')
      .limit(limit + 1)
      .execute();
    const items = rows.slice(0, limit).map((row) => this.#view(row));
    return { items, next: rows.length > limit ? (items.at(-1)?.name ?? null) : null };
  }

  async key(name: string): Promise<ApiKeyView> {
    return this.#view(await requireKey(this.db, name));
  }

  async create({ name, role, operations, expiresAt }: ApiKeyRequest, actor: Actor): Promise<IssuedApiKey> {
    if (takenNames.includes(name.toLowerCase())) {
      throw new Problem('request-invalid', { detail: `the name ${name} means something else`, field: '/name' });
    }
    this.#requireFuture(expiresAt);
    const { secret, prefix, hash } = newSecret();
    const row = await this.#write('create', name, actor, async (tx) => {
      const made = await tx
        .insertInto('api_key')
        .values({
          ...{ name, role, prefix, hash, operations: operations ?? null },
          ...{ created_at: this.clock(), created_by: actor.name, expires_at: expiresAt ?? null },
        })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .returningAll()
        .executeTakeFirst();
      if (made === undefined) throw new Problem('already-exists', { detail: `there is an API key ${name}` });
      return { before: null, after: made };
    });
    return { key: this.#view(row), secret };
  }

  async rotate(
    name: string,
    { graceSeconds = DEFAULT_GRACE_S, expiresAt }: Parameters<ApiKeyService['rotate']>[1],
    actor: Actor,
  ): Promise<IssuedApiKey> {
    this.#requireFuture(expiresAt ?? undefined);
    const { secret, prefix, hash } = newSecret();
    const row = await this.#write('rotate', name, actor, async (tx) => {
      const before = await requireKey(tx, name);
      const now = this.clock();
      const until = new Date(now.getTime() + graceSeconds * 1000);
      const after = await tx
        .updateTable('api_key')
        .set({
          ...{ prefix, hash, rotated_at: now },
          ...(graceSeconds === 0 ? noPrevious : { ...inUse(before, now), previous_until: until }),
          ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
        })
        .where('name', '=', name)
        .returningAll()
        .executeTakeFirstOrThrow();
      return { before, after };
    });
    return { key: this.#view(row), secret };
  }

  async delete(name: string, actor: Actor): Promise<void> {
    await this.#write('delete', name, actor, async (tx) => {
      const before = await requireKey(tx, name);
      await tx.deleteFrom('api_key').where('name', '=', name).execute();
      return { before, after: null };
    });
  }

  async #write<After extends ApiKeyRow | null>(
    action: 'create' | 'rotate' | 'delete',
    name: string,
    actor: Actor,
    work: (tx: Transaction<Tables>) => Promise<{ readonly before: ApiKeyRow | null; readonly after: After }>,
  ): Promise<After> {
    const kind = `api-key-${action}`;
    const header = { actor: actor.name, kind, summary: `api key ${action}: ${name}`, ted: false };
    const { result } = await withRevision(this.db, header, async (tx, revision) => {
      const { before, after } = await work(tx);
      const change = { before: before && this.#view(before), after: after && this.#view(after) };
      await recordAudit(tx, { revision, kind, actor }, [{ entity: 'api-key', id: name, ...change }]);
      return after;
    });
    this.known.forget();
    return result;
  }

  #requireFuture(expiresAt: Date | undefined): void {
    if (expiresAt === undefined || expiresAt > this.clock()) return;
    throw new Problem('request-invalid', { detail: `${expiresAt.toISOString()} is past`, field: '/expiresAt' });
  }

  #view(row: ApiKeyRow): ApiKeyView {
    const hasPrevious = row.previous_until !== null && row.previous_until > this.clock();
    return {
      name: row.name,
      prefix: row.prefix,
      role: row.role,
      operations: row.operations,
      createdAt: row.created_at.toISOString(),
      createdBy: row.created_by,
      expiresAt: row.expires_at?.toISOString() ?? null,
      rotatedAt: row.rotated_at?.toISOString() ?? null,
      previousValidUntil: hasPrevious ? (row.previous_until?.toISOString() ?? null) : null,
      lastUsedAt: row.last_used_at?.toISOString() ?? null,
    };
  }
}

const noPrevious = { previous_prefix: null, previous_hash: null, previous_until: null };

/**
 * What clients use now: the key from before the last rotation, while it is good. So a rotation whose answer was lost, with
 * the new key in it, can be repeated without locking anybody out.
 */
function inUse({ prefix, hash, previous_prefix, previous_hash, previous_until }: ApiKeyRow, now: Date) {
  return previous_until !== null && previous_until > now
    ? { previous_prefix, previous_hash }
    : { previous_prefix: prefix, previous_hash: hash };
}

async function requireKey(db: Pick<Database, 'selectFrom'>, name: string): Promise<ApiKeyRow> {
  const row = await db.selectFrom('api_key').selectAll().where('name', '=', name).executeTakeFirst();
  if (row === undefined) throw new Problem('not-found', { detail: `there is no API key ${name}` });
  return row;
}
