import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DryRunDataPlane, NodeAgent } from '@waymark/node-agent';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Controller } from '../../apps/controller/src/controller.js';
import { writeAdminKey, type AdminKey } from '../../apps/controller/src/testing/admin-key.js';
import { eventually } from '../../apps/controller/src/testing/eventually.js';
import { createTestDatabase, type TestDatabase } from '../../apps/controller/src/testing/test-database.js';
import { EventStream } from './event-stream.js';
import { startControllerOn } from './start-controller-on.js';

const log = pino({ level: 'silent' });
const types = 'policy.intent,policy.state,policy.install,leader.elected';
const policy = {
  headend: 'dc-amsterdam',
  color: 7,
  endpoint: 'dc-madrid',
  fallback: 'drop',
  candidatePaths: [{ discriminator: 1, preference: 100, path: { kind: 'dynamic', metric: 'delay', constraints: {} } }],
};

describe('two controllers on one database, without Redis', () => {
  let database: TestDatabase;
  let folder: string;
  let key: AdminKey;
  let leader: Controller;
  let follower: Controller;
  let agent: NodeAgent;
  const streams: EventStream[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'waymark-two-'));
    key = writeAdminKey(folder);
    leader = await startControllerOn({ databaseUrl: database.url, key, folder }, 'controller-a');
    await eventually(async () => {
      const { epoch } = await database.db.selectFrom('leader').select('epoch').executeTakeFirstOrThrow();
      expect(epoch).toBe(1);
    });
    follower = await startControllerOn({ databaseUrl: database.url, key, folder }, 'controller-b');
    agent = new NodeAgent({
      nodeId: 'dc-amsterdam',
      controllers: [leader.grpcAddress],
      bus: null,
      dataPlane: new DryRunDataPlane({ log, encapMode: 'reduced', msdHEncaps: 0 }),
      localSids: [],
      stateDirectory: join(folder, 'agent'),
      rereadIntervalMs: 60_000,
      log,
    });
    await agent.start();
  }, 120_000);

  afterAll(async () => {
    for (const stream of streams) await stream.close();
    await agent.stop();
    await follower.stop();
    await leader.stop();
    await database.drop();
    await rm(folder, { recursive: true });
  }, 60_000);

  async function follow({ url }: Controller, lastEventId?: string): Promise<EventStream> {
    const stream = await EventStream.open(url, types, { headers: key.headers, lastEventId });
    streams.push(stream);
    return stream;
  }

  async function create({ url }: Controller, color: number): Promise<void> {
    const headers = { ...key.headers, 'content-type': 'application/json' };
    const body = JSON.stringify({ ...policy, color });
    const response = await fetch(`${url}/v1/sr-policies`, { method: 'POST', headers, body });
    expect(response.status).toBe(201);
  }

  /** What a stream says of one policy, in its order. */
  function storyOf({ events }: EventStream, policyId: string): string[] {
    return events
      .filter(({ data }) => (data as { readonly policyId?: string }).policyId === policyId)
      .map(({ event, data }) => [event, (data as { readonly outcome?: string }).outcome].filter(Boolean).join(' '));
  }

  const story = ['policy.intent', 'policy.state', 'policy.install simulated'];

  it('tell the same events in the same order, whichever of them an operator follows or writes to', async () => {
    const [onLeader, onFollower] = [await follow(leader), await follow(follower)];
    await create(follower, 7);
    await create(leader, 8);
    for (const id of ['dc-amsterdam:7:dc-madrid', 'dc-amsterdam:8:dc-madrid']) {
      await eventually(() => expect(storyOf(onFollower, id)).toEqual(story));
      await eventually(() => expect(storyOf(onLeader, id)).toEqual(story));
    }
    const withoutIds = ({ events }: EventStream) => events.map(({ event, data }) => ({ event, data }));
    expect(withoutIds(onFollower)).toEqual(withoutIds(onLeader));
  });

  it('resume where a reader left off, and say so when they cannot', async () => {
    const before = await follow(follower);
    await create(leader, 9);
    await eventually(() => expect(storyOf(before, 'dc-amsterdam:9:dc-madrid')).toEqual(story));
    await before.close();
    const last = before.events.at(-1)?.id;
    await create(leader, 10);
    await agentHas('dc-amsterdam:10:dc-madrid');
    const resumed = await follow(follower, last);
    await eventually(() => expect(storyOf(resumed, 'dc-amsterdam:10:dc-madrid')).toEqual(story));
    expect(resumed.events[0]).toMatchObject({ event: 'policy.intent' });

    const elsewhere = await follow(leader, last);
    await eventually(() => expect(elsewhere.events).toMatchObject([{ event: 'stream.reset' }]));
  });

  async function agentHas(id: string): Promise<void> {
    await eventually(async () => {
      const query = database.db.selectFrom('desired').select('outcome').where('policy_id', '=', id);
      expect(await query.execute()).toEqual([{ outcome: 'simulated' }]);
    });
  }
});
