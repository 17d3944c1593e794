import { credentials, status, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js';
import {
  AgentServiceClient,
  emptyStateHash,
  MemoryBus,
  type AgentMessage,
  type ControllerMessage,
  type Heartbeat,
  type Hello,
  type SnapshotChunk,
} from '@waymark/agent-protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { policyBody, startTestController, type TestController } from '../testing/distribution-fixture.js';
import { eventually } from '../testing/eventually.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';

let database: TestDatabase;
let bus: MemoryBus;
let controller: TestController;
let client: AgentServiceClient;
let greeted: string[];

beforeEach(async () => {
  database = await createTestDatabase();
  bus = new MemoryBus();
  greeted = [];
  controller = await startTestController(database, bus, {
    heartbeatIntervalMs: 500,
    onHello: (node, capabilities) => {
      greeted.push(`${node} ${String(capabilities.msdHEncaps)} ${capabilities.encapMode}`);
      return node === 'broken' ? Promise.reject(new Error('no')) : Promise.resolve();
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

const hello: Hello = {
  nodeId: 'h1',
  agentVersion: '1',
  dataplane: 'dry-run',
  msdHEncaps: 0,
  encapMode: 'full',
  ownedSids: [],
  instance: '',
  epoch: 0,
  generation: 0,
};

const heartbeat: Heartbeat = {
  epoch: 0,
  generation: 0,
  stateHash: emptyStateHash(),
  dataplaneError: '',
  bus: 'none',
  driftRepairs: 0,
};

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

/** The welcome and what follows it: digests may come unasked at any time, whenever desired state is announced. */
function cases({ heard }: RawSession): readonly string[] {
  const kinds = heard.map((message) => message.$case);
  return kinds.slice(kinds.indexOf('welcome')).slice(0, 2);
}

describe('a session', () => {
  it('answers a hello with what the agent needs, and each heartbeat with a digest', async () => {
    const session = open();
    session.say({ $case: 'hello', value: { ...hello, msdHEncaps: 5 } });
    await eventually(() => expect(cases(session)[0]).toBe('welcome'));
    const { instance } = controller.distribution.identity;
    expect(session.heard.find((message) => message.$case === 'welcome')).toMatchObject({
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
  ])('ends on %s', async (_, message, code) => {
    const session = open();
    session.stream.write({ message });
    expect(await session.ended).toMatchObject({ code });
    expect(await database.db.selectFrom('agent').selectAll().execute()).toEqual([]);
  });

  it('ends when the same agent connects again, so that one agent has one session', async () => {
    const first = open();
    first.say({ $case: 'hello', value: hello });
    await eventually(() => expect(first.heard.length).toBeGreaterThan(0));
    const second = open();
    second.say({ $case: 'hello', value: hello });
    await eventually(() => expect(second.heard.length).toBeGreaterThan(0));
    expect(await first.ended).toMatchObject({ code: status.ABORTED });
    // A digest may come by itself meanwhile, so what counts is that the heartbeat brings one more.
    const before = second.heard.length;
    second.say({ $case: 'heartbeat', value: heartbeat });
    await eventually(() => expect(second.heard.length).toBeGreaterThan(before));
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
