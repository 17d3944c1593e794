import { maskedPrefix } from '../address.js';
import type { Family } from '../port.js';

export const DEFAULT_ROUTES: Readonly<Record<Family, string>> = { ipv4: '0.0.0.0/0', ipv6: '::/0' };

/**
 * VPP 26.06 puts steering of a prefix for which its table has a route already beside a path that drops, and so loses half of
 * it. Each table has a default route, therefore that one is steered as its two halves, whose host bits tell them from the
 * same prefixes steered for themselves.
 */
const HALVES: ReadonlyMap<string, readonly [string, string]> = new Map([
  [DEFAULT_ROUTES.ipv4, ['0.0.0.1/1', '128.0.0.1/1']],
  [DEFAULT_ROUTES.ipv6, ['::1/1', '8000::1/1']],
]);

/** What VPP is asked to steer for a prefix. */
export function partsOf(prefix: string): readonly string[] {
  return HALVES.get(prefix) ?? [prefix];
}

/** Prefixes that cannot be steered beside this one in the same table: their routes would be one. */
export function clashing(prefix: string): readonly string[] {
  const parts = HALVES.get(prefix);
  if (parts !== undefined) return parts.map(maskedPrefix);
  return [...HALVES].flatMap(([whole, halves]) =>
    halves.some((half) => maskedPrefix(half) === prefix) ? [whole] : [],
  );
}

/**
 * A default route steered as one, beside a path that drops, as earlier versions of the agent did.
 *
 * @param steering as `joinHalves` made it
 */
export function isUndivided({
  prefix,
  parts,
}: {
  readonly prefix: string;
  readonly parts: readonly string[];
}): boolean {
  return parts.length === 1 && HALVES.has(prefix);
}

interface Part {
  readonly family: Family;
  readonly table: number;
  readonly prefix: string;
  readonly bsid: string;
  readonly routed: boolean;
}

/** Makes one steering of the halves of each default route that lead to the same. Others stay as they are. */
export function joinHalves<T extends Part>(
  steerings: readonly T[],
): readonly (T & { readonly parts: readonly string[] })[] {
  const known = new Map(steerings.map((steering) => [keyOf(steering), steering]));
  return steerings.flatMap((steering) => {
    for (const [whole, [first, second]] of HALVES) {
      if (steering.prefix !== first && steering.prefix !== second) continue;
      const other = known.get(keyOf({ ...steering, prefix: steering.prefix === first ? second : first }));
      if (other?.bsid !== steering.bsid || other.routed !== steering.routed) continue;
      return steering.prefix === first ? [{ ...steering, prefix: whole, parts: [first, second] }] : [];
    }
    return [{ ...steering, parts: [steering.prefix] }];
  });
}

function keyOf({ family, table, prefix }: Pick<Part, 'family' | 'table' | 'prefix'>): string {
  return `${family} ${table} ${prefix}`;
}
