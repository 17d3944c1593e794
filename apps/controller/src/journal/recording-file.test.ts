import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
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

it('is written by one at a time', async () => {
  const first = await RecordingFile.open(path);
  await first.append('{"seq":1,"kind":"begin"}');
  const refusal = `another controller records into the file of WAYMARK_RECORD_FILE (process ${String(process.pid)} on ${hostname()})`;
  await expect(RecordingFile.open(path)).rejects.toThrow(refusal);
  await first.append('{"seq":2}');
  await first.close();
  expect(await readFile(path, 'utf8')).toBe('{"seq":1,"kind":"begin"}\n{"seq":2}\n');
  expect(await readdir(folder)).toEqual(['recording.jsonl']);
  await write('{"seq":1,"kind":"begin"}');
});

it('is left by a process that was killed, not by one that runs or may run on another machine', async () => {
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const lock = (holder: object) =>
    writeFile(`${path}.lock`, JSON.stringify({ host: hostname(), started: null, ...holder }));
  const started = (await readFile(`/proc/${String(other.pid)}/stat`, 'utf8')).split(') ')[1]?.split(' ')[19];
  await lock({ pid: other.pid, started });
  await expect(RecordingFile.open(path)).rejects.toThrow('another controller records');
  await lock({ pid: other.pid, started: '1' });
  await write('{"seq":1,"kind":"begin"}');
  await lock({ pid: other.pid, started });
  other.kill('SIGKILL');
  await once(other, 'exit');
  await write('{"seq":2}');
  await lock({ host: 'elsewhere', pid: other.pid, started });
  await expect(RecordingFile.open(path)).rejects.toThrow(`if none does, remove ${path}.lock`);
});

it('leaves no lock where it cannot be used', async () => {
  await writeFile(path, 'dear diary,\n');
  await expect(RecordingFile.open(path)).rejects.toThrow('something else');
  expect(await readdir(folder)).toEqual(['recording.jsonl']);
});
