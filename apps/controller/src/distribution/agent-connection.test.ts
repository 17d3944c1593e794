import { Duplex } from 'node:stream';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { emptyStateHash, type AgentMessage, type ControllerMessage, type Digest } from '@waymark/agent-protocol';
import { describe, expect, it, vi } from 'vitest';
import { hello } from '../testing/distribution-fixture.js';
import { AgentConnection, type ConnectionHost } from './agent-connection.js';

const greetingOfH1: AgentMessage = { message: { $case: 'hello', value: hello } };

/** A connection to an agent that has said hello, to a server that takes its time over the welcome. */
function greeting() {
  const sent: ControllerMessage[] = [];
  const stream = new Duplex({
    objectMode: true,
    read: () => undefined,
    write: (message: ControllerMessage, _, done) => {
      sent.push(message);
      done();
    },
  });
  let current: Digest = { epoch: 1, generation: 1, stateHash: emptyStateHash() };
  let welcome = (): void => undefined;
  const host: ConnectionHost = {
    welcome: () => {
      const digest = current;
      return new Promise((resolve) => {
        const rest = { instance: 'i', publicKey: new Uint8Array(), channel: 'c', heartbeatIntervalMs: 1, version: 2 };
        welcome = () => resolve({ ...rest, digest });
      });
    },
    heartbeat: () => Promise.resolve(true),
    digest: () => Promise.resolve(current),
    liveness: () => Promise.resolve(),
    dataPlane: () => Promise.resolve(),
    ack: () => Promise.resolve(),
    incompatible: () => undefined,
    trespass: () => undefined,
    ended: () => undefined,
    failed: (error) => {
      throw error;
    },
  };
  const connection = new AgentConnection(
    stream as unknown as ServerDuplexStream<AgentMessage, ControllerMessage>,
    host,
    0,
    { kind: 'anyone' },
  );
  stream.push(greetingOfH1);
  return {
    connection,
    said: () => sent.map(({ message }) => message?.$case),
    moveOn: () => (current = { ...current, generation: current.generation + 1 }),
    welcome: () => welcome(),
  };
}

describe('a connection', () => {
  it('holds back what is announced while it greets, and tells it after the welcome when that does not', async () => {
    const agent = greeting();
    await vi.waitFor(() => expect(agent.connection.node).toBe('h1'));
    agent.moveOn();
    await agent.connection.pushDigest();
    expect(agent.said()).toEqual([]);
    agent.welcome();
    await vi.waitFor(() => expect(agent.said()).toEqual(['welcome', 'digest']));
  });

  it('tells nothing after the welcome that the welcome has told', async () => {
    const agent = greeting();
    await vi.waitFor(() => expect(agent.connection.node).toBe('h1'));
    await agent.connection.pushDigest();
    agent.welcome();
    await vi.waitFor(() => expect(agent.said()).toEqual(['welcome']));
    await agent.connection.pushDigest();
    expect(agent.said()).toEqual(['welcome']);
    agent.moveOn();
    await agent.connection.pushDigest();
    expect(agent.said()).toEqual(['welcome', 'digest']);
  });
});
