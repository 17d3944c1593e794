import { Type, type TSchema } from 'typebox';
import { integer, list, nullable, object, token } from './scalars.js';

const cursorPattern = '^[A-Za-z0-9_-]{1,512}$';

/** Query parameters of every list. */
export const pageQuery = {
  limit: Type.Optional(integer('Items per page.', { minimum: 1, maximum: 1000, default: 100, examples: [100] })),
  after: Type.Optional(
    token('The `next` of the page before; opaque. Omit it for the first page.', cursorPattern, 512, []),
  ),
};

/** One page of a list. */
export function pageOf<Item extends TSchema>(title: string, description: string, item: Item) {
  return object(title, description, {
    items: list('The items of this page, in the order of their keys.', item, 1000),
    next: nullable(
      token('Cursor.', cursorPattern, 512, ['bm9kZXMKZGMtbG9uZG9u']),
      'Pass it as `after` to get the next page; null on the last one.',
    ),
  });
}
