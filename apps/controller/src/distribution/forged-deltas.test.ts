import { Delta, generateSigningKey, MemoryBus, nodeChannel, SignedDelta, Signer } from '@waymark/agent-protocol';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { policyBody, startTestController, type TestController } from '../testing/distribution-fixture.js';
import { eventually } from '../testing/eventually.js';
import { startSessionAgent, type SessionAgent } from '../testing/session-agent.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';

/*
 * Whoever can publish on the bus can put anything on an agent's channel, also what he heard there before. Each case puts
 * something there that must change nothing, and then sees that a true delta still arrives.
 */

let database: TestDatabase;
let bus: MemoryBus;
let controller: TestController;
let agent: SessionAgent;
let other: SessionAgent;
let logged: string;
/** What the controller published, by channel, oldest first. */
let published: Map<string, Uint8Array[]>;

const channelOf = (node: string): string => nodeChannel(controller.distribution.identity.instance, node);

async function write(node: string, variant: number): Promise<void> {
  const policyId = `${node}:1:x`;
  await controller.write([{ headend: node, policies: [{ policyId, body: policyBody(policyId, variant) }] }]);
}

async function holds(one: SessionAgent, node: string, variant: number): Promise<void> {
  const wanted = Buffer.from(policyBody(`${node}:1:x`, variant));
  await eventually(() => {
    expect(Buffer.from(one.reconciler.desired?.policies.get(`${node}:1:x`)?.body ?? [])).toEqual(wanted);
  });
}

beforeEach(async () => {
  database = await createTestDatabase();
  bus = new MemoryBus();
  published = new Map();
  const publish = bus.publish.bind(bus);
  vi.spyOn(bus, 'publish').mockImplementation((channel, payload) => {
    published.set(channel, [...(published.get(channel) ?? []), payload]);
    return publish(channel, payload);
  });
  logged = '';
  controller = await startTestController(database, bus);
  const log = pino({ level: 'warn' }, { write: (line: string) => void (logged += line) });
  agent = await startSessionAgent({ node: 'h1', controllers: [controller.address], bus, log });
  other = await startSessionAgent({ node: 'h2', controllers: [controller.address], bus });
  await eventually(() => [agent, other].every(({ session }) => session.status().bus === 'memory'));
  for (const variant of [1, 2]) {
    await write('h1', variant);
    await holds(agent, 'h1', variant);
    await write('h2', variant);
    await holds(other, 'h2', variant);
  }
});

afterEach(async () => {
  for (const one of [agent, other]) await one.dispose();
  await controller.stop();
  await bus.close();
  await database.drop();
});

/** The newest that was published to a node. */
function newest(node: string): SignedDelta {
  const payload = published.get(channelOf(node))?.at(-1);
  if (payload === undefined) throw new Error(`nothing was published to ${node}`);
  return SignedDelta.decode(payload);
}

/** A delta that would follow the newest, with a policy of another content, changed and signed as the case says. */
function next(change: Partial<Delta>, signer: Signer): Uint8Array {
  const before = Delta.decode(newest('h1').payload);
  const generation = before.generation + 1;
  const changes = [{ policyId: 'h1:1:x', generation, deleted: false, body: policyBody('h1:1:x', 99) }];
  const delta = { ...before, previousGeneration: before.generation, generation, changes, ...change };
  const payload = Delta.encode(delta).finish();
  return SignedDelta.encode({ payload, signature: signer.sign(payload) }).finish();
}

const ours = (): Signer => new Signer(controller.distribution.identity.signingKey.privateKey);
const theirs = new Signer(generateSigningKey().privateKey);
const UNSIGNED = new Uint8Array(0);

interface Forgery {
  readonly what: string;
  readonly prepare?: () => Promise<void>;
  readonly make: () => Uint8Array;
  /** Whether it is refused for what it is; else it is a true delta that says nothing new to this agent. */
  readonly bad: boolean;
}

const forgeries: readonly Forgery[] = [
  { what: 'noise', make: () => Buffer.from('not a delta'), bad: true },
  {
    what: 'an unsigned delta',
    make: () => SignedDelta.encode({ ...SignedDelta.decode(next({}, ours())), signature: UNSIGNED }).finish(),
    bad: true,
  },
  { what: 'a delta with the signature of another key', make: () => next({}, theirs), bad: true },
  {
    what: 'a delta with the signature of another delta',
    make: () =>
      SignedDelta.encode({ ...SignedDelta.decode(next({}, theirs)), signature: newest('h1').signature }).finish(),
    bad: true,
  },
  {
    what: 'a delta with one bit changed',
    make: () => {
      const { payload, signature } = SignedDelta.decode(next({}, ours()));
      const changed = Uint8Array.from(payload, (byte, index) => (index === payload.length - 1 ? byte ^ 1 : byte));
      return SignedDelta.encode({ payload: changed, signature }).finish();
    },
    bad: true,
  },
  { what: 'the newest delta once more', make: () => SignedDelta.encode(newest('h1')).finish(), bad: false },
  { what: 'the first delta once more', make: () => published.get(channelOf('h1'))?.[0] ?? UNSIGNED, bad: false },
  { what: 'the delta of another node', make: () => SignedDelta.encode(newest('h2')).finish(), bad: false },
  {
    what: 'a delta of another installation',
    make: () => next({ instance: '00000000-0000-4000-8000-000000000000' }, ours()),
    bad: false,
  },
  {
    what: 'a delta of a leader that was deposed',
    prepare: async () => {
      const { leadership } = controller.distribution;
      await leadership.raiseAbove(leadership.epoch ?? 0, 5);
      await write('h1', 4);
      await eventually(() => expect(agent.session.status().epoch).toBeGreaterThan(5));
    },
    make: () => next({ epoch: 1 }, ours()),
    bad: false,
  },
];

describe('on the bus', () => {
  it.each(forgeries)('$what changes nothing', async ({ prepare, make, bad }) => {
    await prepare?.();
    const before = agent.session.status();
    const states = agent.reconciler.history.length;
    await bus.publish(channelOf('h1'), make());
    if (bad) {
      await eventually(() => expect(agent.session.status().badMessages).toBe(before.badMessages + 1));
      expect(logged).toContain('a message on the bus was refused');
    }
    // The bus keeps the order, so the forgery was heard when this is.
    await write('h1', 3);
    await holds(agent, 'h1', 3);
    const held = agent.reconciler.history.slice(states).map((state) => state.policies.get('h1:1:x')?.body);
    expect(held.every((body) => Buffer.from(body ?? []).equals(policyBody('h1:1:x', 3)))).toBe(true);
    expect(agent.session.status().badMessages).toBe(before.badMessages + (bad ? 1 : 0));
  });
});
