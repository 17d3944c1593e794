import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { missingNeeds } from '../../require-program.js';
import { spawnBound } from '../../lab/shell.js';
import { Peer } from '../../lab/peer.js';
import { Clock } from './clock.js';

const missing = missingNeeds({ programs: ['faketime', 'setpriv'] });
const HOUR = 3600;
const DAY = 24 * HOUR;

/** Says both its clocks for each line it is sent. */
const PROGRAM = `
  const { Worker } = require('node:worker_threads');
  const worker = new Worker("const { parentPort } = require('node:worker_threads'); parentPort.on('message', () => parentPort.postMessage(Date.now()))", { eval: true });
  worker.on('message', (inWorkerMs) => console.log(JSON.stringify({ wallMs: Date.now(), inWorkerMs, monotonicNs: String(process.hrtime.bigint()) })));
  process.stdin.on('data', () => worker.postMessage(0)).on('end', () => process.exit());
`;

interface Answer {
  readonly wallMs: number;
  readonly inWorkerMs: number;
  readonly monotonicNs: string;
}

describe.skipIf(missing !== undefined)(`the clock${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'waymark-clock-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it("jumps forth and back for one process, all its threads, and not for the machine's monotonic clock", async () => {
    const clock = new Clock(join(folder, 'clock'));
    const child = spawnBound([process.execPath, '-e', PROGRAM], clock.environment);
    const peer = new Peer(child);
    for (const ahead of [0, HOUR, -HOUR, DAY, -DAY, 0]) {
      clock.set(ahead);
      const asked = { wallMs: Date.now(), monotonicNs: process.hrtime.bigint() };
      child.stdin.write('\n');
      const answer = (await peer.message()) as Answer;
      const tookMs = Number(process.hrtime.bigint() - asked.monotonicNs) / 1e6;
      for (const wallMs of [answer.wallMs, answer.inWorkerMs]) {
        // As late as the answer took, and the millisecond that rounding may take away.
        expect(wallMs - asked.wallMs - ahead * 1000).toBeGreaterThanOrEqual(-1);
        expect(wallMs - asked.wallMs - ahead * 1000).toBeLessThanOrEqual(tookMs + 1);
      }
      expect(BigInt(answer.monotonicNs)).toBeGreaterThan(asked.monotonicNs);
      expect(BigInt(answer.monotonicNs)).toBeLessThan(process.hrtime.bigint());
    }
    await peer.close();
  });
});
