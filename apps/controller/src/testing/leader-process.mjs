// A controller's leadership in a process of its own, so that a test can stop that process in its tracks. Prints one
// line per event: `leads <epoch>` and `deposed <epoch>`. Of the lines on standard input, `write` is answered by `written` or
// `refused`, for a fenced write in the first epoch that it led in, and `busy <ms>` by `busy no more`, after its main thread
// has done nothing else for so long.
import { createInterface } from 'node:readline';
import { sql } from 'kysely';
import { pino } from 'pino';
import { Leadership } from '../../dist/distribution/leadership.js';
import { createDatabase } from '../../dist/storage/database.js';

const url = process.argv[2];
const print = (line) => process.stdout.write(`${line}\n`);
const db = createDatabase(url);
const leadership = new Leadership({ url, db, log: pino({ level: 'silent' }), holder: 'child' });
let first;
leadership.onLead((epoch, signal) => {
  first ??= epoch;
  print(`leads ${epoch}`);
  signal.addEventListener('abort', () => print(`deposed ${epoch}`));
});
leadership.start();
createInterface({ input: process.stdin }).on('line', (line) => {
  const [, ms] = /^busy (\d+)$/.exec(line) ?? [];
  if (ms !== undefined) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(ms));
    print('busy no more');
    return;
  }
  leadership
    .fenced(first, (tx) => sql`update head set computed_through = computed_through + 1`.execute(tx))
    .then(() => print('written'))
    .catch(() => print('refused'));
});
