import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { drained } from './drained.js';

const never = new AbortController().signal;

describe('waiting for a reader', () => {
  it.each(['drain', 'cancelled'])('ends on %s and leaves no listener behind', async (event) => {
    const stream = new EventEmitter();
    const wait = drained(stream, never);
    stream.emit(event);
    await wait;
    expect(stream.eventNames()).toEqual([]);
  });

  it('fails at the deadline', async () => {
    const deadline = new AbortController();
    const wait = drained(new EventEmitter(), deadline.signal);
    deadline.abort();
    await expect(wait).rejects.toThrow('too slow');
  });

  it('fails when the deadline passed before, instead of waiting for ever', async () => {
    await expect(drained(new EventEmitter(), AbortSignal.abort())).rejects.toThrow('too slow');
  });

  it('fails when the stream breaks', async () => {
    const stream = new EventEmitter();
    const wait = drained(stream, never);
    stream.emit('error', new Error('gone'));
    await expect(wait).rejects.toThrow('its stream broke');
  });
});
