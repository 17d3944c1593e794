import type { Sid } from '../model/ted.js';

/** Where a transport list ends: in an End SID with USD, then in one without USP, then in the first. */
export function preferredEnd(ends: readonly Sid[]): Sid | undefined {
  const points = ({ flavors }: Sid) => (flavors.includes('USD') ? 2 : 0) + (flavors.includes('USP') ? 0 : 1);
  return [...ends].sort((a, b) => points(b) - points(a))[0];
}
