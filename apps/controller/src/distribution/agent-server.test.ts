import { credentials, status, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js';
import {
  AgentServiceClient,
  emptyStateHash,
  Family,
  Liveness,
  MemoryBus,
  Outcome,
  type Ack,
  type AgentMessage,
  type ControllerMessage,
  type DataPlaneReport,
  type Heartbeat,
  type InterfaceCounters,
  type ListLiveness,
  type LocalSidCounters,
  type PolicyOutcome,
  type SnapshotChunk,
} from '@waymark/agent-protocol';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hello, policyBody, startTestController, type TestController } from '../testing/distribution-fixture.js';
import { eventually } from '../testing/eventually.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';

let database: TestDatabase;
let bus: MemoryBus;
let controller: TestController;
let client: AgentServiceClient;
let greeted: string[];
let slow: Promise<void>;

beforeEach(async () => {
  database = await createTestDatabase();
  bus = new MemoryBus();
  greeted = [];
  slow = Promise.resolve();
  controller = await startTestController(database, bus, {
    heartbeatIntervalMs: 500,
    onHellos: async (hellos) => {
      if (hellos.some(({ node }) => node === 'broken')) throw new Error('no');
      for (const { node, capabilities } of hellos)
        greeted.push(`${node} ${capabilities.msdHEncaps ?? 0} ${capabilities.encapMode}`);
      if (hellos.some(({ node }) => node === 'slow')) await slow;
    },
  });
  client = new AgentServiceClient(controller.address, credentials.createInsecure());
});

afterEach(async () => {
  client.close();
  await controller.stop();
  await bus.close();
  await database.drop();
});

const heartbeat: Heartbeat = {
  epoch: 0,
  generation: 0,
  stateHash: emptyStateHash(),
  dataplaneError: '',
  bus: 'none',
  driftRepairs: 0,
};

const ack: Ack = {
  epoch: 1,
  generation: 1,
  outcomes: [],
  readBackHash: emptyStateHash(),
  more: false,
  sequence: 1,
};

const failure: PolicyOutcome = { policyId: 'h1:1:h2', generation: 1, outcome: Outcome.FAILED, reason: '' };

const address = Uint8Array.of(...new Array<number>(15).fill(0), 1);

const probed: ListLiveness = {
  policyId: 'h1:1:h2',
  family: Family.IPV6,
  sids: [address],
  standby: false,
  inUse: true,
  state: Liveness.UP,
  sinceMs: 1_700_000_000_000,
  probesSent: 100,
  probesLost: 1,
  roundTripMinUs: 1,
  roundTripAvgUs: 2,
  roundTripMaxUs: 3,
};

function liveness(change: Partial<ListLiveness>): NonNullable<AgentMessage['message']> {
  return { $case: 'liveness', value: { complete: true, lists: [{ ...probed, ...change }] } };
}

const counters: InterfaceCounters = {
  name: 'eth0',
  up: true,
  rxBytes: 1,
  rxPackets: 2,
  txBytes: 3,
  txPackets: 4,
  drops: 5,
  rxBps: 6,
  txBps: 7,
};

const localSid: LocalSidCounters = {
  sid: address,
  behavior: 'End.DT4',
  goodPackets: 1,
  goodBytes: 2,
  badPackets: 3,
  badBytes: 4,
};

function dataPlane(change: Partial<DataPlaneReport>): NonNullable<AgentMessage['message']> {
  const report: DataPlaneReport = {
    version: '24.10',
    reachable: true,
    atMs: 1_700_000_000_000,
    interfaces: [counters],
    localSids: [localSid],
    notices: [],
  };
  return { $case: 'dataPlane', value: { ...report, ...change } };
}

interface RawSession {
  readonly stream: ClientDuplexStream<AgentMessage, ControllerMessage>;
  readonly heard: NonNullable<ControllerMessage['message']>[];
  readonly ended: Promise<ServiceError | undefined>;
  say(message: NonNullable<AgentMessage['message']>): void;
}

function open(): RawSession {
  const stream = client.session();
  const heard: NonNullable<ControllerMessage['message']>[] = [];
  stream.on('data', ({ message }: ControllerMessage) => {
    if (message !== undefined) heard.push(message);
  });
  const ended = new Promise<ServiceError | undefined>((resolve) => {
    stream.on('error', (error: ServiceError) => resolve(error));
    stream.on('end', () => resolve(undefined));
  });
  return { stream, heard, ended, say: (message) => stream.write({ message }) };
}

function cases({ heard }: RawSession): readonly string[] {
  return heard.map((message) => message.$case);
}

