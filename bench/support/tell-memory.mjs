/**
 * Loaded into a process and its worker threads before their program (NODE_OPTIONS=--import). Two signals that nobody else uses:
 *
 *   SIGURG    collects the garbage of all threads and writes what is left to the file WAYMARK_BENCH_MEMORY; `workersHeap` is
 *             what the worker threads have together, `code` what the compiler has made of the main thread's functions so far
 *   SIGWINCH  writes a heap snapshot of the main thread to WAYMARK_BENCH_MEMORY.heapsnapshot
 */
import { renameSync, writeFileSync } from 'node:fs';
import { getHeapCodeStatistics, setFlagsFromString, writeHeapSnapshot } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads';

const file = process.env.WAYMARK_BENCH_MEMORY;
/** Workers answer between two pieces of work. */
const WAIT_MS = 5_000;

function memory() {
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return { rss, heapUsed, external, arrayBuffers };
}

function collector() {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc');
  return () => {
    gc();
    gc();
  };
}

/** Puts the file in its place once all of it is there. */
function writeWhole(name, write) {
  write(`${name}.new`);
  renameSync(`${name}.new`, name);
}

/** Worker threads of which something was heard: one that has not answered in time has ended, or tells it later. */
class Workers {
  #channel;
  #known = new Set();
  #heaps = new Map();
  #answered = () => undefined;

  constructor(channel) {
    this.#channel = channel;
    channel.onmessage = ({ data: { thread, heapUsed } }) => {
      this.#known.add(thread);
      if (heapUsed !== undefined) this.#heaps.set(thread, heapUsed);
      this.#answered();
    };
  }

  async heap() {
    this.#heaps = new Map();
    this.#channel.postMessage('how much');
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, WAIT_MS);
      this.#answered = () => {
        if ([...this.#known].some((thread) => !this.#heaps.has(thread))) return;
        clearTimeout(timer);
        resolve();
      };
      this.#answered();
    });
    this.#known = new Set(this.#heaps.keys());
    return [...this.#heaps.values()].reduce((sum, bytes) => sum + bytes, 0);
  }
}

if (file !== undefined) {
  const collect = collector();
  const channel = new BroadcastChannel('waymark-bench-memory');
  channel.unref();
  if (isMainThread) {
    const workers = new Workers(channel);
    process.on('SIGURG', () => {
      void workers.heap().then((workersHeap) => {
        collect();
        const { code_and_metadata_size: machine, bytecode_and_metadata_size: bytecode } = getHeapCodeStatistics();
        const handles = process.getActiveResourcesInfo().filter((name) => name !== 'Timeout').length;
        writeWhole(file, (name) =>
          writeFileSync(name, JSON.stringify({ ...memory(), workersHeap, code: machine + bytecode, handles })),
        );
      });
    });
    process.on('SIGWINCH', () => writeWhole(`${file}.heapsnapshot`, writeHeapSnapshot));
  } else {
    channel.onmessage = ({ data }) => {
      if (data !== 'how much') return;
      collect();
      channel.postMessage({ thread: threadId, heapUsed: memory().heapUsed });
    };
    channel.postMessage({ thread: threadId });
  }
}
