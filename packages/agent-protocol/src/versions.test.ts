import { describe, expect, it } from 'vitest';
import { commonVersion, NEWEST_VERSION, OLDEST_VERSION, versionsOf } from './versions.js';

describe('the version of a session', () => {
  it('is 1 with an agent that names none', () => {
    expect(versionsOf({ oldestVersion: 0, newestVersion: 0 })).toEqual({ oldest: 1, newest: 1 });
    expect(commonVersion({ oldest: 1, newest: 1 })).toBe(1);
  });

  it('is the newest that both speak', () => {
    expect(commonVersion({ oldest: OLDEST_VERSION, newest: NEWEST_VERSION + 5 })).toBe(NEWEST_VERSION);
    expect(commonVersion({ oldest: NEWEST_VERSION, newest: NEWEST_VERSION })).toBe(NEWEST_VERSION);
  });

  it('does not exist with one that is too new, or has lost all that is spoken here', () => {
    expect(commonVersion({ oldest: NEWEST_VERSION + 1, newest: NEWEST_VERSION + 2 })).toBeUndefined();
    expect(commonVersion({ oldest: 0, newest: OLDEST_VERSION - 1 })).toBeUndefined();
  });
});