describe('a session', () => {
  it('answers a hello with what the agent needs, and each heartbeat with a digest', async () => {
    const session = open();
    session.say({ $case: 'hello', value: { ...hello, msdHEncaps: 5 } });
    await eventually(() => expect(cases(session)).toEqual(['welcome']));
    const { instance } = controller.distribution.identity;
    expect(session.heard[0]).toMatchObject({
      $case: 'welcome',
      value: {
        instance,
        channel: `waymark:${instance}:node:h1`,
        heartbeatIntervalMs: 500,
        digest: { epoch: 0, generation: 0 },
      },
    });
    session.say({ $case: 'heartbeat', value: heartbeat });
    await eventually(() => expect(cases(session)).toEqual(['welcome', 'digest']));
    await eventually(() => expect(greeted).toEqual(['h1 5 full']));
    session.stream.cancel();
  });

  it('goes on when what the agent said of its node cannot be stored', async () => {
    const session = open();
    session.say({ $case: 'hello', value: { ...hello, nodeId: 'broken' } });
    session.say({ $case: 'heartbeat', value: heartbeat });
    await eventually(() => expect(cases(session)).toEqual(['welcome', 'digest']));
    session.stream.cancel();
  });

  it('tells together what agents say that come while others are told, and what cannot be stored costs no other', async () => {
    let goOn = (): void => undefined;
    slow = new Promise((resolve) => {
      goOn = resolve;
    });
    const sessions = ['slow', 'h2', 'broken', 'h3'].map((nodeId) => {
      const session = open();
      session.say({ $case: 'hello', value: { ...hello, nodeId } });
      return session;
    });
    await eventually(() => expect(sessions.map(cases)).toEqual(sessions.map(() => ['welcome'])));
    await eventually(() => expect(greeted).toContain('slow 0 full'));
    goOn();
    await eventually(() => expect([...greeted].sort()).toEqual(['h2 0 full', 'h3 0 full', 'slow 0 full']));
    for (const { stream } of sessions) stream.cancel();
  });

  it('takes the last word of an agent that came several times meanwhile', async () => {
    let goOn = (): void => undefined;
    slow = new Promise((resolve) => (goOn = resolve));
    const say = async (nodeId: string, msdHEncaps: number) => {
      const session = open();
      session.say({ $case: 'hello', value: { ...hello, nodeId, msdHEncaps } });
      await eventually(() => expect(cases(session)).toEqual(['welcome']));
      return session;
    };
    const sessions = [await say('slow', 0)];
    await eventually(() => expect(greeted).toEqual(['slow 0 full']));
    sessions.push(await say('h2', 5), await say('h3', 6), await say('h2', 7));
    goOn();
    await eventually(() => expect(greeted).toHaveLength(3));
    expect(greeted).toEqual(['slow 0 full', 'h2 7 full', 'h3 6 full']);
    for (const { stream } of sessions) stream.cancel();
  });

  it.each<[string, AgentMessage['message'], status]>([
    ['a heartbeat before the hello', { $case: 'heartbeat', value: heartbeat }, status.FAILED_PRECONDITION],
    ['nothing', undefined, status.FAILED_PRECONDITION],
    ['a malformed node id', { $case: 'hello', value: { ...hello, nodeId: '../h1' } }, status.INVALID_ARGUMENT],
    ['an absurd epoch', { $case: 'hello', value: { ...hello, epoch: 2 ** 52 } }, status.INVALID_ARGUMENT],
    [
      'a malformed SID',
      { $case: 'hello', value: { ...hello, ownedSids: [{ sid: new Uint8Array(4), behavior: 'End' }] } },
      status.INVALID_ARGUMENT,
    ],
    [
      'a SID that can be none',
      {
        $case: 'hello',
        value: { ...hello, ownedSids: [{ sid: Uint8Array.of(0xfe, 0x80, ...address.slice(2)), behavior: 'End' }] },
      },
      status.INVALID_ARGUMENT,
    ],
    [
      'more SIDs than a node has',
      {
        $case: 'hello',
        value: { ...hello, ownedSids: Array.from({ length: 4_097 }, () => ({ sid: address, behavior: 'End' })) },
      },
      status.INVALID_ARGUMENT,
    ],
    [
      'a name that cannot be stored',
      { $case: 'hello', value: { ...hello, dataplane: 'dry\u0000run' } },
      status.INVALID_ARGUMENT,
    ],
  ])('ends on %s', async (_, message, code) => {
    const session = open();
    session.stream.write({ message });
    expect(await session.ended).toMatchObject({ code });
    expect(await database.db.selectFrom('agent').selectAll().execute()).toEqual([]);
  });

  it.each<[string, NonNullable<AgentMessage['message']>]>([
    ['an absurd generation', { $case: 'heartbeat', value: { ...heartbeat, generation: 2 ** 52 } }],
    ['an unknown bus', { $case: 'heartbeat', value: { ...heartbeat, bus: 'r\u0000dis' } }],
    ['a hash of another length', { $case: 'ack', value: { ...ack, readBackHash: new Uint8Array(4) } }],
    ['an outcome of no policy', { $case: 'ack', value: { ...ack, outcomes: [{ ...failure, policyId: 'h1' }] } }],
    ['liveness of no policy', liveness({ policyId: 'h1' })],
    ['liveness of no known family', liveness({ family: Family.UNSPECIFIED })],
    ['liveness of no known state', liveness({ state: Liveness.UNSPECIFIED })],
    ['liveness of a list without SIDs', liveness({ sids: [] })],
    ['liveness of a list that no header can carry', liveness({ sids: new Array<Uint8Array>(128).fill(address) })],
    ['liveness of what is no SID', liveness({ sids: [new Uint8Array(4)] })],
    ['liveness of a time that cannot be stored', liveness({ sinceMs: 2 ** 52 })],
    ['more probes lost than sent', liveness({ probesSent: 1, probesLost: 2 })],
    ['round trips out of order', liveness({ roundTripMinUs: 3, roundTripAvgUs: 2, roundTripMaxUs: 4 })],
    ['liveness of a list twice', { $case: 'liveness', value: { complete: true, lists: [probed, probed] } }],
    ['too many interfaces', dataPlane({ interfaces: new Array<InterfaceCounters>(4097).fill(counters) })],
    ['a nameless interface', dataPlane({ interfaces: [{ ...counters, name: '' }] })],
    ['an interface whose name cannot be stored', dataPlane({ interfaces: [{ ...counters, name: 'eth\u00000' }] })],
    ['a local SID that is none', dataPlane({ localSids: [{ ...localSid, sid: new Uint8Array(15) }] })],
    ['too many local SIDs', dataPlane({ localSids: new Array<LocalSidCounters>(4097).fill(localSid) })],
    ['too many notices', dataPlane({ notices: new Array<string>(257).fill('x') })],
    ['a reading at a time that cannot be stored', dataPlane({ atMs: 2 ** 52 })],
  ])('ends on %s after the hello', async (_, message) => {
    const session = open();
    session.say({ $case: 'hello', value: hello });
    session.say(message);
    expect(await session.ended).toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  it('stores what a data plane printed as one line, whatever it printed', async () => {
    await controller.write([{ headend: 'h1', policies: [{ policyId: 'h1:1:h2', body: policyBody('h1:1:h2') }] }]);
    const session = open();
    session.say({ $case: 'hello', value: hello });
    session.say({ $case: 'heartbeat', value: { ...heartbeat, dataplaneError: 'ip:\u0000\nno' } });
    session.say({ $case: 'ack', value: { ...ack, outcomes: [{ ...failure, reason: 'line 1\nline\u00002' }] } });
    await eventually(async () => {
      const { db } = database;
      expect(await db.selectFrom('agent').select('dataplane_error').execute()).toEqual([{ dataplane_error: 'ip: no' }]);
      expect(await db.selectFrom('desired').select('outcome_reason').execute()).toEqual([
        { outcome_reason: 'line 1 line 2' },
      ]);
    });
    session.stream.cancel();
  });

  it('stores what probes found, and says so to all controllers', async () => {
    await sql`
      insert into sr_policy (id, headend, color, endpoint, fallback, revision)
      values ('h1:1:h2', 'h1', 1, 'h2', 'drop', 1)
    `.execute(database.db);
    const session = open();
    session.say({ $case: 'hello', value: hello });
    session.say(liveness({}));
    session.say(liveness({ state: Liveness.DOWN }));
    await eventually(() => {
      expect(controller.events.all.filter(({ type }) => type === 'policy.liveness')).toMatchObject([
        { data: { policyId: 'h1:1:h2', family: 'ipv6', state: 'down', segments: ['::1'], probesLost: 1 } },
      ]);
    });
    session.stream.cancel();
  });

  it('keeps the newest report of the data plane, as long as a newer session does not exist', async () => {
    const { agents } = controller.distribution;
    const session = open();
    session.say({ $case: 'hello', value: hello });
    await eventually(() => expect(cases(session)).toEqual(['welcome']));
    expect(await agents.dataPlane('h1')).toEqual({ node: 'h1', report: null });
    session.say(dataPlane({ version: '24.02' }));
    session.say(dataPlane({ notices: ['2 policies\nare not ours', `${'x'.repeat(3999)}\u{1f600}`] }));
    await eventually(async () => {
      expect((await agents.dataPlane('h1')).report).toMatchObject({
        readAt: '2023-11-14T22:13:20.000Z',
        version: '24.10',
        reachable: true,
        interfaces: [counters],
        localSids: [{ ...localSid, sid: '::1' }],
        notices: ['2 policies are not ours', 'x'.repeat(3999)],
      });
    });
    await sql`update agent set session = gen_random_uuid()`.execute(database.db);
    session.say(dataPlane({ version: '', reachable: false }));
    session.say({ $case: 'heartbeat', value: heartbeat });
    await session.ended;
    expect(await agents.dataPlane('h1')).toMatchObject({ node: 'h1', report: { version: '24.10', reachable: true } });
    await expect(agents.dataPlane('h2')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('ends when the same agent connects again, so that one agent has one session', async () => {
    const first = open();
    first.say({ $case: 'hello', value: hello });
    await eventually(() => expect(cases(first)).toEqual(['welcome']));
    const second = open();
    second.say({ $case: 'hello', value: hello });
    expect(await first.ended).toMatchObject({ code: status.ABORTED });
    second.say({ $case: 'heartbeat', value: heartbeat });
    await eventually(() => expect(cases(second)).toEqual(['welcome', 'digest']));
    second.stream.cancel();
  });

  it('ends when the agent has moved to another controller', async () => {
    const other = await startTestController(database, bus, { controller: 'controller-b' });
    const first = open();
    first.say({ $case: 'hello', value: hello });
    await eventually(() => expect(first.heard).not.toHaveLength(0));
    const otherClient = new AgentServiceClient(other.address, credentials.createInsecure());
    const moved = otherClient.session();
    moved.on('error', () => undefined);
    moved.on('data', () => undefined);
    moved.write({ message: { $case: 'hello', value: hello } });
    await eventually(async () =>
      expect(await other.distribution.agents.agent('h1')).toMatchObject({ controller: 'controller-b' }),
    );
    first.say({ $case: 'heartbeat', value: heartbeat });
    expect(await first.ended).toMatchObject({ code: status.ABORTED });
    moved.cancel();
    otherClient.close();
    await other.stop();
  });

  it('ends when the agent says nothing', async () => {
    const session = open();
    session.say({ $case: 'hello', value: hello });
    expect(await session.ended).toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });

  it('survives an agent that floods it', async () => {
    const session = open();
    session.say({ $case: 'hello', value: hello });
    for (let count = 0; count < 300; count++) session.say({ $case: 'heartbeat', value: heartbeat });
    await eventually(() => session.heard.length === 301);
    session.stream.cancel();
  });
});

describe('a snapshot', () => {
  async function snapshot(request: {
    epoch: number;
    generation: number;
    stateHash: Uint8Array;
  }): Promise<SnapshotChunk[]> {
    const chunks: SnapshotChunk[] = [];
    for await (const chunk of client.getSnapshot({ nodeId: 'h1', ...request })) chunks.push(chunk as SnapshotChunk);
    return chunks;
  }

  const nothing = { epoch: 0, generation: 0, stateHash: emptyStateHash() };

  it('comes in chunks far below the limit of gRPC, in the order of policy ids', async () => {
    const policies = Array.from({ length: 8_000 }, (_, index) => {
      const policyId = `h1:${String(index + 1)}:h2`;
      return { policyId, body: policyBody(policyId) };
    });
    await controller.write([{ headend: 'h1', policies }]);
    const chunks = await snapshot(nothing);
    expect(chunks.length).toBeGreaterThan(2);
    expect(chunks.map((chunk) => chunk.last)).toEqual(chunks.map((_, index) => index === chunks.length - 1));
    const ids = chunks.flatMap((chunk) => chunk.policies.map((policy) => policy.policyId));
    expect(ids).toEqual(policies.map((policy) => policy.policyId).sort());
  });

  it('is one word for an agent that holds the newest state', async () => {
    await controller.write([{ headend: 'h1', policies: [{ policyId: 'h1:1:h2', body: policyBody('h1:1:h2') }] }]);
    const [first] = await snapshot(nothing);
    expect(first).toMatchObject({ unchanged: false, policies: [{ policyId: 'h1:1:h2' }] });
    expect(await snapshot(first ?? nothing)).toMatchObject([{ unchanged: true, last: true, policies: [] }]);
    const lied = { ...(first ?? nothing), stateHash: emptyStateHash() };
    expect(await snapshot(lied)).toMatchObject([{ unchanged: false, policies: [{ policyId: 'h1:1:h2' }] }]);
  });

  it('is empty for a node that nothing was decided for, and refused for what is no node', async () => {
    expect(await snapshot({ ...nothing, generation: 3 })).toMatchObject([{ generation: 0, policies: [], last: true }]);
    const stream = client.getSnapshot({ nodeId: '', ...nothing });
    const error = await new Promise((resolve) => {
      stream.on('error', resolve);
      stream.on('data', () => undefined);
    });
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT });
  });
});
