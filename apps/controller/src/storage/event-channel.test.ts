import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WaymarkEvent } from '../model/events.js';
import { eventually } from '../testing/eventually.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { createSession } from './database.js';
import { announcedEvents, announceEvents, EVENT_CHANNEL, payloadsOf } from './event-channel.js';

function installed(policyId: string, reason: string | null = null): WaymarkEvent {
  return { type: 'policy.install', at: '2026-01-01', data: { revision: 1, policyId, outcome: 'installed', reason } };
}

describe('notifications of events', () => {
  it('hold every event once, in order, and no more bytes than Postgres takes', () => {
    const someEvents = fc.array(fc.tuple(fc.string(), fc.option(fc.string({ unit: 'binary', maxLength: 4_000 }))));
    fc.assert(
      fc.property(someEvents, (pairs) => {
        const events = pairs.map(([policyId, reason]) => installed(policyId, reason));
        const payloads = payloadsOf(events);
        for (const payload of payloads) expect(Buffer.byteLength(payload)).toBeLessThan(8_000);
        const heard = payloads.flatMap(announcedEvents);
        expect(heard.map(({ data }) => data)).toMatchObject(pairs.map(([policyId]) => ({ policyId })));
      }),
    );
  });

  it('are few for many events', () => {
    expect(payloadsOf(Array.from({ length: 1_000 }, (_, index) => installed(`h1:1:n${index}`))).length).toBeLessThan(
      25,
    );
  });

  it('cut long texts of an event that would not fit, and of no other', () => {
    const [long] = payloadsOf([installed('p', '\u0001'.repeat(4_000))]).flatMap(announcedEvents);
    expect(long?.data).toEqual({ ...installed('p').data, reason: `${'\u0001'.repeat(500)}…` });
    const fits = installed('p', 'x'.repeat(4_000));
    expect(payloadsOf([fits]).flatMap(announcedEvents)).toEqual([fits]);
  });
});

describe('an announcement', () => {
  let database: TestDatabase;
  let heard: string[];
  let session: ReturnType<typeof createSession>;

  beforeAll(async () => {
    database = await createTestDatabase();
    session = createSession(database.url);
    session.on('error', () => undefined);
    session.on('notification', ({ payload = '' }) => {
      heard.push(...announcedEvents(payload).map(({ data }) => ('policyId' in data ? data.policyId : '')));
    });
    await session.connect();
    await session.query(`listen ${EVENT_CHANNEL}`);
    heard = [];
  });
  afterAll(async () => {
    await session.end();
    await database.drop();
  });

  it('is heard in order once its transaction commits, and not when it does not', async () => {
    const events = Array.from({ length: 300 }, (_, index) => installed(`n${index}`));
    const failing = database.db.transaction().execute(async (tx) => {
      await announceEvents(tx, [installed('never')]);
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    await database.db.transaction().execute((tx) => announceEvents(tx, events));
    await eventually(() => expect(heard).toEqual(events.map((_, index) => `n${index}`)));
  });
});
