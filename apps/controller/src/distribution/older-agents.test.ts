import { credentials, status, type ServiceError } from '@grpc/grpc-js';
import {
  AgentServiceClient,
  classIdOf,
  encodeServiceClass,
  Family,
  MemoryBus,
  type ControllerMessage,
  type Hello,
} from '@waymark/agent-protocol';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hello, policyBody, startTestController, type TestController } from '../testing/distribution-fixture.js';
import { eventually } from '../testing/eventually.js';
import { OlderAgent } from '../testing/older-agent.js';
import { startSessionAgent, type SessionAgent } from '../testing/session-agent.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';

let database: TestDatabase;
let bus: MemoryBus;
let logged: string[];
const running: (() => Promise<void> | void)[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  bus = new MemoryBus();
  logged = [];
  await sql`
    insert into class_member (headend, address, color, cluster, namespace, pod) values ('h1', '10.1.0.1', 10, 'c', 'n', 'p')
  `.execute(database.db);
});

afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop();
  await bus.close();
  await database.drop();
});

async function controller(): Promise<TestController> {
  const started = await startTestController(database, bus, {
    log: pino({ level: 'info' }, { write: (line: string) => void logged.push(line) }),
  });
  running.push(() => started.stop());
  return started;
}

function olderAgent(one: TestController): OlderAgent {
  const started = new OlderAgent('h1', one.address);
  running.push(() => started.stop());
  return started;
}

async function presentAgent(one: TestController): Promise<SessionAgent> {
  const started = await startSessionAgent({ node: 'h1', controllers: [one.address], bus });
  running.push(() => started.dispose());
  return started;
}

const PLAIN = 'h1:10:h2';
const STEERING = 'h1:10:h3';
const CLASS = classIdOf('h1', 10);
const ofClass = { family: Family.IPV6, address: Uint8Array.of(0xfd, ...new Array<number>(15).fill(0)), length: 8 };
const whole = policyBody(STEERING, 1, [ofClass]);
const part = policyBody(STEERING, 1);
const everything = [
  { policyId: PLAIN, body: policyBody(PLAIN) },
  { policyId: STEERING, body: whole },
  {
    policyId: CLASS,
    body: encodeServiceClass({ classId: CLASS, color: 10, sources: [Uint8Array.of(10, 1, 0, 1)] }),
  },
];

async function stored(): Promise<Record<string, string>> {
  const rows = await sql<{ policy_id: string; told: string }>`
    select policy_id, concat_ws(': ', outcome, outcome_reason) as told from desired where not deleted order by policy_id
  `.execute(database.db);
  return Object.fromEntries(rows.rows.map(({ policy_id, told }) => [policy_id, told]));
}

async function withheld(): Promise<readonly string[]> {
  const rows = await sql<{ id: string }>`select policy_id as id from withheld order by 1`.execute(database.db);
  return rows.rows.map(({ id }) => id);
}

const forOlder = {
  [PLAIN]: 'simulated',
  [STEERING]: expect.stringMatching(/^failed: the agent is of a version without service classes/) as unknown,
};
const forPresent = { [CLASS]: 'simulated', [PLAIN]: 'simulated', [STEERING]: 'simulated' };

