import { randomUUID } from 'node:crypto';
import { Outcome, stateHashOf, type Ack, FEATURES } from '@waymark/agent-protocol';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createSession } from '../storage/database.js';
import { announcedEvents, EVENT_CHANNEL } from '../storage/event-channel.js';
import { withoutTed } from '../testing/distribution-fixture.js';
import { eventually } from '../testing/eventually.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { storeAcks, type OnAcked, type StoredAck } from './ack-store.js';
import { recordHellos } from './agent-records.js';
import { AgentDirectory } from './agent-service.js';
import { writeDesired } from './desired-store.js';

let database: TestDatabase;
let session: string;

const policyId = 'h1:1:h2';

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

beforeEach(async () => {
  await sql`truncate headend, desired, agent`.execute(database.db);
  session = await hello();
});

async function hello(): Promise<string> {
  const fresh = randomUUID();
  const position = {
    agentVersion: '1',
    dataplane: 'dry-run',
    epoch: 0,
    generation: 0,
    protocolVersion: 2,
    features: FEATURES,
  };
  await recordHellos(database.db, [{ node: 'h1', session: fresh, controller: 'c', hello: position }]);
  return fresh;
}

async function desire(body: Uint8Array | null, id = policyId): Promise<void> {
  const changes = [{ headend: 'h1', policies: [{ policyId: id, body }] }];
  await database.db.transaction().execute((tx) => writeDesired(tx, 1, changes));
}

type Said = readonly [id: string, generation: number, outcome: Outcome, reason?: string];

function ack(generation: number, said: readonly Said[] = [], rest: Partial<Ack> = {}): Ack {
  const outcomes = said.map(([id, of, outcome, reason = '']) => ({ policyId: id, generation: of, outcome, reason }));
  return {
    epoch: 1,
    generation,
    outcomes,
    readBackHash: new Uint8Array(32).fill(7),
    more: false,
    sequence: 1,
    ...rest,
  };
}

const nothing: OnAcked = () => Promise.resolve();

function store(one: Ack, of = session): Promise<StoredAck[]> {
  return storeAcks(database.db, [{ node: 'h1', session: of, ack: one }], nothing);
}

async function outcome(id = policyId): Promise<string | undefined> {
  const row = await database.db.selectFrom('desired').select('outcome').where('policy_id', '=', id).executeTakeFirst();
  return row?.outcome;
}

async function ackedGeneration(): Promise<number> {
  return (await database.db.selectFrom('headend').select('acked_generation').executeTakeFirstOrThrow())
    .acked_generation;
}

