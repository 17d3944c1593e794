import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 50;

/**
 * Asks until the answer satisfies; for what a distributed system does in its own time. The limit only ends a test that
 * would otherwise hang, so it is generous. Throws with the last answer.
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T>,
  satisfied: (answer: T) => boolean,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (satisfied(answer)) return answer;
    if (performance.now() > deadline) {
      throw new Error(`${what}: not within ${timeoutMs} ms; the last answer was ${JSON.stringify(answer, null, 2)}`);
    }
    await sleep(POLL_MS);
  }
}
