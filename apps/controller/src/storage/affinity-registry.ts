import type { Kysely, Transaction } from 'kysely';
import { Problem } from '../model/errors.js';
import type { Tables } from './database.js';

/** Bits of an extended admin group (RFC 7308) that Waymark uses. */
export const MAX_AFFINITIES = 256;

/**
 * Gives each new affinity name the lowest free bit; a name keeps its bit for ever. Throws `affinity-overflow` when the
 * bits do not suffice. The caller holds the head row, so two writers never choose the same bit.
 */
export async function registerAffinities(tx: Transaction<Tables>, names: Iterable<string>): Promise<void> {
  const added = await newAffinities(tx, names);
  if (added.length > 0)
    await tx
      .insertInto('affinity')
      .values([...added])
      .execute();
}

/** What `registerAffinities` would add. Throws as it does. */
export async function newAffinities(
  db: Kysely<Tables>,
  names: Iterable<string>,
): Promise<readonly { readonly name: string; readonly bit: number }[]> {
  const wanted = new Set(names);
  if (wanted.size === 0) return [];
  const known = await db.selectFrom('affinity').select(['name', 'bit']).execute();
  for (const { name } of known) wanted.delete(name);
  const taken = new Set(known.map(({ bit }) => bit));
  const free = Array.from({ length: MAX_AFFINITIES }, (_, bit) => bit).filter((bit) => !taken.has(bit));
  if (wanted.size > free.length) {
    const some = [...wanted].slice(0, 5).join(', ');
    throw new Problem('affinity-overflow', {
      detail: `${wanted.size} new affinities (${some}${wanted.size > 5 ? ', …' : ''}) for ${free.length} free bits`,
    });
  }
  return [...wanted].sort().map((name, index) => ({ name, bit: free[index] ?? 0 }));
}
