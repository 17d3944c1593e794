import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Problem } from '../model/errors.js';
import type { EntryLine, RecordingLine } from '../model/recording.js';
import { withRevision } from '../storage/revision.js';
import { isOutage } from '../model/outage.js';
import { createDatabase, endSessions } from '../storage/database.js';
import { eventually } from '../testing/eventually.js';
import { relayPostgres } from '../testing/postgres-relay.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { fromJson } from './bytes-as-json.js';
import { Recorder } from './recorder.js';
import type { LineFile } from './recording-file.js';

let database: TestDatabase;
let folder: string;
let path: string;
let warnings: string[];

beforeEach(async () => {
  database = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'waymark-recorder-'));
  path = join(folder, 'recording.jsonl');
  warnings = [];
});

afterEach(async () => {
  await database.drop();
  await rm(folder, { recursive: true });
});

function options(maxBytes = 1_000_000) {
  const settings = { bsidPool: 'fdbb:b51d::/32', holdMs: 10, maxHoldMs: 20, workers: 1 };
  const log = { info: () => undefined, warn: (_: object, message: string) => void warnings.push(message) };
  return { ...{ path, maxBytes, settings, log }, db: database.db, now: Date.now, engine: '1' };
}

async function lines(): Promise<RecordingLine[]> {
  const text = await readFile(path, 'utf8');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => fromJson(line) as RecordingLine);
}

const entry = (name: string) => ({ kind: 'call', input: { name }, outputOf: (output: unknown) => output }) as const;

/** What any controller does. */
function change(name = 'test'): Promise<unknown> {
  const header = { actor: name, kind: 'test', summary: 'test', ted: false };
  return withRevision(database.db, header, () => Promise.resolve(null));
}

