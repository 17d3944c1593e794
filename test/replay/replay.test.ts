import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromJson, toJson } from '../../apps/controller/src/journal/bytes-as-json.js';
import type { BeginLine, EndLine, EntryLine, RecordingLine } from '../../apps/controller/src/model/recording.js';
import { printedResult } from '../../apps/controller/src/replay/print-result.js';
import { readRecording, ReplayFault } from '../../apps/controller/src/replay/read-recording.js';
import { replayRecording } from '../../apps/controller/src/replay/replay-recording.js';
import { createTestDatabase, type TestDatabase } from '../../apps/controller/src/testing/test-database.js';

const folder = join(import.meta.dirname, 'cases');
const log = pino({ level: 'silent' });
const short = 'refused-by-the-data-plane.jsonl';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(() => database.drop());

describe('a recorded session', () => {
  for (const name of readdirSync(folder)) {
    it(`${name} comes to the same again`, { timeout: 120_000 }, async () => {
      const lines = await readRecording(join(folder, name));
      const result = await replayRecording(lines, { databaseUrl: database.url, log });
      const entries = lines.filter(({ kind }) => kind !== 'begin' && kind !== 'end').length;
      expect(result.differing, printedResult(name, lines, result)).toBe(0);
      // Digests of tables are compared as long as there is no later migration.
      expect(result.compared).toBeGreaterThanOrEqual(entries);
    });
  }
});

describe('a replay', () => {
  /** The short case with its first line of a kind, for which `fits`, made another one. */
  async function changed<Line extends RecordingLine>(
    kind: Line['kind'],
    change: (line: Line) => object,
    fits: (line: Line) => boolean = () => true,
  ): Promise<{ readonly lines: readonly RecordingLine[]; readonly number: number }> {
    const lines = [...(await readRecording(join(folder, short)))];
    const index = lines.findIndex((line) => line.kind === kind && fits(line as Line));
    const line = lines[index] as Line;
    lines[index] = fromJson(toJson({ ...line, ...change(line) })) as RecordingLine;
    return { lines, number: index + 1 };
  }

  const replayed = (lines: readonly RecordingLine[]) => replayRecording(lines, { databaseUrl: database.url, log });
  const hasDeltas = ({ output }: EntryLine) => (output as { deltas: readonly unknown[] }).deltas.length > 0;

  it('names the line and the place of an answer that is not the recorded one', { timeout: 120_000 }, async () => {
    const { lines, number } = await changed<EntryLine>('request', ({ output }) => ({
      output: { ...(output as object), status: 299 },
    }));
    const { first, differing } = await replayed(lines);
    expect(first).toEqual({ line: number, path: '/output/status', recorded: 299, came: 200 });
    expect(differing).toBe(1);
  });

  it('notices one other bit of what a headend is to hold', { timeout: 120_000 }, async () => {
    const flip = ({ output }: EntryLine) => {
      const { deltas, ...rest } = output as { deltas: { changes: { body: Uint8Array }[] }[] };
      const body = deltas[0]?.changes[0]?.body;
      if (body?.[0] === undefined) throw new Error('the case publishes no policy');
      body[0] ^= 1;
      return { output: { ...rest, deltas } };
    };
    const { lines, number } = await changed('publish', flip, hasDeltas);
    const { first } = await replayed(lines);
    expect(first).toMatchObject({ line: number, path: '/output/deltas/0/changes/0/body/$bytes' });
  });

  it('notices a controller that decides otherwise, at the first line that shows it', { timeout: 120_000 }, async () => {
    const { lines } = await changed<BeginLine>('begin', ({ settings }) => ({
      settings: { ...settings, bsidPool: 'fdaa:b51d::/32' },
    }));
    const { first } = await replayed(lines);
    const published = lines.findIndex((line) => line.kind === 'publish' && hasDeltas(line)) + 1;
    expect(first?.line).toBe(published);
  });

  it('notices what only the database knows', { timeout: 120_000 }, async () => {
    const { lines, number } = await changed<EndLine>('end', ({ tables }) => ({ tables: { ...tables, bsid: 'other' } }));
    // As if it had been recorded with the migrations of now.
    const { lines: now } = await replayed(await readRecording(join(folder, short)));
    await database.drop();
    database = await createTestDatabase();
    expect((await replayed([...now.slice(0, 1), ...lines.slice(1)])).first).toMatchObject({
      line: number,
      path: '/tables/bsid',
      recorded: 'other',
    });
  });

  it('goes no further than a gap', { timeout: 120_000 }, async () => {
    const lines = [...(await readRecording(join(folder, short)))];
    lines.splice(5, 0, { kind: 'gap', seq: 6, at: new Date(0).toISOString(), reason: '3 lines could not be written' });
    await expect(replayed(lines)).rejects.toThrow(
      new ReplayFault('line 6 is a gap, beyond which nothing can be replayed: 3 lines could not be written'),
    );
  });

  it('begins on no other state than the recording did', { timeout: 120_000 }, async () => {
    const { lines } = await changed<BeginLine>('begin', ({ head }) => ({ head: { ...head, revision: 7 } }));
    await expect(replayed(lines)).rejects.toThrow(
      /begins at revision 7 .*, and the database is at revision 0 .*: restore the backup/,
    );
  });

  it('does not go on over a restart at which something is missing', { timeout: 120_000 }, async () => {
    const lines = [...(await readRecording(join(folder, 'mesh-and-restart.jsonl')))];
    const again = lines.findIndex(({ kind }, index) => kind === 'begin' && index > 0);
    const lost = lines.findLastIndex(({ kind }, index) => kind === 'publish' && index < again);
    await expect(replayed(lines.filter((_, index) => index !== lost && lines[index]?.kind !== 'end'))).rejects.toThrow(
      /the controller was started again at revision (\d+) .*, and the database is at revision \1 /,
    );
  });
});
