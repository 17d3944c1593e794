import { credentials, status, type ServiceError } from '@grpc/grpc-js';
import { AgentServiceClient, emptyStateHash, MemoryBus, type SnapshotChunk } from '@waymark/agent-protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { policyBody, startTestController, type TestController } from '../testing/distribution-fixture.js';
import { eventually } from '../testing/eventually.js';
import { startSessionAgent, type SessionAgent } from '../testing/session-agent.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';

const AGENTS = 60;
const patience = 60_000;
const nodes = Array.from({ length: AGENTS }, (_, index) => `h${String(index)}`);

const bus = new MemoryBus();
let database: TestDatabase;
let controller: TestController;
const agents: SessionAgent[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  controller = await startTestController(database, bus, { heartbeatIntervalMs: 1_000 });
  await write(controller, 1);
});

afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.dispose()));
  await controller.stop();
  await database.drop();
});

async function write(by: TestController, variant: number): Promise<void> {
  await by.write(
    nodes.map((headend) => {
      const policyId = `${headend}:1:x`;
      return { headend, policies: [{ policyId, body: policyBody(policyId, variant) }] };
    }),
  );
}

/** Every agent holds what the database wants of its node. */
async function settled(): Promise<void> {
  await eventually(async () => {
    const rows = await database.db.selectFrom('headend').select(['node_id', 'state_hash']).execute();
    const wanted = new Map(rows.map((row) => [row.node_id, Buffer.from(row.state_hash).toString('hex')]));
    for (const [index, { session }] of agents.entries()) {
      const { connected, stateHash } = session.status();
      expect([connected, Buffer.from(stateHash).toString('hex')]).toEqual([true, wanted.get(nodes[index] ?? '')]);
    }
  }, patience);
}

const counts = () => controller.distribution.server.counts();

/** At the address of the one before, as a process that is started again. */
async function startAgain(): Promise<void> {
  const { address } = controller;
  controller = await startTestController(database, bus, { heartbeatIntervalMs: 1_000, address });
}

describe(`${AGENTS} agents whose controller is started again`, () => {
  beforeEach(async () => {
    const started = nodes.map((node) => startSessionAgent({ node, controllers: [controller.address], bus: null }));
    agents.push(...(await Promise.all(started)));
    await settled();
  }, patience);

  it('ask for no snapshot when they hold what they should', async () => {
    await controller.stop();
    await startAgain();
    await settled();
    await eventually(() => expect(counts().sessions).toBe(AGENTS), patience);
    expect(counts().welcomed).toBeGreaterThanOrEqual(AGENTS);
    expect(counts().snapshots).toMatchObject({ sent: 0, unchanged: 0, policies: 0, waiting: 0 });
  }, 180_000);

  it('get one snapshot each when all are behind', async () => {
    await controller.stop();
    const elsewhere = await startTestController(database, bus, { controller: 'elsewhere' });
    await write(elsewhere, 2);
    await elsewhere.stop();
    await startAgain();
    await settled();
    const { welcomed, snapshots } = counts();
    expect(snapshots.sent).toBeGreaterThanOrEqual(AGENTS);
    // one for each session; and an agent whose session broke meanwhile has begun another
    expect(snapshots.sent).toBeLessThanOrEqual(welcomed);
    expect(snapshots).toMatchObject({ refused: 0, waiting: 0, policies: snapshots.sent });
  }, 180_000);
});

it('of the snapshots that one node asks for, only the newest is worth anything', async () => {
  const clients = Array.from(
    { length: 10 },
    () =>
      new AgentServiceClient(controller.address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 }),
  );
  const ask = (client: AgentServiceClient) =>
    new Promise<status | undefined>((resolve) => {
      const stream = client.getSnapshot({ nodeId: 'h1', epoch: 0, generation: 0, stateHash: emptyStateHash() });
      let whole = false;
      stream.on('data', ({ last }: SnapshotChunk) => (whole ||= last));
      stream.on('error', ({ code }: ServiceError) => resolve(code));
      stream.on('end', () => resolve(whole ? status.OK : undefined));
    });
  const ends = await Promise.all(clients.flatMap((client) => Array.from({ length: 10 }, () => ask(client))));
  for (const client of clients) client.close();
  expect(ends).toContain(status.OK);
  expect(ends.filter((end) => end !== status.OK && end !== status.UNAVAILABLE)).toEqual([]);
  await eventually(() => expect(counts().snapshots).toMatchObject({ underWay: 0, waiting: 0 }), patience);
  expect(counts().snapshots.sent).toBe(ends.filter((end) => end === status.OK).length);
}, 120_000);
