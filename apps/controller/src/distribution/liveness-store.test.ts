import { randomUUID } from 'node:crypto';
import { Family, Liveness, type ListLiveness } from '@waymark/agent-protocol';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WaymarkEvent } from '../model/events.js';
import { announcedEvents, EVENT_CHANNEL } from '../storage/event-channel.js';
import { createSession } from '../storage/database.js';
import { eventually } from '../testing/eventually.js';
import { beginSession } from '../testing/begin-session.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { storeLiveness } from './liveness-store.js';

let database: TestDatabase;
let listener: ReturnType<typeof createSession>;
let session: string;
let events: WaymarkEvent[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  listener = createSession(database.url);
  await listener.connect();
  listener.on('notification', ({ payload }) => events.push(...announcedEvents(payload ?? '[]')));
  await listener.query(`listen ${EVENT_CHANNEL}`);
});

afterAll(async () => {
  await listener.end();
  await database.drop();
});

beforeEach(async () => {
  await sql`truncate list_liveness, liveness_round, agent, sr_policy cascade`.execute(database.db);
  await sql`
    insert into sr_policy (id, headend, color, endpoint, fallback, revision)
    select 'h1:' || color || ':h2', 'h1', color, 'h2', 'drop', 1 from generate_series(1, 3) as color
  `.execute(database.db);
  session = await hello();
});

afterEach(() => heard());

const hello = () => beginSession(database.db);

const sid = (last: number): Uint8Array => Uint8Array.of(0xfc, ...new Array<number>(14).fill(0), last);

function list(more: Partial<ListLiveness> = {}): ListLiveness {
  return {
    policyId: 'h1:1:h2',
    family: Family.IPV4,
    sids: [sid(1), sid(9)],
    standby: false,
    inUse: true,
    state: Liveness.UP,
    sinceMs: 1_700_000_000_000,
    probesSent: 100,
    probesLost: 0,
    roundTripMinUs: 10,
    roundTripAvgUs: 20,
    roundTripMaxUs: 30,
    ...more,
  };
}

const active = list();
const standby = list({ sids: [sid(2), sid(9)], standby: true, inUse: false });
const DOWN = { state: Liveness.DOWN, inUse: false, probesLost: 100 };

async function tell(lists: readonly ListLiveness[], complete = false, of = session): Promise<void> {
  await storeLiveness(database.db, [{ node: 'h1', session: of, report: { lists, complete } }]);
}

/** The events announced since the last call, in short. */
async function heard(): Promise<string[]> {
  // Notifications come in the order of their transactions: after this one, all before it are here.
  const mark = randomUUID();
  await sql`select pg_notify(${EVENT_CHANNEL}, ${JSON.stringify([{ type: mark }])})`.execute(database.db);
  await eventually(() => events.some(({ type }) => (type as string) === mark));
  const all = events.filter(({ type }) => (type as string) !== mark);
  events = [];
  return all.map((event) =>
    event.type === 'policy.standby'
      ? `standby ${String((event as WaymarkEvent<'policy.standby'>).data.onStandby)}`
      : `${(event as WaymarkEvent<'policy.liveness'>).data.segments[0] ?? ''} ${(event as WaymarkEvent<'policy.liveness'>).data.state}`,
  );
}

function rows() {
  return database.db
    .selectFrom('list_liveness')
    .select(['policy_id', 'standby', 'state', 'in_use', 'round'])
    .orderBy('policy_id')
    .orderBy('standby')
    .execute();
}

