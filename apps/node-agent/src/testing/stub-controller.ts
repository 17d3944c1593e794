import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import {
  AgentServiceService,
  generateSigningKey,
  NEWEST_VERSION,
  stateHashOf,
  type Ack,
  type AgentMessage,
  type AgentServiceServer,
  type ControllerMessage,
  type DataPlaneReport,
  type Hello,
  type LivenessReport,
} from '@waymark/agent-protocol';
import type { DesiredState } from '../session/ports.js';

/** As much of a controller as one agent needs: it greets, hands out one desired state, and collects acks. */
export class StubController {
  readonly acks: Ack[] = [];
  readonly dataPlaneReports: DataPlaneReport[] = [];
  readonly liveness: LivenessReport[] = [];
  hello: Hello | undefined;
  /** What the welcome names. */
  version = NEWEST_VERSION;
  /** Called with each ack, before it is answered. */
  onAck: (ack: Ack) => void = () => undefined;
  readonly #server = new Server();
  readonly #sessions = new Set<ServerDuplexStream<AgentMessage, ControllerMessage>>();
  #desired: DesiredState;

  constructor(desired: DesiredState) {
    this.#desired = desired;
  }

  /** Wants something else from now on, and says so to whoever is connected. */
  want(desired: DesiredState): void {
    this.#desired = desired;
    const { epoch, generation } = desired;
    const digest = { epoch, generation, stateHash: this.stateHash };
    for (const session of this.#sessions) session.write({ message: { $case: 'digest', value: digest } });
  }

  /** Agents with a session. */
  get connected(): number {
    return this.#sessions.size;
  }

  get stateHash(): Uint8Array {
    return stateHashOf([...this.#desired.policies].map(([policyId, { body }]) => ({ policyId, body })));
  }

  /** Returns the address for agents: `host:port`, or the one of a Unix socket, which reaches into any network namespace. */
  listen(address = '127.0.0.1:0'): Promise<string> {
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
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
        if (error !== null) reject(error);
        else resolve(address.startsWith('unix:') ? address : `127.0.0.1:${port}`);
      });
    });
  }

  close(): void {
    this.#server.forceShutdown();
  }

  #serve(stream: ServerDuplexStream<AgentMessage, ControllerMessage>): void {
    stream.on('error', () => undefined);
    stream.on('cancelled', () => this.#sessions.delete(stream));
    stream.on('data', ({ message }: AgentMessage) => {
      if (message?.$case === 'ack') {
        this.onAck(message.value);
        this.acks.push(message.value);
        const { sequence } = message.value;
        stream.write({ message: { $case: 'ackReceipt', value: { sequence } } });
      }
      if (message?.$case === 'dataPlane') this.dataPlaneReports.push(message.value);
      if (message?.$case === 'liveness') this.liveness.push(message.value);
      if (message?.$case === 'heartbeat') {
        const { epoch, generation } = this.#desired;
        stream.write({ message: { $case: 'digest', value: { epoch, generation, stateHash: this.stateHash } } });
      }
      if (message?.$case !== 'hello') return;
      this.hello = message.value;
      const { epoch, generation } = this.#desired;
      const digest = { epoch, generation, stateHash: this.stateHash };
      const { publicKey } = generateSigningKey();
      const greeting = {
        instance: 'stub',
        publicKey,
        channel: 'stub',
        heartbeatIntervalMs: 100,
        digest,
        version: this.version,
      };
      stream.write({ message: { $case: 'welcome', value: greeting } });
      this.#sessions.add(stream);
    });
  }
}
