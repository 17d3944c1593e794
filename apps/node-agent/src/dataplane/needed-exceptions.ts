import { inPrefix, maskedPrefix } from './address.js';

/**
 * The routes inside steered prefixes and outside the edge blocks, more specific than they, that are not steering
 * themselves: what a table that is consulted before theirs would hide. All of one family. Looked at often: each route is
 * masked to the lengths that are steered, not held against every steered prefix.
 */
export function neededExceptions(
  steered: readonly string[],
  routes: readonly string[],
  steeredByOthers: ReadonlySet<string> = new Set(),
  edgeBlocks: readonly string[] = [],
): ReadonlySet<string> {
  const edgeTests = edgeBlocks.map(inPrefix);
  const own = new Set(steered);
  const networks = new Set(steered.map(maskedPrefix));
  const lengths = [...new Set(steered.map(lengthOf))];
  const isInside = (route: string): boolean => {
    const [address = ''] = route.split('/');
    const most = lengthOf(route);
    return lengths.some((length) => length <= most && networks.has(maskedPrefix(`${address}/${length}`)));
  };
  return new Set(
    routes.filter(
      (route) =>
        !own.has(route) &&
        !steeredByOthers.has(route) &&
        isInside(route) &&
        !edgeTests.some((contains) => contains(route)),
    ),
  );
}

function lengthOf(prefix: string): number {
  return Number(prefix.slice(prefix.indexOf('/') + 1));
}
