import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import {
  AgentServiceService,
  generateSigningKey,
  stateHashOf,
  type Ack,
  type AgentMessage,
  type AgentServiceServer,
  type ControllerMessage,
  type Hello,
} from '@waymark/agent-protocol';
import type { DesiredState } from '../session/ports.js';

/** As much of a controller as one agent needs: it greets, hands out one desired state, and collects acks. */
export class StubController {
  readonly acks: Ack[] = [];
  hello: Hello | undefined;
  readonly #server = new Server();
  readonly #desired: DesiredState;

  constructor(desired: DesiredState) {
    this.#desired = desired;
  }

  get stateHash(): Uint8Array {
    return stateHashOf([...this.#desired.policies].map(([policyId, { body }]) => ({ policyId, body })));
  }

  /** Returns `host:port`. */
  listen(): Promise<string> {
    const service: AgentServiceServer = {
      session: (stream) => this.#serve(stream),
      getSnapshot: (call) => {
        const { epoch, generation } = this.#desired;
        const policies = Array.from(this.#desired.policies, ([policyId, policy]) => ({
          policyId,
          ...policy,
          deleted: false,
        }));
        const { stateHash } = this;
        call.write({ instance: 'stub', epoch, generation, stateHash, policies, last: true, unchanged: false });
        call.end();
      },
    };
    this.#server.addService(AgentServiceService, service);
    return new Promise((resolve, reject) => {
      this.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(`127.0.0.1:${port}`);
        else reject(error);
      });
    });
  }

  close(): void {
    this.#server.forceShutdown();
  }

  #serve(stream: ServerDuplexStream<AgentMessage, ControllerMessage>): void {
    stream.on('error', () => undefined);
    stream.on('data', ({ message }: AgentMessage) => {
      if (message?.$case === 'ack') this.acks.push(message.value);
      if (message?.$case !== 'hello') return;
      this.hello = message.value;
      const { epoch, generation } = this.#desired;
      const digest = { epoch, generation, stateHash: this.stateHash };
      const { publicKey } = generateSigningKey();
      const greeting = { instance: 'stub', publicKey, channel: 'stub', heartbeatIntervalMs: 100, digest };
      stream.write({ message: { $case: 'welcome', value: greeting } });
    });
  }
}
