import { freezeSnapshot } from '@waymark/topology';
import { describe, expect, it } from 'vitest';
import type { Booking } from '../compute/evaluate-policies-model.js';
import { buildTed } from '../testing/sketched-network.js';
import { UnreservedBandwidth } from './unreserved-bandwidth.js';

const snapshot = freezeSnapshot(buildTed(['a', 'b'], [{ between: 'a-b', bandwidthBps: 100 }]));
const arc = snapshot.arcOf('a:b');
const booked = (bandwidthBps: number, holdPriority = 7): Booking[] => [
  { linkId: 'a:b', holdPriority, bandwidthBps, currentBps: bandwidthBps },
];

/** Bookings that are read by hand: `finish` ends the oldest reading with what was booked when it began. */
function byHand() {
  let now = booked(0);
  const readings: (() => void)[] = [];
  const unreserved = new UnreservedBandwidth(() => {
    const bookings = now;
    return new Promise((resolve) => readings.push(() => resolve(bookings)));
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    readings,
    book: (bookings: Booking[]) => (now = bookings),
    ask: (priority?: number) => unreserved.of(snapshot, priority).then((free) => free[arc]),
    array: () => unreserved.of(snapshot),
    finish: async () => {
      readings.shift()?.();
      await settle();
    },
  };
}

describe('unreserved bandwidth for many at the same time', () => {
  it('holds what was booked before each asked, with one more reading for all who came during one', async () => {
    const { readings, book, ask, finish } = byHand();
    const first = ask();
    book(booked(30));
    const later = [ask(), ask(), ask()];
    await finish();
    expect(await first).toBe(100);
    expect(readings).toHaveLength(1);
    await finish();
    expect(await Promise.all(later)).toEqual([70, 70, 70]);
  });

  it('is one shared array until something is booked, another for each priority', async () => {
    const { book, ask, array, finish } = byHand();
    book(booked(30, 5));
    const read = async <T>(asked: Promise<T>): Promise<T> => {
      await finish();
      return asked;
    };
    const one = await read(array());
    expect(one.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(await read(ask(4))).toBe(100);
    book(booked(30, 5));
    expect(await read(array())).toBe(one);
    book(booked(40, 5));
    expect((await read(array()))[arc]).toBe(60);
    expect(one[arc]).toBe(70);
  });

  it('is told for every priority of one moment, whatever is booked later', async () => {
    let bookings = booked(30, 5);
    const unreserved = new UnreservedBandwidth(() => Promise.resolve(bookings));
    const now = await unreserved.now(snapshot);
    bookings = booked(60, 5);
    expect((await unreserved.of(snapshot))[arc]).toBe(40);
    expect([now(7)[arc], now(4)[arc]]).toEqual([70, 100]);
  });

  it('passes a failure on to those who met it, and to nobody else', async () => {
    let fails = true;
    const unreserved = new UnreservedBandwidth(() => (fails ? Promise.reject(new Error('gone')) : Promise.resolve([])));
    await expect(unreserved.of(snapshot)).rejects.toThrow('gone');
    fails = false;
    expect((await unreserved.of(snapshot))[arc]).toBe(100);
  });
});
