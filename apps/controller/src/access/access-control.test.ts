import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../testing/eventually.js';
import { writeAdminKey } from '../testing/admin-key.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { AccessControl, type AccessSettings } from './access-control.js';
import { ApiKeys } from './api-keys.js';
import { KnownKeys } from './known-keys.js';

const actor = { name: 'admin-key' };
const SECOND = 1_000;
const DAY = 86_400 * SECOND;

describe('access', () => {
  let database: TestDatabase;
  let folder: string;
  let now: number;
  let uptime: number;
  const clock = () => new Date(now);

  beforeAll(async () => {
    database = await createTestDatabase();
    folder = mkdtempSync(join(tmpdir(), 'waymark-access-'));
  });
  afterAll(async () => {
    await database.drop();
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    await database.db.deleteFrom('api_key').execute();
    now = Date.parse('2026-03-01T12:00:00Z');
    uptime = 0;
  });

  const knownKeys = () => new KnownKeys(database.db, () => uptime);
  const pass = (milliseconds: number) => {
    now += milliseconds;
    uptime += milliseconds;
  };

  const settings: AccessSettings = { adminKeyFile: undefined, isEmbeddedOnLoopback: true };
  const open = (changed: Partial<AccessSettings> = {}, known = knownKeys()) =>
    AccessControl.open(
      { ...settings, ...changed },
      { db: database.db, known, tokens: undefined, clock, log: { warn: () => undefined } },
    );

  /** A controller: what it knows, and whom it lets in. */
  async function controller() {
    const known = knownKeys();
    return { keys: new ApiKeys(database.db, known, clock), access: await open({}, known) };
  }

  const refused = { code: 'unauthenticated' };

  describe('without a key', () => {
    it('is everybody’s on the embedded database on loopback', async () => {
      const access = await open();
      expect(access.isOpen).toBe(true);
      expect(await access.identify(undefined)).toMatchObject({ name: 'anonymous', role: 'admin' });
      // who shows something that is not good is not let in as somebody else
      await expect(access.identify('something')).rejects.toMatchObject(refused);
    });

    it('does not start anywhere else, and says what to set', async () => {
      const start = open({ isEmbeddedOnLoopback: false });
      await expect(start).rejects.toMatchObject({ name: 'StartFault' });
      await expect(start).rejects.toThrow('WAYMARK_ADMIN_KEY_FILE');
    });

    it('starts where an API key of an admin is in force', async () => {
      const { keys } = await controller();
      const soon = new Date(Date.now() + DAY);
      await keys.create({ name: 'ann', role: 'operator' }, actor);
      await keys.create({ name: 'bob', role: 'admin', operations: ['getMetrics'] }, actor);
      await expect(open({ isEmbeddedOnLoopback: false })).rejects.toThrow('WAYMARK_ADMIN_KEY_FILE');
      const { secret } = await keys.create({ name: 'eve', role: 'admin', expiresAt: soon }, actor);
      const access = await open({ isEmbeddedOnLoopback: false });
      expect(access.isOpen).toBe(false);
      await expect(access.identify(undefined)).rejects.toMatchObject(refused);
      expect(await access.identify(secret)).toMatchObject({ name: 'eve' });
    });
  });

  describe('with the admin key of a file', () => {
    it('closes even loopback, and makes its bearer an admin', async () => {
      const { settings: file, headers } = writeAdminKey(folder);
      const access = await open({ adminKeyFile: file.WAYMARK_ADMIN_KEY_FILE });
      expect(access.isOpen).toBe(false);
      const key = headers.authorization.slice('Bearer '.length);
      expect(await access.identify(key)).toEqual({
        name: 'admin-key',
        role: 'admin',
        operations: null,
        credential: 'admin-key',
      });
      await expect(access.identify(`${key}0`)).rejects.toMatchObject(refused);
      await expect(access.identify(undefined)).rejects.toMatchObject(refused);
    });

    it.each([
      ['is empty', ''],
      ['is short', 'secret'],
      ['holds more than a key', `${'a'.repeat(40)} ${'b'.repeat(40)}`],
    ])('is told what to do when it %s', async (_, content) => {
      const adminKeyFile = join(folder, 'bad');
      writeFileSync(adminKeyFile, content);
      await expect(open({ adminKeyFile })).rejects.toThrow('openssl rand -hex 32');
    });

    it('is told when there is none', async () => {
      await expect(open({ adminKeyFile: join(folder, 'none') })).rejects.toMatchObject({ name: 'StartFault' });
    });
  });

  describe('with an API key', () => {
    it('is that of its role and operations, in its name', async () => {
      const { keys, access } = await controller();
      const { key, secret } = await keys.create({ name: 'grafana', role: 'viewer', operations: ['getMetrics'] }, actor);
      expect(await access.identify(secret)).toEqual({
        name: 'grafana',
        role: 'viewer',
        operations: ['getMetrics'],
        credential: `api-key:${key.prefix}`,
      });
      const last = secret.endsWith('A') ? 'B' : 'A';
      await expect(access.identify(secret.slice(0, -1) + last)).rejects.toMatchObject(refused);
      await expect(access.identify(`wmk_${'0'.repeat(16)}_${'a'.repeat(43)}`)).rejects.toMatchObject(refused);
    });

    it('is kept as a hash only', async () => {
      const { keys } = await controller();
      const { secret } = await keys.create({ name: 'ann', role: 'viewer' }, actor);
      await keys.rotate('ann', {}, actor);
      const rows = JSON.stringify([
        await database.db.selectFrom('api_key').selectAll().execute(),
        await database.db.selectFrom('revision').selectAll().execute(),
      ]);
      expect(rows).toContain(secret.slice(0, 20));
      expect(rows).not.toContain(secret.slice(21));
    });

    it('is refused once it has expired', async () => {
      const { keys, access } = await controller();
      const { secret } = await keys.create({ name: 'ann', role: 'viewer', expiresAt: new Date(now + DAY) }, actor);
      pass(DAY - 1);
      expect(await access.identify(secret)).toMatchObject({ name: 'ann' });
      pass(1);
      await expect(access.identify(secret)).rejects.toThrow('the API key ann expired at 2026-03-02T12:00:00.000Z');
    });

    it('that is rotated stays good for the grace period, through a rotation that is repeated', async () => {
      const { keys, access } = await controller();
      const first = await keys.create({ name: 'ann', role: 'viewer' }, actor);
      const lost = await keys.rotate('ann', { graceSeconds: 60 }, actor);
      pass(30 * SECOND);
      const second = await keys.rotate('ann', { graceSeconds: 60 }, actor);
      expect(second.key.previousValidUntil).toBe(new Date(now + 60 * SECOND).toISOString());
      expect(await access.identify(first.secret)).toMatchObject({ name: 'ann' });
      expect(await access.identify(second.secret)).toMatchObject({ name: 'ann' });
      await expect(access.identify(lost.secret)).rejects.toMatchObject(refused);
      pass(60 * SECOND);
      await expect(access.identify(first.secret)).rejects.toMatchObject(refused);
      expect(await access.identify(second.secret)).toMatchObject({ name: 'ann' });
      expect((await keys.key('ann')).previousValidUntil).toBeNull();

      const third = await keys.rotate('ann', { graceSeconds: 0 }, actor);
      await expect(access.identify(second.secret)).rejects.toMatchObject(refused);
      expect(await access.identify(third.secret)).toMatchObject({ name: 'ann' });
    });

    it('that another controller deletes is refused within two seconds', async () => {
      const [here, there] = [await controller(), await controller()];
      const { secret } = await here.keys.create({ name: 'ann', role: 'viewer' }, actor);
      pass(3 * SECOND);
      expect(await there.access.identify(secret)).toMatchObject({ name: 'ann' });
      await here.keys.delete('ann', actor);
      await expect(here.access.identify(secret)).rejects.toMatchObject(refused);
      pass(2 * SECOND + 1);
      await expect(there.access.identify(secret)).rejects.toMatchObject(refused);
    });

    it('is known for a while when the database is gone', async () => {
      const { keys } = await controller();
      const { secret } = await keys.create({ name: 'ann', role: 'viewer' }, actor);
      let isGone = false;
      const db = new Proxy(database.db, {
        get: (target, key) => {
          if (isGone && key === 'selectFrom') throw new Error('gone');
          const value = Reflect.get(target, key) as unknown;
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
      const access = await open({}, new KnownKeys(db, () => uptime));
      await access.identify(secret);
      isGone = true;
      pass(299 * SECOND);
      expect(await access.identify(secret)).toMatchObject({ name: 'ann' });
      pass(2 * SECOND);
      await expect(access.identify(secret)).rejects.toThrow('gone');
    });

    it('notes its use', async () => {
      const { keys, access } = await controller();
      const { key, secret } = await keys.create({ name: 'ann', role: 'viewer' }, actor);
      expect(key.lastUsedAt).toBeNull();
      await access.identify(secret);
      await eventually(async () => expect((await keys.key('ann')).lastUsedAt).not.toBeNull());
    });
  });

  describe('API keys', () => {
    it('come in pages, by name', async () => {
      const { keys } = await controller();
      for (const name of ['b', 'C', 'a']) await keys.create({ name, role: name === 'b' ? 'admin' : 'viewer' }, actor);
      const first = await keys.keys({}, { limit: 2 });
      expect(first.items.map(({ name }) => name)).toEqual(['C', 'a']);
      const rest = await keys.keys({}, { limit: 2, ...(first.next === null ? {} : { after: first.next }) });
      expect(rest).toMatchObject({ items: [{ name: 'b' }], next: null });
      expect((await keys.keys({ role: 'admin' }, { limit: 2 })).items).toHaveLength(1);
    });

    it('are in the change log, with who made them', async () => {
      const { keys } = await controller();
      await keys.create({ name: 'ann', role: 'viewer' }, { name: 'root' });
      const { created_by } = await database.db.selectFrom('api_key').select('created_by').executeTakeFirstOrThrow();
      expect(created_by).toBe('root');
      const logged = await database.db.selectFrom('revision').selectAll().orderBy('revision', 'desc').execute();
      expect(logged[0]).toMatchObject({ actor: 'root', kind: 'api-key-create', summary: 'api key create: ann' });
    });

    it('refuse names that are taken, expiry in the past, and keys that are not there', async () => {
      const { keys } = await controller();
      await keys.create({ name: 'ann', role: 'viewer' }, actor);
      const create = (more: object) => keys.create({ name: 'new', role: 'viewer', ...more }, actor);
      await expect(create({ name: 'ann' })).rejects.toMatchObject({ code: 'already-exists' });
      await expect(create({ name: 'anonymous' })).rejects.toMatchObject({ info: { field: '/name' } });
      await expect(create({ expiresAt: clock() })).rejects.toMatchObject({ info: { field: '/expiresAt' } });
      await expect(keys.rotate('bob', {}, actor)).rejects.toMatchObject({ code: 'not-found' });
      await expect(keys.delete('bob', actor)).rejects.toMatchObject({ code: 'not-found' });
      await expect(keys.key('bob')).rejects.toMatchObject({ code: 'not-found' });
    });
  });
});
