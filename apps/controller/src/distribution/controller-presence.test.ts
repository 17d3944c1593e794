import { sql } from 'kysely';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withRevision } from '../storage/revision.js';
import { eventually as within } from '../testing/eventually.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { ControllerPresence } from './controller-presence.js';
import { Leadership } from './leadership.js';

// Sessions start in threads of their own.
vi.setConfig({ testTimeout: 120_000 });
const eventually = (check: () => unknown) => within(check, 60_000);

const log = pino({ level: 'silent' });
const endings: (() => Promise<void>)[] = [];
let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
  await database.drop();
});

interface Started {
  readonly leadership: Leadership;
  readonly presence: ControllerPresence;
}

function start(name: string, seenRevision = () => 0): Started {
  const { db, url } = database;
  const leadership = new Leadership({ url, db, log, holder: name });
  const presence = new ControllerPresence({ db, leadership, log, name, version: '1.2.3', seenRevision });
  leadership.start();
  presence.start();
  endings.push(
    () => leadership.stop(),
    () => presence.stop(),
  );
  return { leadership, presence };
}

const statesOf = async ({ presence }: Started) => {
  const { items } = await presence.controllers();
  return items.map(({ name, self, state }) => `${name} ${state}${self ? ', asked' : ''}`);
};

describe('the controllers of an installation', () => {
  it('tell who leads, and who takes over, whichever is asked', async () => {
    const a = start('a');
    await eventually(() => a.leadership.epoch === 1);
    const b = start('b');
    await eventually(async () => expect(await statesOf(a)).toEqual(['a leads, asked', 'b follows']));
    expect(await statesOf(b)).toEqual(['a leads', 'b follows, asked']);
    expect(await b.presence.controllers()).toMatchObject({ epoch: 1, leader: { name: 'a' } });

    await a.leadership.stop();
    await eventually(async () => expect(await statesOf(a)).toEqual(['a follows, asked', 'b leads']));
    expect(await a.presence.controllers()).toMatchObject({ epoch: 2, leader: { name: 'b' } });
    await a.presence.stop();
    expect(await statesOf(b)).toEqual(['b leads, asked']);
  });

  it('tell of those that have fallen silent, who do not lead any more', async () => {
    const a = start('a');
    await sql`
      insert into controller (id, name, version, started_at, last_seen, epoch, revision, behind_ms)
      select gen_random_uuid(), name, '1', now(), now() - ago, 1, 0, 0
      from (values ('silent', interval '7 seconds'), ('forgotten', interval '25 hours')) as gone (name, ago)
    `.execute(database.db);
    await eventually(async () => expect(await statesOf(a)).toEqual(['a leads, asked', 'silent silent']));
  });

  it('tell how far their views are behind', async () => {
    let seen = 0;
    const a = start('a', () => seen);
    const header = { actor: 'test', kind: 'test', summary: 'a test', ted: true };
    await withRevision(database.db, header, () => Promise.resolve());
    const view = async () => (await a.presence.controllers()).items[0];
    await eventually(async () => {
      expect(await view()).toMatchObject({ revision: 0 });
      expect((await view())?.behindMs).toBeGreaterThan(0);
    });
    seen = 1;
    await eventually(async () => expect(await view()).toMatchObject({ revision: 1, behindMs: 0 }));
  });
});
