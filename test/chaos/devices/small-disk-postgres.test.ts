import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { missingNeeds } from '../../require-program.js';
import { seeded } from './random.js';
import { SMALL_DISK_PROGRAMS, SmallDiskPostgres } from './small-disk-postgres.js';

const missing = missingNeeds({ programs: [...SMALL_DISK_PROGRAMS, 'setpriv'], root: true });
const patient = { timeout: 60_000 };
const timeout = 180_000;
const title = `Postgres on a small disk${missing === undefined ? '' : ` (skipped: ${missing})`}`;

describe.skipIf(missing !== undefined)(title, { timeout }, () => {
  let postgres: SmallDiskPostgres;

  beforeEach(async () => {
    postgres = await SmallDiskPostgres.start(seeded(1));
    await query('create table kept (number int primary key, body bytea)');
  }, timeout);

  afterEach(() => postgres.stop(), timeout);

  /** In a session of its own. */
  async function query(statement: string): Promise<readonly unknown[]> {
    const client = new pg.Client({ connectionString: postgres.url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query<unknown[]>({ text: statement, rowMode: 'array' })).rows.flat();
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** Rows that do not compress, a mebibyte each. */
  const insert = (number: number): Promise<unknown> =>
    query(
      `insert into kept select ${String(number)}, string_agg(decode(md5(random()::text), 'hex'), '') from generate_series(1, 65536)`,
    );

  it('refuses writes when its disk is full, keeps all it accepted, and takes writes when there is room', async () => {
    const accepted: number[] = [];
    const write = async (number: number): Promise<void> => {
      await insert(number);
      accepted.push(number);
    };
    await write(0);
    await postgres.fill();
    const refusals: string[] = [];
    // The server ends when its log finds no room, and is not there then; a connection says so in its own words.
    for (let number = 1; number <= 40 && refusals.length < 3; number++) {
      await write(number).catch((error: unknown) => refusals.push(String(error)));
    }
    expect(refusals[0]).toMatch(/No space left on device|terminated|ECONNRESET|recovery mode/);
    expect(accepted.length).toBeLessThan(40);
    await postgres.empty();
    await vi.waitFor(() => write(100), patient);
    expect(await query('select number from kept order by number')).toEqual(expect.arrayContaining(accepted));
  });

  it('comes back with all that it accepted after kill -9, where it was', async () => {
    await insert(1);
    await postgres.kill();
    await expect(query('select 1')).rejects.toThrow();
    await postgres.restart();
    expect(await query('select number from kept')).toEqual([1]);
  });

  it('stops in its tracks, and goes on', async () => {
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    await postgres.freeze();
    let answered = false;
    const asked = client.query('select 1').then(() => (answered = true));
    await expect(query('select 1')).rejects.toThrow('timeout');
    expect(answered).toBe(false);
    await postgres.thaw();
    await asked;
    await client.end();
  });
});
