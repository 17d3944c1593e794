import { nodeChannel, RedisBus, Signer } from '@waymark/agent-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  policyBody,
  startTestController,
  type TestController,
} from '../../apps/controller/src/testing/distribution-fixture.js';
import { eventually } from '../../apps/controller/src/testing/eventually.js';
import { createTestDatabase, type TestDatabase } from '../../apps/controller/src/testing/test-database.js';
import { RedisServer } from '../../packages/agent-protocol/src/testing/redis-server.js';
import { missingNeeds } from '../require-program.js';
import { runCampaign, type Verdict } from './campaign.js';
import { isWanted } from './settings.js';
import { deltaCase, type DeltaCase } from './redis/delta-cases.js';
import { startDryRunAgent, type DryRunAgent } from './redis/dry-run-agent.js';
import { hostileRedisCase, HostileRedis, type RedisCase } from './redis/hostile-redis.js';

const ignored = (): void => undefined;

const missing = missingNeeds({ programs: ['redis-server'] });

describe.skipIf(missing ?? !isWanted('redis'))(
  `messages on Redis${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    let redis: RedisServer;
    let database: TestDatabase;
    let bus: RedisBus;
    let attacker: RedisBus;
    let controller: TestController;
    let one: DryRunAgent;
    let agentBus: RedisBus;
    const own: Buffer[] = [];
    const ofOthers: Buffer[] = [];
    let variant = 0;
    let counted = 0;
    /** Since the last look: how many had to be refused, and how many might have been. */
    let expected = { bad: 0, perhaps: 0 };

    const channel = (node: string) => nodeChannel(controller.distribution.identity.instance, node);
    const write = async (node: string) => {
      // On a busy machine its session with the database may break, and another election takes a while.
      await eventually(() => controller.distribution.leadership.epoch !== undefined, 120_000);
      const policyId = `${node}:1:x`;
      variant = (variant + 1) % 90;
      await controller.write([{ headend: node, policies: [{ policyId, body: policyBody(policyId, variant) }] }]);
    };
    const settled = () =>
      eventually(async () => {
        const desired = await database.db
          .selectFrom('headend')
          .select(['generation', 'state_hash'])
          .where('node_id', '=', 'h1')
          .executeTakeFirstOrThrow();
        const { session, failed } = one.agent.status();
        expect(session.generation).toBe(desired.generation);
        expect(Buffer.from(session.stateHash).toString('hex')).toBe(Buffer.from(desired.state_hash).toString('hex'));
        expect(failed).toEqual([]);
        expect(await one.holds()).toContain(variantText());
      }, 60_000);
    /** The last byte of the SIDs of the policy that is wanted. */
    const variantText = () => `fc00::4${variant.toString(16).padStart(2, '0')}`;

    beforeAll(async () => {
      redis = await RedisServer.start();
      database = await createTestDatabase();
      [bus, attacker, agentBus] = [
        new RedisBus(redis.url, ignored),
        new RedisBus(redis.url, ignored),
        new RedisBus(redis.url, ignored),
      ];
      const publish = bus.publish.bind(bus);
      bus.publish = (name, payload) => {
        (name === channel('h1') ? own : ofOthers).push(Buffer.from(payload));
        return publish(name, payload);
      };
      controller = await startTestController(database, bus);
      one = await startDryRunAgent('h1', controller.address, agentBus);
      await eventually(() => one.agent.status().session.bus === 'redis', 60_000);
      for (let i = 0; i < 3; i++) await write('h2');
      for (let i = 0; i < 3; i++) await write('h1');
      await settled();
    }, 240_000);

    afterAll(async () => {
      await one.stop();
      await controller.stop();
      for (const each of [bus, attacker, agentBus]) await each.close();
      await redis.stop();
      await database.drop();
    }, 60_000);

    async function run({ payloads, bad }: DeltaCase): Promise<Verdict> {
      for (const payload of payloads) {
        if (!(await attacker.publish(channel('h1'), payload)))
          return { outcome: 'not published', fault: 'Redis did not take it' };
      }
      if (bad === true) expected = { ...expected, bad: expected.bad + payloads.length };
      if (bad === undefined) expected = { ...expected, perhaps: expected.perhaps + payloads.length };
      return { outcome: bad === undefined ? 'sent' : bad ? 'to be refused' : 'to be dropped' };
    }

    /** Redis keeps the order: when the agent holds what is written now, it has heard everything before. */
    async function invariant(): Promise<string | undefined> {
      await write('h1');
      try {
        await settled();
      } catch (error) {
        return `the agent does not hold what is wanted: ${String(error)}`;
      }
      const { badMessages } = one.agent.status().session;
      const refused = badMessages - counted;
      const { bad, perhaps } = expected;
      counted = badMessages;
      expected = { bad: 0, perhaps: 0 };
      return refused >= bad && refused <= bad + perhaps
        ? undefined
        : `${refused} messages were counted as bad, not ${bad} to ${bad + perhaps}`;
    }

    it('leave the data plane as the controller wants it', async () => {
      const key = new Signer(controller.distribution.identity.signingKey.privateKey);
      const generate = (random: Parameters<typeof deltaCase>[0]) =>
        deltaCase(random, { own: own.slice(-3), ofOthers, key });
      const report = await runCampaign({
        name: 'redis',
        cases: 400,
        generate,
        run,
        invariant: { every: 20, check: invariant },
      });
      process.stdout.write(report.summary);
      expect(report.failures.join('\n\n')).toBe('');
    }, 14_400_000);
  },
);

describe.skipIf(!isWanted('redis-server'))('a Redis that is none', () => {
  let server: HostileRedis;

  beforeAll(async () => {
    server = await HostileRedis.start();
  });

  afterAll(() => server.stop());

  async function run(one: RedisCase): Promise<Verdict> {
    server.answer = one.answers;
    const bus = new RedisBus(server.url, ignored);
    const heard: Uint8Array[] = [];
    const subscribed = bus
      .subscribe('ours', (payload) => heard.push(payload))
      .then(
        () => 'confirmed',
        () => 'closed',
      );
    const published = await bus.publish('ours', Buffer.from('hello'));
    await server.said();
    await bus.close();
    await subscribed;
    const foreign = heard.some((payload) => !Buffer.from(payload).equals(Buffer.from('payload')));
    const outcome = published ? 'taken' : 'not taken';
    return foreign ? { outcome, fault: 'a message of another channel was heard' } : { outcome };
  }

  it('is left again, whatever it answers', async () => {
    const report = await runCampaign({ name: 'redis-server', cases: 80, generate: hostileRedisCase, run });
    process.stdout.write(report.summary);
    expect(report.failures.join('\n\n')).toBe('');
  }, 14_400_000);
});
