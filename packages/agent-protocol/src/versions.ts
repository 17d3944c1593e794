import type { Hello } from './generated/waymark/agent/v1/agent.js';

/** Versions of the protocol that this code speaks. Version 1 named none; the hello and welcome of version 2 do. */
export const OLDEST_VERSION = 1;
export const NEWEST_VERSION = 2;

export interface VersionRange {
  readonly oldest: number;
  readonly newest: number;
}

/** The versions that an agent speaks. */
export function versionsOf({
  oldestVersion,
  newestVersion,
}: Pick<Hello, 'oldestVersion' | 'newestVersion'>): VersionRange {
  return { oldest: Math.max(1, oldestVersion), newest: Math.max(1, newestVersion) };
}

/** The newest version that both sides speak; undefined: there is none. */
export function commonVersion(theirs: VersionRange): number | undefined {
  const newest = Math.min(NEWEST_VERSION, theirs.newest);
  return newest >= Math.max(OLDEST_VERSION, theirs.oldest) ? newest : undefined;
}

/** `2`, or `1 to 2`. */
export function describeVersions({ oldest, newest }: VersionRange): string {
  return oldest === newest ? `${newest}` : `${oldest} to ${newest}`;
}
