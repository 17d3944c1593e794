import { Server, ServerCredentials, type ServerDuplexStream, type ServerWritableStream } from '@grpc/grpc-js';
import {
  AgentMessage,
  ControllerMessage,
  generateSigningKey,
  NEWEST_VERSION,
  type Outcome,
  SnapshotChunk,
  stateHashOf,
  type Digest,
  type PolicyChange,
} from '@waymark/agent-protocol';

const raw = (bytes: Buffer): Buffer => bytes;
const method = (path: string, requestStream: boolean) => ({
  ...{ path: `/waymark.agent.v1.AgentService/${path}`, requestStream, responseStream: true },
  ...{ requestSerialize: raw, requestDeserialize: raw, responseSerialize: raw, responseDeserialize: raw },
});

export const INSTANCE = 'hostile';

/** What one agent should hold. */
export interface Wanted {
  readonly generation: number;
  readonly policies: readonly PolicyChange[];
}

/**
 * A controller that an agent believes, and that answers the next request for a snapshot with whatever bytes it is given;
 * every later one with what is wanted.
 */
export class HostileController {
  readonly #server = new Server();
  readonly #sessions = new Set<ServerDuplexStream<Buffer, Buffer>>();
  #wanted: Wanted = { generation: 1, policies: [] };
  #next: readonly Buffer[] | undefined;
  #served = 0;
  /** Outcomes that the agent told last, by policy. */
  readonly outcomes = new Map<string, { readonly outcome: Outcome; readonly reason: string }>();

  listen(): Promise<string> {
    this.#server.addService(
      { session: method('Session', true), getSnapshot: method('GetSnapshot', false) },
      {
        session: (stream: ServerDuplexStream<Buffer, Buffer>) => this.#serve(stream),
        getSnapshot: (stream: ServerWritableStream<Buffer, Buffer>) => this.#answer(stream),
      },
    );
    return new Promise((resolve, reject) => {
      this.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
        if (error !== null) reject(error);
        else resolve(`127.0.0.1:${port}`);
      });
    });
  }

  /** Requests for snapshots that were answered. */
  get served(): number {
    return this.#served;
  }

  get wanted(): Wanted {
    return this.#wanted;
  }

  want(wanted: Wanted): void {
    this.#wanted = wanted;
  }

  /** Says that there is something new, and answers the question what it is with these chunks. */
  mislead(chunks: readonly Buffer[]): void {
    this.#next = chunks;
    const generation = this.#wanted.generation + 1;
    this.say({ $case: 'digest', value: { epoch: 1, generation, stateHash: new Uint8Array(32).fill(1) } });
  }

  say(message: NonNullable<ControllerMessage['message']>): void {
    this.sayBytes(Buffer.from(ControllerMessage.encode({ message }).finish()));
  }

  sayBytes(bytes: Buffer): void {
    for (const session of this.#sessions) session.write(bytes);
  }

  /** The chunk that says what is wanted. */
  chunk(change: Partial<SnapshotChunk> = {}): Buffer {
    const { generation, policies } = this.#wanted;
    const stateHash = stateHashOf(policies);
    const whole = {
      instance: INSTANCE,
      epoch: 1,
      generation,
      stateHash,
      policies: [...policies],
      last: true,
      unchanged: false,
    };
    return Buffer.from(SnapshotChunk.encode({ ...whole, ...change }).finish());
  }

  digest(): Digest {
    const { generation, policies } = this.#wanted;
    return { epoch: 1, generation, stateHash: stateHashOf(policies) };
  }

  close(): void {
    this.#server.forceShutdown();
  }

  #answer(stream: ServerWritableStream<Buffer, Buffer>): void {
    stream.on('error', () => undefined);
    const chunks = this.#next ?? [this.chunk()];
    this.#next = undefined;
    this.#served++;
    for (const chunk of chunks) stream.write(chunk);
    stream.end();
  }

  #serve(stream: ServerDuplexStream<Buffer, Buffer>): void {
    this.#sessions.add(stream);
    const gone = (): void => void this.#sessions.delete(stream);
    stream.on('error', gone);
    stream.on('cancelled', gone);
    stream.on('data', (bytes: Buffer) => {
      const { message } = AgentMessage.decode(bytes);
      if (message?.$case === 'hello') {
        const { publicKey } = generateSigningKey();
        const value = {
          instance: INSTANCE,
          publicKey,
          channel: 'hostile',
          heartbeatIntervalMs: 50,
          digest: this.digest(),
          version: NEWEST_VERSION,
        };
        this.say({ $case: 'welcome', value });
      }
      if (message?.$case === 'heartbeat') this.say({ $case: 'digest', value: this.digest() });
      if (message?.$case !== 'ack') return;
      for (const { policyId, outcome, reason } of message.value.outcomes)
        this.outcomes.set(policyId, { outcome, reason });
      this.say({ $case: 'ackReceipt', value: { sequence: message.value.sequence } });
    });
  }
}
