import { MemoryBus } from '@waymark/agent-protocol';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { policyBody, startTestController, type TestController } from '../testing/distribution-fixture.js';
import { eventually } from '../testing/eventually.js';
import { startSessionAgent, type SessionAgent } from '../testing/session-agent.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';

const AGENTS = 250;
const patience = 60_000;

describe(`${String(AGENTS)} agents, every other one without a bus`, () => {
  const nodes = Array.from({ length: AGENTS }, (_, index) => `h${String(index)}`);
  const bus = new MemoryBus();
  let database: TestDatabase;
  let first: TestController;
  let second: TestController;
  let agents: SessionAgent[];

  beforeAll(async () => {
    database = await createTestDatabase();
    first = await startTestController(database, bus, { heartbeatIntervalMs: 1_000 });
    await first.write([]);
    second = await startTestController(database, bus, { heartbeatIntervalMs: 1_000, controller: 'controller-b' });
    agents = await Promise.all(
      nodes.map((node, index) =>
        startSessionAgent({
          node,
          controllers: index % 3 === 0 ? [second.address, first.address] : [first.address, second.address],
          bus: index % 2 === 0 ? bus : null,
        }),
      ),
    );
    await eventually(() => agents.every(({ session }) => session.status().connected), patience);
  });

  afterAll(async () => {
    await Promise.all(agents.map((agent) => agent.dispose()));
    await first.stop();
    await second.stop();
    await bus.close();
    await database.drop();
  });

  /** On a busy machine the lead may pass on at any time. */
  async function leader(): Promise<TestController> {
    const leads = ({ distribution }: TestController) => distribution.leadership.epoch !== undefined;
    await eventually(() => leads(first) || leads(second), patience);
    return leads(first) ? first : second;
  }

  async function changeAll(variant: number): Promise<void> {
    await (
      await leader()
    ).write(
      nodes.map((headend) => {
        const policyId = `${headend}:1:x`;
        return { headend, policies: [{ policyId, body: policyBody(policyId, variant) }] };
      }),
    );
    await eventually(async () => {
      const open = await sql`
        select 1 from headend h join desired d on d.headend = h.node_id
        where d.outcome <> 'simulated' or h.read_back_hash is distinct from h.state_hash limit 1
      `.execute(database.db);
      expect(open.rows).toEqual([]);
    }, patience);
  }

  it('all acknowledge what the leader writes, on whichever controller their sessions are', async () => {
    for (let variant = 1; variant <= 3; variant++) await changeAll(variant);
    expect(
      new Set([...first.distribution.server.connectedNodes, ...second.distribution.server.connectedNodes]).size,
    ).toBe(AGENTS);
  }, 300_000);

  it('all move to the other controller when theirs stops, and follow its newer epoch', async () => {
    await first.stop();
    await changeAll(4);
    await eventually(() => second.distribution.server.connectedNodes.size === AGENTS, patience);
    expect(new Set(agents.map(({ session }) => session.status().epoch))).toEqual(
      new Set([second.distribution.leadership.epoch]),
    );
  }, 300_000);
});
