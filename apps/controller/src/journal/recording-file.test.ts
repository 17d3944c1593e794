import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RecordingFile } from './recording-file.js';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waymark-recording-file-'));
  path = join(folder, 'recording.jsonl');
});

afterEach(() => rm(folder, { recursive: true }));

async function write(...lines: string[]): Promise<void> {
  const file = await RecordingFile.open(path);
  for (const line of lines) await file.append(line);
  await file.close();
}

it('is for its owner alone, also when it was there before', async () => {
  await write();
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await rm(path);
  await writeFile(path, '{"seq":1,"kind":"begin"}\n', { mode: 0o644 });
  await write();
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

it('goes on after the last whole line', async () => {
  await write('{"seq":1,"kind":"begin"}', '{"seq":2}');
  await appendFile(path, `{"seq":3,"text":"${'x'.repeat(200_000)}`);
  await write('{"seq":1,"kind":"begin"}');
  expect(await readFile(path, 'utf8')).toBe('{"seq":1,"kind":"begin"}\n{"seq":2}\n{"seq":1,"kind":"begin"}\n');
});

it('is no other file that happens to be there', async () => {
  await writeFile(path, 'dear diary,\n', { mode: 0o644 });
  await expect(RecordingFile.open(path)).rejects.toThrow('has something else in it than a recording');
  expect(await readFile(path, 'utf8')).toBe('dear diary,\n');
  expect((await stat(path)).mode & 0o777).toBe(0o644);
});
