import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { AgentServiceClient, MemoryBus, SnapshotChunk, stateHashOf } from '@waymark/agent-protocol';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hello, policyBody, startTestController, type TestController } from '../testing/distribution-fixture.js';
import { eventually } from '../testing/eventually.js';
import { startSessionAgent, type SessionAgent } from '../testing/session-agent.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';

let database: TestDatabase;
let bus: MemoryBus;
const running: (() => Promise<void>)[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  bus = new MemoryBus();
});

afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop();
  await bus.close();
  await database.drop();
});

async function controller(overrides: Parameters<typeof startTestController>[2] = {}): Promise<TestController> {
  const started = await startTestController(database, bus, overrides);
  running.push(() => started.stop());
  return started;
}

async function agent(options: Parameters<typeof startSessionAgent>[0]): Promise<SessionAgent> {
  const started = await startSessionAgent(options);
  running.push(() => started.dispose());
  return started;
}

function held({ reconciler }: SessionAgent): string[] {
  return [...(reconciler.desired?.policies.keys() ?? [])];
}

async function outcomes(): Promise<Record<string, string>> {
  const rows = await database.db.selectFrom('desired').select(['policy_id', 'outcome']).execute();
  return Object.fromEntries(rows.map((row) => [row.policy_id, row.outcome]));
}

/** For a lot of work on a busy machine. */
const patience = 60_000;

const alpha = { policyId: 'h1:10:h2', body: policyBody('h1:10:h2') };
const beta = { policyId: 'h1:10:h3', body: policyBody('h1:10:h3') };

