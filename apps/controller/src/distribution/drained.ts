import { once, type EventEmitter } from 'node:events';

/**
 * Waits for a reader: resolves on `drain`, or on `cancelled` when it gives up. Rejects at the deadline, also when that
 * is past already, and when the stream breaks.
 */
export async function drained(stream: EventEmitter, deadline: AbortSignal): Promise<void> {
  const done = new AbortController();
  const signal = AbortSignal.any([deadline, done.signal]);
  try {
    await Promise.race([once(stream, 'drain', { signal }), once(stream, 'cancelled', { signal })]);
  } catch (error) {
    throw new Error('the reader is too slow, or its stream broke', { cause: error });
  } finally {
    done.abort();
  }
}
