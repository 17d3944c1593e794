/** With fewer, half of them going is nothing unusual. */
const LEAST_KNOWN = 4;

/**
 * Whoever loses most of what it knew at once has more likely lost its own view than seen the world end: it broke, restarted
 * empty, or is another one. `known` counts what is gone, too.
 */
export function isCollapse(gone: number, known: number): boolean {
  return known >= LEAST_KNOWN && gone * 2 > known;
}
