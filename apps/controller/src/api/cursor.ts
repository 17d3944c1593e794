import { Problem } from '../model/errors.js';
import type { Page, PageRequest } from '../model/ports.js';

/**
 * Cursors of lists. Opaque to clients: the name of the list and the last key of the page, so that a cursor of one list is
 * refused by another, and nothing but a key of the right form reaches a service.
 */
export interface Listing {
  readonly name: string;
  readonly keyPattern: RegExp;
}

export interface PageQuery {
  readonly limit?: number;
  readonly after?: string;
}

const defaultLimit = 100;

/** Parts a list's query into page and filter. Throws `request-invalid` for a cursor that this list did not give out. */
export function pageRequest<Query extends PageQuery>(
  listing: Listing,
  { limit = defaultLimit, after, ...filter }: Query,
) {
  const page: PageRequest = after === undefined ? { limit } : { limit, after: decodeCursor(listing, after) };
  return { page, filter };
}

/** The page as clients see it. */
export function pageReply<Item>(listing: Listing, page: Page<Item>): Page<Item> {
  return { items: page.items, next: page.next === null ? null : encodeCursor(listing, page.next) };
}

function encodeCursor(listing: Listing, key: string): string {
  return Buffer.from(`${listing.name}\n${key}`).toString('base64url');
}

function decodeCursor(listing: Listing, cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString();
  const key = text.slice(listing.name.length + 1);
  if (encodeCursor(listing, key) !== cursor || !listing.keyPattern.test(key)) {
    throw new Problem('request-invalid', {
      detail: `"${cursor.slice(0, 60)}" is not a cursor of this list`,
      field: 'after',
    });
  }
  return key;
}
