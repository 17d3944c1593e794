import {
  AgentServiceClient,
  MAX_MESSAGE_BYTES,
  type AgentMessage,
  type ControllerMessage,
  type PolicyChange,
  type SnapshotRequest,
} from '@waymark/agent-protocol';
import type { ChannelCredentials, ClientDuplexStream } from '@grpc/grpc-js';
import type { Snapshot } from './held-state.js';

/** A snapshot that takes longer than this has failed. */
const SNAPSHOT_TIMEOUT_MS = 60_000;

/** Most policies of one headend, so that a hostile stream cannot fill the memory. */
const MAX_POLICIES = 1_000_000;

export interface ConnectionListener {
  readonly onMessage: (message: ControllerMessage) => void;
  /** Called once, at the end; nothing is called afterwards. */
  readonly onEnd: (error: Error | undefined) => void;
}

/** One session stream to one controller, and the snapshots fetched beside it on the same HTTP/2 connection. */
export class ControllerConnection {
  readonly #client: AgentServiceClient;
  readonly #stream: ClientDuplexStream<AgentMessage, ControllerMessage>;
  #ended = false;

  constructor(address: string, credentials: ChannelCredentials, listener: ConnectionListener) {
    this.#client = new AgentServiceClient(address, credentials, {
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      // Several agents of one process would otherwise share one HTTP/2 connection, and its flow control.
      'grpc.use_local_subchannel_pool': 1,
    });
    this.#stream = this.#client.session();
    const end = (error?: Error): void => {
      if (this.#ended) return;
      this.close();
      listener.onEnd(error);
    };
    this.#stream.on('data', (message: ControllerMessage) => {
      if (!this.#ended) listener.onMessage(message);
    });
    this.#stream.on('error', end);
    this.#stream.on('end', () => end());
  }

  send(message: NonNullable<AgentMessage['message']>): void {
    if (!this.#ended) this.#stream.write({ message });
  }

  /** Rejects when the stream breaks, ends early or takes too long. What it holds is for the caller to verify. */
  fetchSnapshot(request: SnapshotRequest): Promise<Snapshot> {
    return new Promise((resolve, reject) => {
      const policies: PolicyChange[] = [];
      let header: Omit<Snapshot, 'policies'> | undefined;
      const stream = this.#client.getSnapshot(request, { deadline: Date.now() + SNAPSHOT_TIMEOUT_MS });
      stream.on('data', (chunk: Omit<Snapshot, 'policies'> & { policies: readonly PolicyChange[]; last: boolean }) => {
        header ??= chunk;
        for (const policy of chunk.policies) policies.push(policy);
        if (policies.length > MAX_POLICIES) stream.cancel();
        if (chunk.last) {
          const { instance, epoch, generation, stateHash, unchanged, bsidBlock } = header;
          resolve({ instance, epoch, generation, stateHash, unchanged, policies, bsidBlock });
        }
      });
      stream.on('error', reject);
      // No effect after `last`.
      stream.on('end', () => reject(new Error('the snapshot ended early')));
    });
  }

  close(): void {
    this.#ended = true;
    this.#stream.cancel();
    this.#client.close();
  }
}
