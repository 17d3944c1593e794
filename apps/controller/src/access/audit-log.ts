import type { AuditEntry } from '../model/audit.js';
import type { AuditFilter } from '../model/filters.js';
import type { AuditService, Page, PageRequest } from '../model/ports.js';
import type { Database } from '../storage/database.js';

/** Reads what the transactions of changes wrote down (storage/audit.ts). */
export class AuditLog implements AuditService {
  constructor(private readonly db: Database) {}

  async entries(filter: AuditFilter, { limit, after }: PageRequest): Promise<Page<AuditEntry>> {
    const { entity, entityId, actor, kind, requestId, revision, since, until } = filter;
    let query = this.db.selectFrom('audit').selectAll();
    if (after !== undefined) query = query.where('id', '<', Number(after));
    if (entity !== undefined) query = query.where('entity', '=', entity);
    if (entityId !== undefined) query = query.where('entity_id', '=', entityId);
    if (actor !== undefined) query = query.where('actor', '=', actor);
    if (kind !== undefined) query = query.where('kind', '=', kind);
    if (requestId !== undefined) query = query.where('request_id', '=', requestId);
    if (revision !== undefined) query = query.where('revision', '=', revision);
    if (since !== undefined) query = query.where('at', '>=', since);
    if (until !== undefined) query = query.where('at', '<', until);
    const rows = await query
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute();
    const items = rows.slice(0, limit).map(({ at, request_id: requestId, entity_id: entityId, ...row }) => ({
      ...row,
      at: at.toISOString(),
      requestId,
      entityId,
    }));
    return { items, next: rows.length > limit ? String(items.at(-1)?.id) : null };
  }
}
