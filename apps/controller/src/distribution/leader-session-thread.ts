import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { unlessAborted } from '../model/unless-aborted.js';
import { DirectSession } from '../storage/direct-session.js';
import type { FromThread, LeaderSessionTask, ToThread } from './leader-session.js';

/** Entry of the thread of leader-session.ts: one database session, kept as long as the main thread shows signs of life. */

/** Less than Postgres lets the session be silent. */
const HEARTBEAT_MS = 1_000;
const ANSWER_TIMEOUT_MS = 5_000;
/** Heartbeats in a row without a sign of life: agents wait as long before they go elsewhere. Counted, not timed, so that a process that was stopped is not taken for one that hangs. */
const PATIENCE = 8;

const { url, signsOfLife } = workerData as LeaderSessionTask;
const signs = new Int32Array(signsOfLife);
const port = parentPort;
const tell = (message: FromThread): void => port?.postMessage(message);
let questions = 0;

function answerOn(session: DirectSession): void {
  port?.on('message', ({ id, timeoutMs, text, values }: ToThread) => {
    questions += 1;
    session
      .ask(timeoutMs, text, [...values])
      .then(
        (row) => tell({ kind: 'answer', id, row }),
        (error: unknown) => tell({ kind: 'refusal', id, why: String(error) }),
      )
      .finally(() => (questions -= 1));
  });
}

/** Never resolves. */
async function keep(session: DirectSession): Promise<never> {
  let last = 0;
  let missed = 0;
  for (;;) {
    await sleep(HEARTBEAT_MS);
    const sign = Atomics.load(signs, 0);
    missed = sign === last ? missed + 1 : 0;
    last = sign;
    if (missed > PATIENCE) throw new Error('the main thread hangs');
    // One that waits for its answer is not idle, and a heartbeat would wait behind it.
    if (questions === 0) await session.ask(ANSWER_TIMEOUT_MS, 'select 1');
  }
}

let session: DirectSession | undefined;
try {
  session = await DirectSession.open(url);
  answerOn(session);
  tell({ kind: 'open' });
  await unlessAborted(keep(session), session.lost);
} catch (error) {
  tell({ kind: 'lost', why: String(error) });
} finally {
  session?.close();
}
