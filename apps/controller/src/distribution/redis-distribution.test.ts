import { RedisBus, stateHashOf } from '@waymark/agent-protocol';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RedisServer } from '../../../../packages/agent-protocol/src/testing/redis-server.js';
import { missingNeeds } from '../../../../test/require-program.js';
import { policyBody, startTestController, type TestController } from '../testing/distribution-fixture.js';
import { eventually } from '../testing/eventually.js';
import { startSessionAgent, type SessionAgent } from '../testing/session-agent.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';

const missing = missingNeeds({ programs: ['redis-server', 'setpriv'] });
const AGENTS = 12;

function name(index: number): string {
  return `h${String(index)}`;
}

describe.skipIf(missing !== undefined)(
  `distribution through Redis${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let redis: RedisServer;
    let database: TestDatabase;
    let controller: TestController;
    let controllerBus: RedisBus;
    const buses: RedisBus[] = [];
    const agents: SessionAgent[] = [];
    /** By headend: policy id to variant. */
    const wanted = new Map<string, Map<string, number>>();

    beforeEach(async () => {
      redis = await RedisServer.start();
      database = await createTestDatabase();
      controllerBus = new RedisBus(redis.url, () => undefined);
      controller = await startTestController(database, controllerBus, { heartbeatIntervalMs: 500 });
      for (let index = 0; index < AGENTS; index++) {
        const bus = new RedisBus(redis.url, () => undefined);
        buses.push(bus);
        agents.push(await startSessionAgent({ node: name(index), controllers: [controller.address], bus }));
      }
      await eventually(() => agents.every(({ session }) => session.status().bus === 'redis'));
    });

    afterEach(async () => {
      for (const agent of agents.splice(0)) await agent.dispose();
      await controller.stop();
      for (const bus of [...buses.splice(0), controllerBus]) await bus.close();
      await redis.stop('SIGKILL');
      await database.drop();
      wanted.clear();
    });

    /** Changes one policy of every headend, in one transaction. */
    async function changeAll(variant: number): Promise<void> {
      await controller.write(
        Array.from({ length: AGENTS }, (_, index) => {
          const policyId = `${name(index)}:${String(1 + (variant % 3))}:x`;
          const policies = wanted.get(name(index)) ?? new Map<string, number>();
          wanted.set(name(index), policies.set(policyId, variant));
          return { headend: name(index), policies: [{ policyId, body: policyBody(policyId, variant) }] };
        }),
      );
    }

    async function everyoneIsRight(): Promise<void> {
      await eventually(async () => {
        agents.forEach(({ session }, index) => {
          const policies = Array.from(wanted.get(name(index)) ?? [], ([policyId, variant]) => ({
            policyId,
            body: policyBody(policyId, variant),
          }));
          expect(Buffer.from(session.status().stateHash)).toEqual(Buffer.from(stateHashOf(policies)));
        });
        const { items } = await controller.distribution.agents.agents({}, { limit: 100 });
        expect(items.filter((item) => item.inSync)).toHaveLength(AGENTS);
        expect(items.every((item) => item.policies.pending === 0)).toBe(true);
      });
    }

    it('needs no snapshots while nothing is lost', async () => {
      const requests = agents.map(({ session }) => session.status().snapshotRequests);
      for (let variant = 0; variant < 10; variant++) await changeAll(variant);
      await everyoneIsRight();
      const more = agents.map(({ session }, index) => session.status().snapshotRequests - (requests[index] ?? 0));
      // A heartbeat that crosses a delta may cost one; the deltas themselves none.
      expect(more.reduce((sum, each) => sum + each, 0)).toBeLessThan(AGENTS * 5);
    });

    it.each(['SIGTERM', 'SIGKILL'] as const)(
      'leaves no agent wrong when Redis ends by %s in the middle',
      async (signal) => {
        await changeAll(1);
        const changes = (async () => {
          for (let variant = 2; variant < 12; variant++) await changeAll(variant);
        })();
        await redis.stop(signal);
        await changes;
        // While Redis is down, the digests bring what is new.
        await everyoneIsRight();
        await redis.start();
        await changeAll(12);
        await everyoneIsRight();
        await eventually(() => agents.every(({ session }) => session.status().bus === 'redis'));
        await changeAll(13);
        await everyoneIsRight();
      },
    );

    it('leaves no agent wrong when Redis hangs', async () => {
      await changeAll(1);
      redis.freeze();
      await changeAll(2);
      await everyoneIsRight();
      redis.thaw();
      await changeAll(3);
      await everyoneIsRight();
    });

    it('leaves no agent wrong when Redis is flushed and cuts its subscribers off in the middle', async () => {
      await changeAll(1);
      const admin = new Redis(redis.url);
      const changes = (async () => {
        for (let variant = 2; variant < 12; variant++) await changeAll(variant);
      })();
      await admin.call('flushall');
      await admin.call('client', 'kill', 'type', 'pubsub');
      await changes;
      admin.disconnect();
      await everyoneIsRight();
      await eventually(() => agents.every(({ session }) => session.status().bus === 'redis'));
      await changeAll(12);
      await everyoneIsRight();
    });

    it('counts what a stranger publishes, and does not believe it', async () => {
      await changeAll(1);
      await everyoneIsRight();
      const stranger = new RedisBus(redis.url, () => undefined);
      buses.push(stranger);
      const channel = `waymark:${controller.distribution.identity.instance}:node:${name(0)}`;
      await eventually(() => stranger.publish(channel, Buffer.from('not a delta')));
      await eventually(() => agents[0]?.session.status().badMessages === 1);
      await everyoneIsRight();
    });

    it('reaches an agent by its heartbeats when Redis wants another password of it', async () => {
      const admin = new Redis(redis.url);
      await admin.call('acl', 'setuser', 'waymark-agent-h99', 'on', '>secret', '&*', '+subscribe');
      admin.disconnect();
      const errors: string[] = [];
      const wrong = new RedisBus(redis.urlOf('waymark-agent-h99:wrong'), ({ message }) => errors.push(message));
      buses.push(wrong);
      const one = await startSessionAgent({ node: 'h99', controllers: [controller.address], bus: wrong });
      agents.push(one);
      const body = policyBody('h99:1:x', 1);
      await controller.write([{ headend: 'h99', policies: [{ policyId: 'h99:1:x', body }] }]);
      await eventually(() => expect(one.reconciler.desired?.policies.has('h99:1:x')).toBe(true));
      await eventually(() => expect(errors[0]).toContain('refuses the user or the password of REDIS_URL'));
      expect(one.session.status().bus).toBe('none');
    });
  },
);