describe('a recording', () => {
  it('has each entry with its time, its facts, what came of it, and the revisions it took', async () => {
    const recorder = await Recorder.start(options());
    const at = await recorder.take(entry('first'), async () => {
      await recorder.fact(() => Promise.resolve('the database says so'));
      await recorder.take(entry('part of the first'), () => change());
      return recorder.now();
    });
    const refusal = new Problem('not-found', { detail: 'nothing is there' });
    await expect(recorder.take(entry('second'), () => Promise.reject(refusal))).rejects.toBe(refusal);
    await expect(recorder.take(entry('third'), () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await recorder.close();

    const [begin, first, second, third, end, ...more] = await lines();
    expect(begin).toMatchObject({
      kind: 'begin',
      seq: 1,
      head: { revision: 0 },
      tables: { sr_policy: expect.any(String) as string },
    });
    expect(first).toMatchObject({
      at: new Date(at).toISOString(),
      input: { name: 'first' },
      facts: ['the database says so'],
    });
    expect(first).toMatchObject({ output: at, head: { revision: 1 }, revisions: [[1, expect.any(String)]] });
    expect(second).toMatchObject({
      input: { name: 'second' },
      problem: { code: 'not-found', detail: 'nothing is there' },
    });
    expect(third).toMatchObject({ input: { name: 'third' }, failed: 'broken' });
    expect(end).toMatchObject({ kind: 'end', reason: 'the controller stopped' });
    expect(more).toEqual([]);
  });

  it('has them in the order in which they took effect, whatever wants to happen at once', async () => {
    const recorder = await Recorder.start(options());
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 20 }, (_, number) =>
        recorder.take(entry(String(number)), async () => {
          await change();
          order.push(number);
        }),
      ),
    );
    await recorder.close();
    const calls = (await lines()).filter((line): line is EntryLine => line.kind === 'call');
    expect(calls.map(({ input }) => Number((input as { name: string }).name))).toEqual(order);
    expect(calls.map(({ head }) => head?.revision)).toEqual(order.map((_, index) => index + 1));
  });

  it('keeps bytes', async () => {
    const recorder = await Recorder.start(options());
    await recorder.take(entry('bytes'), () => Promise.resolve({ body: Uint8Array.of(0, 255) }));
    await recorder.close();
    expect((await lines())[1]).toMatchObject({ output: { body: Buffer.of(0, 255) } });
  });

  it('says so when something else has changed the database', async () => {
    const recorder = await Recorder.start(options());
    await change('another controller');
    await recorder.take(entry('after it'), () => Promise.resolve(null));
    await recorder.close();
    expect(await lines()).toMatchObject([
      { kind: 'begin' },
      {
        kind: 'gap',
        reason: expect.stringMatching(
          /^something else moved the database from .*"revision":0,.* to .*"revision":1,/,
        ) as string,
      },
      { input: { name: 'after it' } },
      { kind: 'end' },
    ]);
  });

  it('is no reason for anything to fail when the disk is full, and says what is missing once it is not', async () => {
    const written: string[] = [];
    let isFull = false;
    const file: LineFile = {
      bytes: 0,
      append: (line) => {
        if (isFull) return Promise.reject(new Error('ENOSPC: no space left on device'));
        written.push(line);
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    };
    const recorder = await Recorder.start(options(), file);
    isFull = true;
    for (const name of ['first', 'second']) {
      expect(await recorder.take(entry(name), () => Promise.resolve(name))).toBe(name);
    }
    isFull = false;
    await recorder.take(entry('third'), () => Promise.resolve(null));
    await recorder.close();
    expect(written.map((line) => fromJson(line))).toMatchObject([
      { kind: 'begin' },
      { kind: 'gap', reason: '2 lines could not be written' },
      { input: { name: 'third' } },
      { kind: 'end' },
    ]);
    expect(warnings).toEqual(['the recording cannot be written, and will say so']);
  });

  it('refuses changes at once while the database says nothing, and says later that it was away', async () => {
    const way = await relayPostgres(database.url);
    const db = createDatabase(way.url);
    const recorder = await Recorder.start({ ...options(), db });
    way.silence();
    let begun = 0;
    const attempts = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        recorder.take(entry(`attempt ${i}`), () => {
          begun += 1;
          return Promise.resolve(null);
        }),
      ),
    );
    expect(attempts.map(({ status }) => status)).toEqual(attempts.map(() => 'rejected'));
    for (const attempt of attempts) expect(attempt).toHaveProperty('reason', expect.toSatisfy(isOutage));
    expect(begun).toBe(0);
    // Who leads does not follow from the database's answers.
    await recorder.take({ ...entry('term'), kind: 'leads' }, () => Promise.resolve(null));
    way.speak();
    endSessions(db);
    await eventually(() => recorder.take(entry('after it'), () => Promise.resolve('done')));
    await recorder.close();
    expect(await lines()).toMatchObject([
      { kind: 'begin' },
      { kind: 'leads' },
      { kind: 'gap', reason: 'the database did not answer for a while' },
      { kind: 'call', input: { name: 'after it' } },
      { kind: 'end' },
    ]);
    await db.destroy();
    await way.close();
  }, 120_000);

  it('leaves the file to others when it cannot begin, because the database went away', async () => {
    const gone = createDatabase('postgres://127.0.0.1:1/none');
    await expect(Recorder.start({ ...options(), db: gone })).rejects.toSatisfy(isOutage);
    await gone.destroy();
    expect(await readdir(folder)).toEqual(['recording.jsonl']);
    await (await Recorder.start(options())).close();
  });

  it('ends when it is as large as it may be, and nothing waits for anything any more', async () => {
    const recorder = await Recorder.start(options(5_000));
    await recorder.take(entry('x'.repeat(5_000)), () => Promise.resolve(null));
    await recorder.take(entry('too late'), () => Promise.resolve(null));
    await recorder.close();
    const kinds = (await lines()).map(({ kind }) => kind);
    expect(kinds).toEqual(['begin', 'call', 'end']);
  });

  it('goes on in the same file when the controller is started again', async () => {
    const before = await Recorder.start(options());
    await before.take(entry('before'), () => change());
    await before.close();
    const after = await Recorder.start(options());
    await after.close();
    expect(await lines()).toMatchObject([
      { kind: 'begin', head: { revision: 0 } },
      { kind: 'call' },
      { kind: 'end' },
      { kind: 'begin', head: { revision: 1 } },
      { kind: 'end' },
    ]);
  });
});
