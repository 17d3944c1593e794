/**
 * Loaded into a process before its program (NODE_OPTIONS=--import): at SIGURG (nobody else's) it collects garbage and writes what is left
 * to the file WAYMARK_BENCH_MEMORY.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

const file = process.env.WAYMARK_BENCH_MEMORY;
if (isMainThread && file !== undefined) {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc');
  process.on('SIGURG', () => {
    gc();
    gc();
    const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
    const handles = process.getActiveResourcesInfo().filter((name) => name !== 'Timeout').length;
    writeFileSync(`${file}.new`, JSON.stringify({ rss, heapUsed, external, arrayBuffers, handles }));
    renameSync(`${file}.new`, file);
  });
}