describe('from the desired store to the agents and back', () => {
  it('brings policies to a connected agent and its outcomes into the store', async () => {
    const one = await controller();
    const h1 = await agent({ node: 'h1', controllers: [one.address], bus });
    await one.write([{ headend: 'h1', policies: [alpha, beta] }]);
    await eventually(() => expect(held(h1)).toEqual([alpha.policyId, beta.policyId]));
    await eventually(async () =>
      expect(await outcomes()).toEqual({ [alpha.policyId]: 'simulated', [beta.policyId]: 'simulated' }),
    );
    const headend = await database.db.selectFrom('headend').selectAll().executeTakeFirstOrThrow();
    expect(headend.acked_generation).toBe(1);
    expect(headend.read_back_hash).toEqual(headend.state_hash);
    expect(new Uint8Array(headend.state_hash)).toEqual(stateHashOf([alpha, beta]));
    await eventually(() =>
      expect(
        one.events.all.filter((event) => event.type === 'policy.install').map((event) => event.data),
      ).toMatchObject([{ outcome: 'simulated' }, { outcome: 'simulated' }]),
    );
  });

  it('withdraws a policy and forgets it once the removal is acknowledged', async () => {
    const acked: string[] = [];
    const one = await controller({
      onAcked: (_tx, headend, generation, changes) => {
        for (const { policyId, outcome } of changes) acked.push(`${headend} ${generation} ${policyId} ${outcome}`);
        return Promise.resolve();
      },
    });
    const h1 = await agent({ node: 'h1', controllers: [one.address], bus });
    await one.write([{ headend: 'h1', policies: [alpha, beta] }]);
    await eventually(() => expect(held(h1)).toHaveLength(2));
    await one.write([{ headend: 'h1', policies: [{ policyId: alpha.policyId, body: null }] }]);
    await eventually(async () => expect(await outcomes()).toEqual({ [beta.policyId]: 'simulated' }));
    expect(held(h1)).toEqual([beta.policyId]);
    expect(acked).toContain(`h1 2 ${alpha.policyId} removed`);
  });

  it('reaches an agent without a bus by the digest', async () => {
    const one = await controller();
    const h1 = await agent({ node: 'h1', controllers: [one.address], bus: null });
    await eventually(() => h1.session.status().connected);
    await one.write([{ headend: 'h1', policies: [alpha] }]);
    await eventually(() => expect(held(h1)).toEqual([alpha.policyId]));
    await eventually(async () => expect(await outcomes()).toEqual({ [alpha.policyId]: 'simulated' }));
  });

  it('repairs a delta that was never published', async () => {
    const one = await controller();
    const h1 = await agent({ node: 'h1', controllers: [one.address], bus });
    await one.write([{ headend: 'h1', policies: [alpha] }], false);
    await eventually(() => expect(held(h1)).toEqual([alpha.policyId]));
  });

  it('sends a state that is larger than one message of gRPC', async () => {
    const one = await controller();
    const policies = Array.from({ length: 25_000 }, (_, index) => {
      const policyId = `h1:${index + 1}:h2`;
      return { policyId, body: policyBody(policyId, index % 256) };
    });
    await one.write([{ headend: 'h1', policies }]);
    const h1 = await agent({ node: 'h1', controllers: [one.address], bus });
    await eventually(() => expect(held(h1)).toHaveLength(policies.length), patience);
    await eventually(async () => {
      const pending = await sql`select 1 from desired where outcome = 'pending' limit 1`.execute(database.db);
      expect(pending.rows).toEqual([]);
    }, patience);
  }, 150_000);

  it('reaches an agent whose session is on a controller that does not lead', async () => {
    const leader = await controller();
    await leader.write([]);
    const other = await controller({ controller: 'controller-b', heartbeatIntervalMs: 2_000 });
    const h1 = await agent({ node: 'h1', controllers: [other.address], bus: null });
    await eventually(() => h1.session.status().connected);
    await leader.write([{ headend: 'h1', policies: [alpha] }]);
    await eventually(async () => expect(await outcomes()).toEqual({ [alpha.policyId]: 'simulated' }));
  });

  it('tells the events of one controller on every other', async () => {
    const leader = await controller();
    await leader.write([]);
    const follower = await controller({ controller: 'controller-b' });
    await agent({ node: 'h1', controllers: [leader.address], bus });
    await leader.write([{ headend: 'h1', policies: [alpha] }]);
    const installs = ({ events }: TestController) =>
      events.all.filter(({ type }) => type === 'policy.install').map(({ data }) => data);
    await eventually(() => expect(installs(leader)).toMatchObject([{ policyId: alpha.policyId }]));
    await eventually(() => expect(installs(follower)).toEqual(installs(leader)));

    // Its session for notifications ends: whatever it may have missed, it says so.
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and (query = 'select 1' or query like 'listen %')
    `.execute(database.db);
    await eventually(() => follower.events.gaps.length === 1);
    await leader.stop();
    await eventually(() =>
      expect(follower.events.all).toContainEqual(
        expect.objectContaining({ type: 'leader.elected', data: { epoch: 2, holder: 'controller-b' } }),
      ),
    );
  });

  it('forgets its session with the old controller and goes on with another', async () => {
    const first = await controller();
    // It leads before there is another that might.
    await first.write([]);
    const second = await controller({ controller: 'controller-b' });
    const h1 = await agent({ node: 'h1', controllers: [first.address, second.address], bus: null });
    await first.write([{ headend: 'h1', policies: [alpha] }]);
    await eventually(() => expect(held(h1)).toEqual([alpha.policyId]));
    await first.stop();
    expect(held(h1)).toEqual([alpha.policyId]);
    await second.write([{ headend: 'h1', policies: [beta] }]);
    await eventually(() => expect(held(h1)).toEqual([alpha.policyId, beta.policyId]));
    expect(h1.reconciler.desired?.epoch).toBe(second.distribution.leadership.epoch);
  });
});

describe('an agent that restarts', () => {
  it('hands over its stored state before any controller answers', async () => {
    const one = await controller();
    const before = await agent({ node: 'h1', controllers: [one.address], bus });
    await one.write([{ headend: 'h1', policies: [alpha] }]);
    await eventually(() => before.session.status().generation === 1);
    await before.stop();
    await one.stop();
    const { stateDirectory } = before;
    const after = await agent({ node: 'h1', controllers: ['127.0.0.1:1'], bus, stateDirectory });
    expect(held(after)).toEqual([alpha.policyId]);
    expect(after.session.status()).toMatchObject({ connected: false, generation: 1 });
  });

  it('hands over nothing when its state is damaged, until a snapshot comes', async () => {
    const one = await controller();
    const before = await agent({ node: 'h1', controllers: [one.address], bus });
    await one.write([{ headend: 'h1', policies: [alpha] }]);
    await eventually(() => before.session.status().generation === 1);
    await before.stop();
    const file = join(before.stateDirectory, 'desired-state');
    const bytes = await readFile(file);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(file, bytes);
    const { stateDirectory } = before;
    const alone = await startSessionAgent({ node: 'h1', controllers: ['127.0.0.1:1'], bus: null, stateDirectory });
    expect(alone.reconciler.history).toEqual([]);
    await alone.stop();
    const after = await agent({ node: 'h1', controllers: [one.address], bus, stateDirectory });
    await eventually(() => expect(held(after)).toEqual([alpha.policyId]));
  });

  it('removes nothing on the word of a controller that never decided anything for its node', async () => {
    const one = await controller();
    const before = await agent({ node: 'h1', controllers: [one.address], bus });
    await one.write([{ headend: 'h1', policies: [alpha] }]);
    await eventually(() => before.session.status().generation === 1);
    await before.stop();

    const elsewhere = await createTestDatabase();
    running.push(() => elsewhere.drop());
    const fresh = await startTestController(elsewhere, bus);
    running.push(() => fresh.stop());
    const { stateDirectory } = before;
    const after = await agent({ node: 'h1', controllers: [fresh.address], bus, stateDirectory });
    await eventually(() => after.session.status().connected);
    await eventually(() => after.session.status().snapshotRequests > 0);
    expect(after.reconciler.history).toHaveLength(1);
    await fresh.write([{ headend: 'h1', policies: [beta] }]);
    await eventually(() => expect(held(after)).toEqual([beta.policyId]));
  });
});

describe('a database restored from a backup', () => {
  it('learns again what it had been told since, although nothing changes', async () => {
    const one = await controller();
    const h1 = await agent({ node: 'h1', controllers: [one.address], bus });
    await one.write([{ headend: 'h1', policies: [alpha, beta] }]);
    // Writes that follow at once may reach the agent as one change.
    await eventually(() => expect(h1.reconciler.history).toHaveLength(1));
    await one.write([{ headend: 'h1', policies: [{ policyId: beta.policyId, body: null }] }]);
    await eventually(async () => expect(await outcomes()).toEqual({ [alpha.policyId]: 'simulated' }));
    await one.stop();
    // A backup from between publication and acknowledgement.
    await sql`update desired set outcome = 'pending', outcome_at = null`.execute(database.db);
    await sql`update headend set acked_generation = 0, read_back_hash = null`.execute(database.db);
    await sql`
      insert into desired (headend, policy_id, generation, deleted, body) values ('h1', ${beta.policyId}, 2, true, '')
    `.execute(database.db);

    const restored = await startTestController(database, bus, { controller: 'restored', address: one.address });
    running.push(() => restored.stop());
    await eventually(async () => expect(await outcomes()).toEqual({ [alpha.policyId]: 'simulated' }));
    await eventually(async () =>
      expect(await restored.distribution.agents.agent('h1')).toMatchObject({ inSync: true }),
    );
    expect(h1.reconciler.history).toHaveLength(2);
  });

  it('is raised above what the agents report, and they follow it again', async () => {
    const one = await controller();
    const h1 = await agent({ node: 'h1', controllers: [one.address], bus });
    await one.write([{ headend: 'h1', policies: [alpha] }]);
    await one.write([{ headend: 'h1', policies: [beta] }]);
    await eventually(() => h1.session.status().generation === 2);
    await one.stop();
    // What a backup from before would have held, and an epoch that the agent knows to be over.
    await sql`update headend set generation = 1, epoch = 1, state_hash = ${Buffer.from(stateHashOf([alpha]))}`.execute(
      database.db,
    );
    await sql`delete from desired where policy_id = ${beta.policyId}`.execute(database.db);
    await sql`update leader set epoch = 0`.execute(database.db);

    const restored = await controller({ controller: 'restored' });
    await h1.stop();
    await writeFile(
      join(h1.stateDirectory, 'desired-state'),
      storedWithEpoch(await readFile(join(h1.stateDirectory, 'desired-state')), 7),
    );
    const { stateDirectory } = h1;
    const after = await agent({ node: 'h1', controllers: [restored.address], bus, stateDirectory });
    await eventually(() => expect(held(after)).toEqual([alpha.policyId]));
    expect(after.reconciler.desired?.epoch).toBeGreaterThan(7);
    expect(after.reconciler.desired?.generation).toBeGreaterThan(2);
    await restored.write([{ headend: 'h1', policies: [beta] }]);
    await eventually(() => expect(held(after)).toEqual([alpha.policyId, beta.policyId]));
  });
});

describe('an agent that reports what cannot be', () => {
  it('is not followed, so that it does not lock the others out', async () => {
    let logged = '';
    const log = pino({ level: 'warn' }, { write: (line: string) => void (logged += line) });
    const one = await controller({ log });
    const h1 = await agent({ node: 'h1', controllers: [one.address], bus });
    await one.write([{ headend: 'h1', policies: [alpha] }]);
    await eventually(() => expect(held(h1)).toEqual([alpha.policyId]));
    const { epoch } = one.distribution.leadership;
    const { instance } = one.distribution.identity;
    const client = new AgentServiceClient(one.address, credentials.createInsecure());
    const stream = client.session();
    stream.on('error', () => undefined);
    stream.write({
      message: { $case: 'hello', value: { ...hello, nodeId: 'h9', instance, epoch: 2 ** 48, generation: 2 ** 40 } },
    });
    await eventually(() => expect(logged).toContain('that cannot be'), 60_000);
    // The next look of the leader comes after what it does about this one.
    await sql`update agent set epoch = ${(epoch ?? 0) + 3}, generation = 1 where node_id = 'h9'`.execute(database.db);
    await eventually(() => expect(one.distribution.leadership.epoch).toBeGreaterThan((epoch ?? 0) + 3), 60_000);
    expect(one.distribution.leadership.epoch).toBeLessThan(100);
    stream.cancel();
    client.close();
  }, 180_000);
});

/** The state file of an agent that has seen a later epoch. */
function storedWithEpoch(bytes: Buffer, epoch: number): Buffer {
  const payload = SnapshotChunk.encode({ ...SnapshotChunk.decode(bytes.subarray(40)), epoch }).finish();
  return Buffer.concat([bytes.subarray(0, 8), createHash('sha256').update(payload).digest(), payload]);
}

describe('what operators see of agents', () => {
  it('shows an agent in sync, and unknown once it is silent', async () => {
    const one = await controller();
    const h1 = await agent({ node: 'h1', controllers: [one.address], bus });
    await one.write([{ headend: 'h1', policies: [alpha] }]);
    await eventually(async () =>
      expect(await one.distribution.agents.agent('h1')).toMatchObject({
        state: 'connected',
        dataplane: 'dry-run',
        bus: 'memory',
        controller: 'controller-a',
        inSync: true,
        desired: { generation: 1 },
        accepted: { generation: 1 },
        policies: { total: 1, simulated: 1, pending: 0 },
      }),
    );
    await h1.stop();
    expect(await one.distribution.agents.agent('h1')).toMatchObject({ state: 'connected' });
    await eventually(async () => expect(await one.distribution.agents.agent('h1')).toMatchObject({ state: 'unknown' }));
    await eventually(() =>
      expect(one.events.all.filter((event) => event.type === 'agent.state').map((event) => event.data)).toContainEqual({
        node: 'h1',
        state: 'unknown',
        dataplane: 'dry-run',
      }),
    );
    expect(await outcomes()).toEqual({ [alpha.policyId]: 'simulated' });
  });

  it('takes nobody for silent when the clock of the controller jumps', async () => {
    // Between two heartbeats the server looks once at least for those that are silent.
    const one = await controller({ heartbeatIntervalMs: 2_000 });
    await agent({ node: 'h1', controllers: [one.address], bus });
    const sessionOf = async () =>
      (await database.db.selectFrom('agent').select('session').where('node_id', '=', 'h1').executeTakeFirst())?.session;
    await eventually(async () => expect(await sessionOf()).toBeDefined());
    const session = await sessionOf();
    const now = Date.now.bind(Date);
    const clock = vi.spyOn(Date, 'now');
    try {
      for (const aheadMs of [3_600_000, 7_200_000, -3_600_000]) {
        clock.mockImplementation(() => now() + aheadMs);
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        expect(await sessionOf()).toBe(session);
        expect(await one.distribution.agents.agent('h1')).toMatchObject({ state: 'connected' });
      }
    } finally {
      clock.mockRestore();
    }
  });

  it('pages through agents in the order of their nodes', async () => {
    const one = await controller();
    for (const node of ['h3', 'h1', 'h2']) await agent({ node, controllers: [one.address], bus });
    await eventually(async () =>
      expect((await one.distribution.agents.agents({}, { limit: 10 })).items).toHaveLength(3),
    );
    const first = await one.distribution.agents.agents({ state: 'connected', dataplane: 'dry-run' }, { limit: 2 });
    expect(first.items.map((item) => item.node)).toEqual(['h1', 'h2']);
    expect(first.next).toBe('h2');
    const second = await one.distribution.agents.agents({}, { limit: 2, after: 'h2' });
    expect(second).toMatchObject({ items: [{ node: 'h3' }], next: null });
    await expect(one.distribution.agents.agent('h9')).rejects.toMatchObject({ code: 'not-found' });
  });
});
