import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { toJson } from './journal/bytes-as-json.js';
import { createLog } from './log.js';
import { printedResult } from './replay/print-result.js';
import { readRecording, ReplayFault } from './replay/read-recording.js';
import { replayRecording } from './replay/replay-recording.js';
import { startScratchDatabases } from './replay/scratch-databases.js';

const USAGE = `usage: npm run replay -- [--accept] FILE...

Replays recordings (docs/replay.md), each on an empty database of an embedded server, or one on the database of DATABASE_URL.
Ends with status 0 when everything came to the same, 1 when something did not, 2 when a recording cannot be replayed.

  --accept  writes what came into the files, for a change that is meant to answer otherwise
`;

process.exitCode = await main();

async function main(): Promise<0 | 1 | 2> {
  const args = readArguments();
  const { DATABASE_URL: given } = process.env;
  if (args === undefined || args.files.length === 0 || (given !== undefined && args.files.length > 1)) {
    process.stderr.write(USAGE);
    return 2;
  }
  const databases = given === undefined ? await startScratchDatabases() : undefined;
  let status: 0 | 1 | 2 = 0;
  try {
    for (const file of args.files) {
      const came = await replayFile(file, (await databases?.create()) ?? given ?? '', args.accept);
      status = came > status ? came : status;
    }
  } finally {
    await databases?.stop();
  }
  return status;
}

function readArguments(): { readonly files: readonly string[]; readonly accept: boolean } | undefined {
  try {
    const { values, positionals } = parseArgs({ options: { accept: { type: 'boolean' } }, allowPositionals: true });
    return { files: positionals, accept: values.accept ?? false };
  } catch {
    return undefined;
  }
}

async function replayFile(file: string, databaseUrl: string, accept: boolean): Promise<0 | 1 | 2> {
  try {
    const lines = await readRecording(file);
    const result = await replayRecording(lines, { databaseUrl, log: createLog('error', process.stderr) });
    process.stdout.write(printedResult(file, lines, result));
    if (result.differing === 0) return 0;
    if (!accept) return 1;
    await writeFile(file, result.lines.map((line) => `${toJson(line)}\n`).join(''));
    process.stdout.write(`${file}: written with what came now\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof ReplayFault) && !isFileError(error)) throw error;
    process.stderr.write(`${file}: ${error.message}\n`);
    return 2;
  }
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'path' in error;
}