describe('a report of liveness', () => {
  it('is stored list by list', async () => {
    await tell([active, { ...standby, ...DOWN, roundTripMinUs: 0, roundTripAvgUs: 0, roundTripMaxUs: 0 }], true);
    const found = await database.db.selectFrom('list_liveness').selectAll().orderBy('standby').execute();
    expect(found).toMatchObject([
      {
        policy_id: 'h1:1:h2',
        family: 'ipv4',
        headend: 'h1',
        state: 'up',
        since: new Date(1_700_000_000_000),
        in_use: true,
        probes_sent: 100,
        probes_lost: 0,
        round_trip_avg_us: 20,
      },
      { standby: true, state: 'down', in_use: false, round_trip_min_us: null, round_trip_max_us: null },
    ]);
    expect(found[0]?.sids).toEqual(Buffer.concat([sid(1), sid(9)]));
  });

  it('replaces what was said of the same list, and leaves the others', async () => {
    await tell([active, standby], true);
    await tell([{ ...active, ...DOWN }]);
    expect(await rows()).toMatchObject([
      { standby: false, state: 'down', round: 1 },
      { standby: true, state: 'up', round: 1 },
    ]);
  });

  it('of a session that is not the newest does not count', async () => {
    await tell([active], true);
    const old = session;
    session = await hello();
    await tell([{ ...active, ...DOWN }], true, old);
    expect(await rows()).toMatchObject([{ state: 'up' }]);
    expect(await heard()).toEqual([]);
  });

  it('of several agents is stored together', async () => {
    const other = await beginSession(database.db, 'h3');
    await sql`insert into sr_policy (id, headend, color, endpoint, fallback, revision)
      values ('h3:1:h2', 'h3', 1, 'h2', 'drop', 1)`.execute(database.db);
    await storeLiveness(database.db, [
      { node: 'h3', session: other, report: { lists: [list({ policyId: 'h3:1:h2' })], complete: true } },
      { node: 'h1', session, report: { lists: [active], complete: true } },
      { node: 'h4', session, report: { lists: [], complete: true } },
    ]);
    expect((await rows()).map((row) => row.policy_id)).toEqual(['h1:1:h2', 'h3:1:h2']);
  });

  it('of a policy that was deleted meanwhile is forgotten', async () => {
    await tell([active, list({ policyId: 'h1:99:h2' })], true);
    expect((await rows()).map((row) => row.policy_id)).toEqual(['h1:1:h2']);
  });

  it('that is complete voids what was told before, also when it comes in parts', async () => {
    const others = ['h1:2:h2', 'h1:3:h2'].map((policyId) => list({ policyId }));
    await tell([active, ...others], true);
    await tell([active], true);
    await tell(others.slice(0, 1));
    expect((await rows()).map((row) => [row.policy_id, row.round])).toEqual([
      ['h1:1:h2', 2],
      ['h1:2:h2', 2],
      ['h1:3:h2', 1],
    ]);
    await tell([active], true);
    expect((await rows()).map((row) => [row.policy_id, row.round])).toEqual([
      ['h1:1:h2', 3],
      ['h1:2:h2', 2],
    ]);
  });

  it('of a new session voids what the one before told', async () => {
    await tell([active, standby], true);
    session = await hello();
    await tell([active]);
    expect((await rows()).map((row) => [row.standby, row.round])).toEqual([
      [false, 2],
      [true, 1],
    ]);
  });
});

describe('an event is announced', () => {
  it('when a list goes down and when it comes up, and not when it is merely told again', async () => {
    await tell([active], true);
    await tell([active], true);
    expect(await heard()).toEqual([]);
    await tell([{ ...active, ...DOWN }]);
    await tell([{ ...active, ...DOWN }], true);
    expect(await heard()).toEqual(['fc00::1 down']);
    await tell([active]);
    expect(await heard()).toEqual(['fc00::1 up']);
  });

  it('when a list is down from the start, and when it is unknown whether it still is', async () => {
    await tell([{ ...active, ...DOWN }], true);
    await tell([{ ...active, state: Liveness.UNKNOWN }]);
    await tell([active]);
    expect(await heard()).toEqual(['fc00::1 down', 'fc00::1 unknown']);
  });

  it('once when a headend goes onto the standby, and once when it comes back', async () => {
    await tell([active, standby], true);
    await tell([
      { ...active, ...DOWN },
      { ...standby, inUse: true },
    ]);
    await tell(
      [
        { ...active, ...DOWN },
        { ...standby, inUse: true },
      ],
      true,
    );
    expect(await heard()).toEqual(['fc00::1 down', 'standby true']);
    await tell([active, standby]);
    await tell([active, standby], true);
    expect(await heard()).toEqual(['fc00::1 up', 'standby false']);
  });

  it('once when the standby that was in use is no more', async () => {
    await tell(
      [
        { ...active, ...DOWN },
        { ...standby, inUse: true },
      ],
      true,
    );
    await heard();
    await tell([list({ sids: [sid(3), sid(9)] })]);
    await tell([list({ sids: [sid(3), sid(9)] })]);
    expect(await heard()).toEqual(['standby false']);
  });

  it('not when the parts of a complete report name the lists of a policy apart', async () => {
    await tell(
      [
        { ...active, ...DOWN },
        { ...standby, inUse: true },
      ],
      true,
    );
    await heard();
    await tell([{ ...active, ...DOWN }], true);
    await tell([{ ...standby, inUse: true }]);
    expect(await heard()).toEqual([]);
  });

  it('not because another session tells the same', async () => {
    await tell(
      [
        { ...active, ...DOWN },
        { ...standby, inUse: true },
      ],
      true,
    );
    await heard();
    session = await hello();
    await tell(
      [
        { ...active, ...DOWN },
        { ...standby, inUse: true },
      ],
      true,
    );
    expect(await heard()).toEqual([]);
  });
});
