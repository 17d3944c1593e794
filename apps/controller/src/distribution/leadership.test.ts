import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventually as within } from '../testing/eventually.js';
import { relayPostgres } from '../testing/postgres-relay.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { Deposed } from './fence.js';
import { Leadership } from './leadership.js';

// Sessions start in threads of their own, and takeovers wait for timeouts of Postgres.
vi.setConfig({ testTimeout: 120_000 });
const eventually = (check: () => unknown) => within(check, 60_000);

let database: TestDatabase;
const endings: (() => Promise<unknown> | undefined)[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
  await database.drop();
});

interface Contender {
  readonly leadership: Leadership;
  /** `+epoch` and `-epoch`, as they came. */
  readonly terms: string[];
}

function contend(holder: string, url = database.url): Contender {
  const leadership = new Leadership({ url, db: database.db, log: pino({ level: 'silent' }), holder });
  const terms: string[] = [];
  leadership.onLead((epoch, signal) => {
    terms.push(`+${epoch}`);
    signal.addEventListener('abort', () => terms.push(`-${epoch}`));
  });
  leadership.start();
  endings.push(() => leadership.stop());
  return { leadership, terms };
}

function write(leadership: Leadership, epoch: number): Promise<unknown> {
  return leadership.fenced(epoch, (tx) => sql`update head set computed_through = computed_through + 1`.execute(tx));
}

async function written(): Promise<number> {
  return (await database.db.selectFrom('head').select('computed_through').executeTakeFirstOrThrow()).computed_through;
}

interface LeaderProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  /** The lines that it has printed. */
  readonly said: readonly string[];
}

/** testing/leader-process.mjs, once it leads. */
async function leaderProcess(): Promise<LeaderProcess> {
  const script = fileURLToPath(new URL('../testing/leader-process.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, database.url], { stdio: ['pipe', 'pipe', 'inherit'] });
  endings.push(async () => {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const said: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => said.push(line));
  await eventually(() => said.includes('leads 1'));
  return { child, said };
}

describe('leadership', () => {
  it('is held by one of two contenders, and passes on when that one stops', async () => {
    const both = [contend('a'), contend('b')];
    await eventually(() => both.some(({ leadership }) => leadership.epoch === 1));
    const [leader, other] = both[0]?.leadership.epoch === 1 ? both : [...both].reverse();
    expect(other?.leadership.epoch).toBeUndefined();
    await write(leader?.leadership as Leadership, 1);
    await leader?.leadership.stop();
    expect(leader?.terms).toEqual(['+1', '-1']);
    await eventually(() => other?.leadership.epoch === 2);
    await expect(write(leader?.leadership as Leadership, 1)).rejects.toThrow(Deposed);
    await write(other?.leadership as Leadership, 2);
    expect(await written()).toBe(2);
    const row = await database.db.selectFrom('leader').selectAll().executeTakeFirstOrThrow();
    expect(row).toMatchObject({ epoch: 2, holder: expect.stringMatching(/^[ab]$/) as string });
  });

  it('is lost with the connection and won again in a newer epoch', async () => {
    const { leadership, terms } = contend('a');
    await eventually(() => leadership.epoch === 1);
    await sql`
      select pg_terminate_backend(pid) from pg_locks join pg_database d on d.oid = database
      where locktype = 'advisory' and granted and datname = current_database()
    `.execute(database.db);
    await eventually(() => expect(terms.slice(0, 3)).toEqual(['+1', '-1', '+2']));
    await expect(write(leadership, 1)).rejects.toThrow(Deposed);
    await write(leadership, 2);
    expect(await written()).toBe(1);
  });

  it('tells a callback that comes late of the term under way', async () => {
    const { leadership } = contend('a');
    await eventually(() => leadership.epoch === 1);
    let epoch = 0;
    leadership.onLead((current) => (epoch = current));
    expect(epoch).toBe(1);
  });

  it('passes on when the network between its holder and Postgres falls silent', async () => {
    const proxy = await relayPostgres(database.url);
    endings.push(() => proxy.close());
    const cut = contend('cut', proxy.url);
    await eventually(() => cut.leadership.epoch === 1);
    const other = contend('other');
    proxy.silence();
    await eventually(() => expect(cut.terms).toEqual(['+1', '-1']));
    await eventually(() => other.leadership.epoch === 2);
    await expect(write(cut.leadership, 1)).rejects.toThrow(Deposed);
  });

  it('passes on from a process that was stopped in its tracks, whose writes are refused when it wakes', async () => {
    const { child, said } = await leaderProcess();
    child.stdin.write('write\n');
    await eventually(() => said.includes('written'));

    child.kill('SIGSTOP');
    const other = contend('other');
    await eventually(() => other.leadership.epoch === 2);
    await write(other.leadership, 2);
    const before = await written();
    child.stdin.write('write\n');
    child.kill('SIGCONT');
    await eventually(() => said.includes('deposed 1'));
    await eventually(() => said.includes('refused'));
    expect(await written()).toBe(before);
    expect(other.leadership.epoch).toBe(2);
  });

  it('stays with a process whose main thread is busy for longer than its session may be silent', async () => {
    const { child, said } = await leaderProcess();
    const other = contend('other');
    child.stdin.write('busy 5000\n');
    await eventually(() => said.includes('busy no more'));
    child.stdin.write('write\n');
    await eventually(() => said.includes('written'));
    expect(said).toEqual(['leads 1', 'busy no more', 'written']);
    expect(other.terms).toEqual([]);
  });

  it('passes on from a process whose main thread hangs', async () => {
    const { child } = await leaderProcess();
    const other = contend('other');
    child.stdin.write('busy 3600000\n');
    await eventually(() => other.leadership.epoch === 2);
  });

  it('waits, when it passes on, for the transactions of the epoch before', async () => {
    const { leadership } = contend('a');
    await eventually(() => leadership.epoch === 1);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let begun = false;
    const slow = leadership.fenced(1, async (tx) => {
      begun = true;
      await held;
      await sql`update head set computed_through = 7`.execute(tx);
    });
    await eventually(() => begun);
    await leadership.stop();
    const next = contend('b');
    const blocked = sql<{ n: number }>`
      select count(*) as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
    `;
    await eventually(async () => (await blocked.execute(database.db)).rows[0]?.n === 1);
    expect(next.leadership.epoch).toBeUndefined();
    release();
    await slow;
    await eventually(() => next.leadership.epoch === 2);
    expect(await written()).toBe(7);
  });

  it('does not wait for ever for a transaction that hangs', async () => {
    const { leadership } = contend('a');
    await eventually(() => leadership.epoch === 1);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let begun = false;
    const hung = leadership.fenced(1, async (tx) => {
      begun = true;
      await held;
      await sql`update head set computed_through = 7`.execute(tx);
    });
    await eventually(() => begun);
    await leadership.stop();
    const next = contend('b');
    await eventually(() => next.leadership.epoch === 2);
    release();
    await expect(hung).rejects.toThrow();
    expect(await written()).toBe(0);
  });

  it('begins a new term above an epoch that an agent reports', async () => {
    const { leadership, terms } = contend('a');
    await eventually(() => leadership.epoch === 1);
    await leadership.raiseAbove(1, 41);
    expect(terms).toEqual(['+1', '-1', '+42']);
    await expect(write(leadership, 1)).rejects.toThrow(Deposed);
    await write(leadership, 42);
    await expect(leadership.raiseAbove(1, 50)).rejects.toThrow(Deposed);
    expect(leadership.epoch).toBe(42);
  });
});