describe('an agent of an older version', () => {
  it('is sent what it understands; what it does not is told, and comes once it is upgraded', async () => {
    const one = await controller();
    const older = olderAgent(one);
    await eventually(() => expect(older.welcome).toBeDefined());
    await one.write([{ headend: 'h1', policies: everything }]);
    await eventually(async () => expect(await stored()).toEqual(forOlder));
    expect(older.installed).toEqual([PLAIN, STEERING]);
    expect(older.refused).toEqual([]);
    expect(Buffer.compare(older.bodyOf(STEERING) ?? new Uint8Array(), part)).toBe(0);
    expect(await withheld()).toEqual([CLASS, STEERING]);
    await eventually(async () =>
      expect(await one.distribution.agents.agent('h1')).toMatchObject({
        protocolVersion: 1,
        lacks: ['service-classes'],
        inSync: true,
        policies: { total: 2, simulated: 1, failed: 1 },
      }),
    );

    // It goes on to follow changes.
    await one.write([{ headend: 'h1', policies: [{ policyId: 'h1:10:h4', body: policyBody('h1:10:h4') }] }]);
    await eventually(() => expect(older.installed).toEqual([PLAIN, STEERING, 'h1:10:h4']));
    await one.write([{ headend: 'h1', policies: [{ policyId: 'h1:10:h4', body: null }] }]);
    await eventually(() => expect(older.removed).toEqual(['h1:10:h4']));
    older.stop();

    const present = await presentAgent(one);
    await eventually(async () => expect(await stored()).toEqual(forPresent));
    expect([...(present.reconciler.desired?.policies.keys() ?? [])].sort()).toEqual([PLAIN, CLASS, STEERING].sort());
    expect(await withheld()).toEqual([]);
    await eventually(async () =>
      expect(await one.distribution.agents.agent('h1')).toMatchObject({ protocolVersion: 2, lacks: [], inSync: true }),
    );
    // In no state in between was anything missing that had been there.
    for (const { policies } of present.reconciler.history) {
      expect([...policies.keys()]).toEqual(expect.arrayContaining([PLAIN, STEERING]));
    }
  });

  it('that takes the place of a newer one loses what it does not understand, and nothing else', async () => {
    const one = await controller();
    const present = await presentAgent(one);
    await one.write([{ headend: 'h1', policies: everything }]);
    await eventually(async () => expect(await stored()).toEqual(forPresent));
    await present.stop();
    const older = olderAgent(one);
    await eventually(async () => expect(await stored()).toEqual(forOlder));
    expect(older.installed).toEqual([PLAIN, STEERING]);
    expect(older.refused).toEqual([]);
    expect(older.removed).toEqual([]);
    expect(await withheld()).toEqual([CLASS, STEERING]);
  });

  it('is believed of what a controller wrote that withholds nothing', async () => {
    const one = await controller();
    const older = olderAgent(one);
    await one.write([{ headend: 'h1', policies: everything }]);
    await eventually(async () => expect(await stored()).toEqual(forOlder));
    older.stop();
    // As such a controller writes: the policy steers no class any more, and nobody tells the table of what is withheld.
    await sql`create table kept as select * from withheld`.execute(database.db);
    await one.write([{ headend: 'h1', policies: [{ policyId: STEERING, body: policyBody(STEERING, 2) }] }]);
    await sql`delete from withheld`.execute(database.db);
    await sql`insert into withheld select * from kept`.execute(database.db);
    olderAgent(one);
    await eventually(async () => expect(await stored()).toEqual({ [PLAIN]: 'simulated', [STEERING]: 'simulated' }));
  });

  it('gets what it understands again after a controller has led that withholds nothing', async () => {
    const one = await controller();
    const older = olderAgent(one);
    await one.write([{ headend: 'h1', policies: everything }]);
    await eventually(async () => expect(await stored()).toEqual(forOlder));
    // As such a controller writes: it changes one, deletes a class, and knows no table of what is withheld.
    const features = (list: string) => sql`update headend set features = ${list}::text[]`.execute(database.db);
    const changed = policyBody(STEERING, 2, [ofClass]);
    await sql`create table kept as select * from withheld`.execute(database.db);
    await features('{service-classes}');
    await one.write([{ headend: 'h1', policies: [{ policyId: STEERING, body: changed }] }]);
    await sql`delete from class_member`.execute(database.db);
    await sql`delete from withheld`.execute(database.db);
    await sql`insert into withheld select * from kept`.execute(database.db);
    await features('{}');
    await one.stop();

    const two = await controller();
    older.stop();
    const again = olderAgent(two);
    await eventually(async () => expect(await stored()).toEqual(forOlder));
    await eventually(() => expect(again.refused).toEqual([]));
    expect(Buffer.compare(again.bodyOf(STEERING) ?? new Uint8Array(), policyBody(STEERING, 2))).toBe(0);
    again.stop();
    await presentAgent(two);
    await eventually(async () => expect(await stored()).toEqual({ [PLAIN]: 'simulated', [STEERING]: 'simulated' }));
    const [row] = await database.db.selectFrom('desired').select('body').where('policy_id', '=', STEERING).execute();
    expect(Buffer.compare(row?.body ?? Buffer.of(), changed)).toBe(0);
  });
});

describe('an agent with no version in common', () => {
  function greet(one: TestController, versions: Partial<Hello>) {
    const client = new AgentServiceClient(one.address, credentials.createInsecure());
    running.push(() => client.close());
    const stream = client.session();
    const heard: ControllerMessage[] = [];
    stream.on('data', (message: ControllerMessage) => void heard.push(message));
    const ended = new Promise<ServiceError>((resolve) => stream.on('error', (error: ServiceError) => resolve(error)));
    stream.write({ message: { $case: 'hello', value: { ...hello, ...versions } } });
    return { ended, heard };
  }

  it('is refused with the reason, which both sides tell, and costs the session of its node nothing', async () => {
    const one = await controller();
    const present = await presentAgent(one);
    await one.write([{ headend: 'h1', policies: everything }]);
    await eventually(async () => expect(await stored()).toEqual(forPresent));
    const { ended, heard } = greet(one, { oldestVersion: 7, newestVersion: 9 });
    expect(await ended).toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: 'the agent speaks version 7 to 9 of the protocol and this controller 1 to 2: upgrade the controllers',
    });
    expect(heard).toEqual([]);
    await eventually(() => expect(logged.join('')).toContain('an agent was refused: it is of another version'));
    expect(present.session.status().connected).toBe(true);
    await eventually(async () =>
      expect(await one.distribution.agents.agent('h1')).toMatchObject({ agentVersion: 'test', inSync: true }),
    );
    expect(await stored()).toEqual(forPresent);
  });

  it('is refused when its versions make no sense', async () => {
    const one = await controller();
    const { ended } = greet(one, { oldestVersion: 2, newestVersion: 1 });
    expect(await ended).toMatchObject({ code: status.INVALID_ARGUMENT });
    const many = greet(one, { features: new Array<string>(300).fill('x') });
    expect(await many.ended).toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  it('is welcome with features of tomorrow, which are not counted', async () => {
    const one = await controller();
    const { heard } = greet(one, { newestVersion: 9, features: ['of-tomorrow', 'service-classes'] });
    await eventually(() => expect(heard[0]?.message).toMatchObject({ $case: 'welcome', value: { version: 2 } }));
    await eventually(async () => expect(await one.distribution.agents.agent('h1')).toMatchObject({ lacks: [] }));
  });
});