describe('an ack', () => {
  it('stores the outcome of the generation that is desired now, with its reason', async () => {
    await desire(Uint8Array.of(1));
    const stored = await store(ack(1, [[policyId, 1, Outcome.FAILED, 'no route']]));
    expect(stored).toMatchObject([
      { node: 'h1', generation: 1, outcomes: [{ policyId, generation: 1, outcome: 'failed', reason: 'no route' }] },
    ]);
    expect(await outcome()).toBe('failed');
  });

  it('that says nothing new changes nothing, so that the time of installation stays', async () => {
    await desire(Uint8Array.of(1));
    const said = ack(1, [[policyId, 1, Outcome.INSTALLED]]);
    expect((await store(said))[0]?.outcomes).toHaveLength(1);
    const at = () => database.db.selectFrom('desired').select('outcome_at').executeTakeFirstOrThrow();
    const before = await at();
    expect((await store(said))[0]?.outcomes).toEqual([]);
    expect(await at()).toEqual(before);
  });

  it('of a service class is no news of policies, and it is no policy of its agent', async () => {
    const serviceClass = 'h1:7:h1';
    await desire(Uint8Array.of(1));
    await desire(Uint8Array.of(2), serviceClass);
    const listener = createSession(database.url);
    await listener.connect();
    const told: string[] = [];
    listener.on('notification', ({ payload = '' }) => {
      told.push(...announcedEvents(payload).map(({ data }) => (data as { policyId: string }).policyId));
    });
    await listener.query(`listen ${EVENT_CHANNEL}`);
    const both: Said[] = [
      [serviceClass, 2, Outcome.INSTALLED],
      [policyId, 1, Outcome.INSTALLED],
    ];
    await store(ack(2, both));
    await eventually(() => {
      expect(told).toEqual([policyId]);
    });
    await listener.end();
    expect(await outcome(serviceClass)).toBe('installed');
    const { policies } = await new AgentDirectory(database.db, withoutTed(database.db)).agent('h1');
    expect(policies).toMatchObject({ total: 1, installed: 1 });
  });

  it('does not call a policy installed whose desired generation is a newer one', async () => {
    await desire(Uint8Array.of(1));
    await desire(Uint8Array.of(2));
    await store(ack(1, [[policyId, 1, Outcome.INSTALLED]]));
    expect(await outcome()).toBe('pending');
    expect(await ackedGeneration()).toBe(1);
  });

  it('that repeats an outcome does not make it younger', async () => {
    const storedAt = () => database.db.selectFrom('desired').select('outcome_at').executeTakeFirstOrThrow();
    await desire(Uint8Array.of(1));
    await store(ack(1, [[policyId, 1, Outcome.INSTALLED]]));
    const first = await storedAt();
    await store(ack(1, [[policyId, 1, Outcome.INSTALLED]]));
    expect(await storedAt()).toEqual(first);
    await store(ack(1, [[policyId, 1, Outcome.FAILED]]));
    expect(await storedAt()).not.toEqual(first);
  });

  it('of an older generation than the last one is of no use', async () => {
    await desire(Uint8Array.of(1));
    await desire(Uint8Array.of(2), 'h1:1:h3');
    await store(ack(2, [[policyId, 1, Outcome.INSTALLED]]));
    expect(await store(ack(1, [[policyId, 1, Outcome.FAILED]]))).toEqual([]);
    expect(await outcome()).toBe('installed');
    expect(await ackedGeneration()).toBe(2);
  });

  it('that is ahead of what is desired, in generation or epoch, is of no use', async () => {
    await desire(Uint8Array.of(1));
    expect(await store(ack(2, [[policyId, 1, Outcome.INSTALLED]]))).toEqual([]);
    expect(await store(ack(1, [[policyId, 1, Outcome.INSTALLED]], { epoch: 2 }))).toEqual([]);
    expect(await outcome()).toBe('pending');
  });

  it('from a session that the agent has left is of no use', async () => {
    await desire(Uint8Array.of(1));
    await hello();
    expect(await store(ack(1, [[policyId, 1, Outcome.INSTALLED]]))).toEqual([]);
    expect(await outcome()).toBe('pending');
  });

  it('for a node that the database does not know is of no use', async () => {
    const record = { node: 'h9', session, ack: ack(1) };
    expect(await storeAcks(database.db, [record], nothing)).toEqual([]);
  });

  it('commits with what onAcked writes, or not at all', async () => {
    await desire(Uint8Array.of(1));
    const record = { node: 'h1', session, ack: ack(1, [[policyId, 1, Outcome.INSTALLED]]) };
    const failing: OnAcked = () => Promise.reject(new Error('no'));
    await expect(storeAcks(database.db, [record], failing)).rejects.toThrow('no');
    expect(await outcome()).toBe('pending');
    expect(await ackedGeneration()).toBe(0);
  });
});

describe('a withdrawn policy', () => {
  beforeEach(async () => {
    await desire(Uint8Array.of(1));
    await desire(null);
  });

  it('stays until a generation without it is acknowledged', async () => {
    await store(ack(1, [[policyId, 1, Outcome.INSTALLED]]));
    expect(await outcome()).toBe('pending');
    const [stored] = await store(ack(2));
    expect(stored?.outcomes).toEqual([{ policyId, generation: 2, outcome: 'removed', reason: null, lacks: null }]);
    expect(await outcome()).toBeUndefined();
  });

  it('stays while there is more to say of that generation', async () => {
    await store(ack(2, [], { more: true }));
    expect(await outcome()).toBe('pending');
    await store(ack(2));
    expect(await outcome()).toBeUndefined();
  });

  it('stays when its removal failed, until it is reported gone', async () => {
    await store(ack(2, [[policyId, 2, Outcome.FAILED, 'still steered']]));
    await store(ack(2));
    expect(await outcome()).toBe('failed');
    await store(ack(2, [[policyId, 2, Outcome.REMOVED]]));
    expect(await outcome()).toBeUndefined();
  });

  it('is gone when the whole data plane was read back as desired', async () => {
    await store(ack(2, [[policyId, 2, Outcome.FAILED, 'still steered']]));
    await store(ack(2, [], { readBackHash: stateHashOf([]) }));
    expect(await outcome()).toBeUndefined();
  });

  it('is not kept by a failure from before it was withdrawn', async () => {
    await store(ack(2, [[policyId, 1, Outcome.FAILED, 'never installed']]));
    expect(await outcome()).toBeUndefined();
  });
});
