import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { Tables } from '../storage/database.js';
import { linkRowFrom, locatorRowFrom, nodeRowFrom, sidRowFrom } from './row-records.js';
import type { TedRows } from './ted-rows.js';

/** Which versions of rows to read. */
export type RowSelection =
  | { readonly kind: 'open' }
  /** Valid at a revision. */
  | { readonly kind: 'at'; readonly revision: number }
  /** Opened or closed after a revision. */
  | { readonly kind: 'changed-after'; readonly revision: number }
  /** Opened or closed by exactly this revision. */
  | { readonly kind: 'changed-by'; readonly revision: number };

/** Reads one after the other: give a transaction of one snapshot where that matters. */
export async function readRows(db: Kysely<Tables>, selection: RowSelection): Promise<TedRows> {
  const condition = conditionOf(selection);
  const nodes = await db.selectFrom('node_layer').selectAll().where(condition).execute();
  const links = await db.selectFrom('link_layer').selectAll().where(condition).execute();
  const locators = await db.selectFrom('locator').selectAll().where(condition).execute();
  const sids = await db.selectFrom('sid').selectAll().where(condition).execute();
  return {
    nodes: nodes.map(nodeRowFrom),
    links: links.map(linkRowFrom),
    locators: locators.map(locatorRowFrom),
    sids: sids.map(sidRowFrom),
  };
}

function conditionOf(selection: RowSelection): RawBuilder<boolean> {
  switch (selection.kind) {
    case 'open':
      return sql<boolean>`to_revision is null`;
    case 'at':
      return sql<boolean>`from_revision <= ${selection.revision}
        and (to_revision is null or to_revision > ${selection.revision})`;
    case 'changed-after':
      return sql<boolean>`(from_revision > ${selection.revision} or to_revision > ${selection.revision})`;
    case 'changed-by':
      return sql<boolean>`(from_revision = ${selection.revision} or to_revision = ${selection.revision})`;
  }
}
