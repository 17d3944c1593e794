import { Family, MemoryBus, type Bus } from '@waymark/agent-protocol';
import { ipv6ToBytes } from '@waymark/topology';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { policyBody, startTestController, type TestController } from '../testing/distribution-fixture.js';
import { eventually } from '../testing/eventually.js';
import { startSessionAgent, type SessionAgent } from '../testing/session-agent.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';

const block = { family: Family.IPV6, address: ipv6ToBytes('fdbb:b51d:0:7::'), length: 64 };

describe('the block of a node', () => {
  let database: TestDatabase;
  let bus: MemoryBus;
  let controller: TestController;
  let agents: SessionAgent[];

  beforeEach(async () => {
    database = await createTestDatabase();
    bus = new MemoryBus();
    controller = await startTestController(database, bus);
    agents = [];
    const blocks = [
      { headend: 'h1', block: 'fdbb:b51d:0:7::/64' },
      { headend: 'h2', block: 'fdbb:b51d:0:8::/64' },
    ];
    await database.db.insertInto('bsid_block').values(blocks).execute();
  });
  afterEach(async () => {
    for (const agent of agents) await agent.dispose();
    await controller.stop();
    await bus.close();
    await database.drop();
  });

  async function start(via: Bus | null, stateDirectory?: string): Promise<SessionAgent> {
    const controllers = [controller.address];
    const rest = stateDirectory === undefined ? {} : { stateDirectory };
    const agent = await startSessionAgent({ node: 'h1', controllers, bus: via, ...rest });
    agents.push(agent);
    return agent;
  }

  async function write(variant: number): Promise<void> {
    const policyId = 'h1:1:h2';
    await controller.write([{ headend: 'h1', policies: [{ policyId, body: policyBody(policyId, variant) }] }]);
  }

  it('comes with deltas', async () => {
    const agent = await start(bus);
    await eventually(() => agent.session.status().bus === 'memory');
    const requests = agent.session.status().snapshotRequests;
    await write(1);
    await eventually(() => expect(agent.reconciler.desired?.bsidBlock).toEqual(block));
    expect(agent.session.status().snapshotRequests).toBe(requests);
  });

  it('comes with snapshots, and is known after a restart without a controller', async () => {
    await write(1);
    const agent = await start(null);
    await eventually(() => expect(agent.reconciler.desired?.bsidBlock).toEqual(block));
    await agent.stop();
    await controller.stop();
    const again = await start(null, agent.stateDirectory);
    await eventually(() => expect(again.reconciler.desired?.bsidBlock).toEqual(block));
  });

  it('is unknown where none is assigned', async () => {
    await database.db.deleteFrom('bsid_block').execute();
    await write(1);
    const agent = await start(null);
    await eventually(() => expect(agent.reconciler.desired?.policies.size).toBe(1));
    expect(agent.reconciler.desired?.bsidBlock).toBeUndefined();
  });
});
