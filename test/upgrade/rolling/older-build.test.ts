import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { root } from '../../started-system.js';
import { migrations } from '../earlier-schema.js';
import { findBuild, migrationsOf, promisesToRefuse } from './older-build.js';

describe('the build that an upgrade begins with', () => {
  it('may be a folder, which has to be built', () => {
    expect(findBuild(root).folder).toBe(root);
    expect(() => findBuild(tmpdir())).toThrow(
      /has no apps\/controller\/dist\/main\.js: run npm ci and npx tsc -b there/,
    );
  });

  it('has migrations, and says in its guide that its controllers refuse the database of a newer one', () => {
    expect(migrationsOf(root).map((name) => `${name}.sql`)).toEqual(migrations);
    expect(promisesToRefuse(root)).toBe(true);
  });
});
