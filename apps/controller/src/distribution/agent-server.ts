import { Server, status, type ServerDuplexStream, type ServerWritableStream } from '@grpc/grpc-js';
import {
  AgentServiceService,
  isNodeId,
  knownFeatures,
  MAX_MESSAGE_BYTES,
  MISSED_HEARTBEATS,
  nodeChannel,
  type AgentMessage,
  type AgentServiceServer,
  type ControllerMessage,
  type Digest,
  type Hello,
  type SnapshotChunk,
  type SnapshotRequest,
  type Welcome,
} from '@waymark/agent-protocol';
import type { NodeId } from '@waymark/topology';
import type { Logger } from 'pino';
import type { Journal } from '../model/journal.js';
import type { AgentSessionCounts } from '../model/agents.js';
import type { Database } from '../storage/database.js';
import { storeAcks, type AckRecord, type OnAcked } from './ack-store.js';
import type { AgentAccess, Stranger } from './agent-access.js';
import { AgentConnection } from './agent-connection.js';
import { AgentRefusals } from './agent-refusals.js';
import { acksEntry, hellosEntry, livenessEntry } from './agent-entries.js';
import {
  readDigests,
  recordEnd,
  recordHeartbeats,
  recordHellos,
  type HeartbeatRecord,
  type HelloRecord,
} from './agent-records.js';
import { Batcher } from './batcher.js';
import { storeDataPlanes, type DataPlaneRecord } from './data-plane-store.js';
import type { ControllerIdentity } from './identity.js';
import { storeLiveness, type LivenessRecord } from './liveness-store.js';
import { watchConnections } from './watch-connections.js';
import { SnapshotDesk } from './snapshot-desk.js';

/** Most heartbeats, digests or acks of one transaction. */
const BATCH = 2_000;
/** Most reports of one transaction; each may be large. */
const REPORT_BATCH = 50;
const SWEEP_MS = 1_000;
/** How long a connection that has to be made anew may take to say goodbye. */
const DRAIN_MS = 1_000;
/** Those whose TLS is under way included, and for a moment those of an agent's attempt before; half of them of one address. */
const CONNECTIONS = 20_000;
/** Sessions on this controller, those without a hello included: one more is told to go elsewhere. */
const SESSIONS = 10_000;

/** An agent has a session and a snapshot under way, and for a moment those of its attempt before. */
const STREAMS_PER_CONNECTION = 8;
/** A connection on which nothing is under way, or whose other end does not answer, is closed. */
const IDLE_MS = 30_000;
const PING_MS = 30_000;
const PING_TIMEOUT_MS = 10_000;

/** What an agent says of its node when it connects. */
export interface AgentCapabilities {
  /** SRH entries that its data plane can push; null: not known. */
  readonly msdHEncaps: number | null;
  readonly encapMode: 'full' | 'reduced';
  /** Only when it owns its local SIDs. `sid`: 16 bytes. */
  readonly ownedSids: readonly { readonly sid: Uint8Array; readonly behavior: string }[];
}

/** An agent with what it said. */
export interface Introduction {
  readonly node: NodeId;
  readonly capabilities: AgentCapabilities;
}

export interface AgentServerOptions {
  readonly db: Database;
  readonly identity: ControllerIdentity;
  readonly log: Logger;
  /** Names this controller to operators. */
  readonly controller: string;
  readonly access: AgentAccess;
  /** At most HEARTBEAT_INTERVAL_MS. */
  readonly heartbeatIntervalMs: number;
  readonly journal: Journal;
  readonly onAcked: OnAcked;
  /** Called for all agents that came during the call before, each once; a failure is logged and leaves their sessions as they are. */
  readonly onHellos: (hellos: readonly Introduction[]) => Promise<void>;
}

/**
 * The controller's side of agent.proto:
 *
 *   hello ─► agent row (newest session) ─► welcome          heartbeats ─► batch ─► agent rows ─► digests
 *   acks ─► batch ─► T3: headend, desired, onAcked ─► receipts          GetSnapshot ─► REPEATABLE READ ─► chunks
 *   liveness, data plane ─► batch ─► their newest reports
 */
export class AgentServer {
  readonly #options: AgentServerOptions;
  readonly #server: Server;
  readonly #connections = new Set<AgentConnection>();
  readonly #byNode = new Map<NodeId, AgentConnection>();
  readonly #hellos: Batcher<HelloRecord, true>;
  readonly #introductions: Batcher<Introduction, true>;
  readonly #heartbeats: Batcher<HeartbeatRecord, boolean>;
  readonly #digests: Batcher<NodeId, Digest>;
  readonly #acks: Batcher<AckRecord, true>;
  /** An outage must not wait for what all agents tell every half-minute. */
  readonly #changes: Batcher<LivenessRecord, true>;
  readonly #rounds: Batcher<LivenessRecord, true>;
  readonly #dataPlanes: Batcher<DataPlaneRecord, true>;
  readonly #snapshots: SnapshotDesk;
  readonly #introducing = new Set<Promise<unknown>>();
  readonly #refusals: AgentRefusals;
  #welcomed = 0;
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: AgentServerOptions) {
    const { db, journal } = options;
    this.#options = options;
    this.#refusals = new AgentRefusals(options.log);
    this.#hellos = new Batcher(BATCH, async (records) => {
      await journal.take(hellosEntry(records), () => recordHellos(db, records));
      return records.map(() => true as const);
    });
    this.#introductions = new Batcher(BATCH, async (introductions) => {
      // An agent that came back meanwhile: what it said last.
      const newest = new Map(introductions.map((introduction) => [introduction.node, introduction]));
      await this.#introduce([...newest.values()]);
      return introductions.map(() => true as const);
    });
    this.#heartbeats = new Batcher(BATCH, (records) => recordHeartbeats(db, records));
    this.#digests = new Batcher(BATCH, (nodes) => readDigests(db, nodes));
    this.#acks = new Batcher(BATCH, async (records) => {
      await journal.take(acksEntry(records), () => storeAcks(db, records, options.onAcked));
      return records.map(() => true as const);
    });
    const keepLiveness = async (records: readonly LivenessRecord[]) => {
      await journal.take(livenessEntry(records), () => storeLiveness(db, records));
      return records.map(() => true as const);
    };
    this.#changes = new Batcher(REPORT_BATCH, keepLiveness);
    this.#rounds = new Batcher(REPORT_BATCH, keepLiveness);
    this.#dataPlanes = new Batcher(REPORT_BATCH, async (records) => {
      await storeDataPlanes(db, records);
      return records.map(() => true as const);
    });
    this.#snapshots = new SnapshotDesk({ db, instance: options.identity.instance, log: options.log });
    this.#server = new Server({
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      'grpc.max_concurrent_streams': STREAMS_PER_CONNECTION,
      'grpc.max_connection_idle_ms': IDLE_MS,
      'grpc.keepalive_time_ms': PING_MS,
      'grpc.keepalive_timeout_ms': PING_TIMEOUT_MS,
      // It keeps a record of every connection for whom nobody is there to ask.
      'grpc.enable_channelz': 0,
    });
    this.#server.addService(AgentServiceService, {
      session: (stream) => this.#open(stream),
      getSnapshot: (stream) => void this.#sendSnapshot(stream),
    } satisfies AgentServiceServer);
  }

  /** Nodes with a session on this controller. */
  get connectedNodes(): ReadonlySet<NodeId> {
    return new Set(this.#byNode.keys());
  }

  counts(): AgentSessionCounts {
    return {
      sessions: this.#connections.size,
      welcomed: this.#welcomed,
      refused: this.#refusals.counts(),
      snapshots: this.#snapshots.counts(),
    };
  }

  /** Listens on `host:port` and resolves with the port (port 0 takes a free one). Rejects when it is taken. */
  async start(address: string): Promise<number> {
    const port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(address, this.#options.access.credentials, (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    watchConnections(this.#server, {
      connections: CONNECTIONS,
      connectionsPerAddress: CONNECTIONS / 2,
      onTooMany: () => this.#refusals.connection(),
      onRefusedHandshake: (why) => this.#refusals.handshake(why),
    });
    this.#sweep = setInterval(() => {
      this.#closeDisowned();
      this.#closeSilent();
    }, SWEEP_MS);
    this.#options.access.onDistrust(() => this.#askAgain(address.replace(/:\d+$/, `:${port}`)));
    return port;
  }

  /** Ends all sessions; the agents go to another controller and keep forwarding meanwhile. */
  async stop(): Promise<void> {
    clearInterval(this.#sweep);
    for (const connection of [...this.#connections]) connection.close(status.UNAVAILABLE, 'this controller stops');
    this.#server.forceShutdown();
    await Promise.all(this.#introducing);
  }

  /** Desired state was published: tells the agents on this controller that did not get it through the bus. */
  announce(published: readonly { readonly headend: NodeId; readonly delivered: boolean }[]): void {
    for (const { headend, delivered } of published) {
      const connection = this.#byNode.get(headend);
      if (connection !== undefined && !(delivered && connection.hearsBus)) void connection.pushDigest();
    }
  }

  /** Some controller wrote desired state: tells the agents that hear no bus. */
  announceAll(): void {
    for (const connection of this.#byNode.values()) if (!connection.hearsBus) void connection.pushDigest();
  }

  readonly #host = {
    welcome: (connection: AgentConnection, node: NodeId, hello: Hello, version: number) =>
      this.#welcome(connection, node, hello, version),
    heartbeat: (record: HeartbeatRecord) => {
      this.#byNode.get(record.node)?.heard(performance.now());
      return this.#heartbeats.submit(record);
    },
    digest: (node: NodeId) => this.#digests.submit(node),
    ack: async (record: AckRecord) => {
      await this.#acks.submit(record);
    },
    liveness: async (record: LivenessRecord) => {
      await (record.report.complete ? this.#rounds : this.#changes).submit(record);
    },
    dataPlane: async (record: DataPlaneRecord) => {
      await this.#dataPlanes.submit(record);
    },
    incompatible: (node: NodeId, why: string) =>
      this.#options.log.warn({ node, why }, 'an agent was refused: it is of another version'),
    trespass: (caller: NodeId | undefined, why: string) => this.#refusals.trespass(caller, why),
    ended: (connection: AgentConnection) => this.#forget(connection),
    failed: (error: unknown, during: string) =>
      this.#options.log.error({ err: error, during }, 'an agent session failed'),
  };

  #open(stream: ServerDuplexStream<AgentMessage, ControllerMessage>): void {
    const caller = this.#options.access.callerOf(stream, Date.now());
    if (caller.kind === 'stranger') {
      stream.on('error', () => undefined);
      stream.emit('error', this.#refusal(caller));
      return;
    }
    if (this.#connections.size >= SESSIONS) {
      stream.on('error', () => undefined);
      stream.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'this controller has too many sessions' });
      return;
    }
    this.#connections.add(new AgentConnection(stream, this.#host, performance.now(), caller));
  }

  #refusal(stranger: Stranger) {
    this.#refusals.stranger(stranger);
    return { code: status.UNAUTHENTICATED, details: stranger.why };
  }

  async #welcome(connection: AgentConnection, node: NodeId, hello: Hello, version: number): Promise<Welcome> {
    const { identity, controller, heartbeatIntervalMs } = this.#options;
    const ours = hello.instance === identity.instance;
    const { agentVersion, dataplane } = hello;
    this.#byNode.get(node)?.close(status.ABORTED, 'a newer session of this node exists');
    this.#byNode.set(node, connection);
    const position = ours ? { epoch: hello.epoch, generation: hello.generation } : { epoch: 0, generation: 0 };
    await this.#hellos.submit({
      node,
      session: connection.session,
      controller,
      hello: {
        agentVersion,
        dataplane,
        ...position,
        protocolVersion: version,
        features: knownFeatures(hello.features),
      },
    });
    this.#tellCapabilities(node, hello);
    this.#welcomed += 1;
    return {
      instance: identity.instance,
      publicKey: identity.signingKey.publicKey,
      channel: nodeChannel(identity.instance, node),
      heartbeatIntervalMs,
      digest: await this.#digests.submit(node),
      version,
    };
  }

  #tellCapabilities(node: NodeId, { msdHEncaps, encapMode, ownedSids }: Hello): void {
    const capabilities: AgentCapabilities = {
      msdHEncaps: msdHEncaps === 0 ? null : msdHEncaps,
      encapMode: encapMode === 'full' ? 'full' : 'reduced',
      ownedSids,
    };
    const introduced = this.#introductions.submit({ node, capabilities });
    this.#introducing.add(introduced);
    void introduced.finally(() => this.#introducing.delete(introduced));
  }

  /** Those of a failed call one by one: what cannot be stored of one agent shall not cost that of others. */
  async #introduce(introductions: readonly Introduction[]): Promise<void> {
    try {
      await this.#options.onHellos(introductions);
    } catch (error) {
      if (introductions.length > 1) {
        for (const one of introductions) await this.#introduce([one]);
        return;
      }
      const nodes = introductions.map(({ node }) => node);
      this.#options.log.error({ err: error, nodes }, 'the capabilities of an agent are not stored');
    }
  }

  #forget(connection: AgentConnection): void {
    this.#connections.delete(connection);
    const { node, session } = connection;
    if (node === undefined || this.#byNode.get(node) !== connection) return;
    this.#byNode.delete(node);
    recordEnd(this.#options.db, node, session).catch((error: unknown) =>
      this.#options.log.warn({ err: error, node }, 'the end of a session is not stored'),
    );
  }

  /** A connection whose other end vanished without a word would otherwise stay for ever. */
  #closeSilent(): void {
    const limit = performance.now() - (MISSED_HEARTBEATS + 2) * this.#options.heartbeatIntervalMs - SWEEP_MS;
    for (const connection of this.#connections) {
      if (connection.lastHeard < limit) connection.close(status.DEADLINE_EXCEEDED, 'the agent is silent');
    }
  }

  #closeDisowned(): void {
    const now = Date.now();
    for (const connection of this.#connections) {
      const stranger = this.#options.access.disowned(connection.caller, now);
      if (stranger !== undefined) connection.close(status.UNAUTHENTICATED, this.#refusal(stranger).details);
    }
  }

  /** Ends all connections: agents come back within a second, those that are still trusted. */
  #askAgain(bound: string): void {
    this.#options.log.warn('a CA is trusted no longer: all agents have to connect anew');
    for (const connection of [...this.#connections]) connection.close(status.UNAVAILABLE, 'who is trusted has changed');
    this.#server.drain(bound, DRAIN_MS);
  }

  async #sendSnapshot(stream: ServerWritableStream<SnapshotRequest, SnapshotChunk>): Promise<void> {
    stream.on('error', () => undefined);
    const { request } = stream;
    if (!isNodeId(request.nodeId)) {
      stream.emit('error', { code: status.INVALID_ARGUMENT, details: 'the node id is malformed' });
      return;
    }
    const caller = this.#options.access.callerOf(stream, Date.now());
    if (caller.kind === 'stranger') {
      stream.emit('error', this.#refusal(caller));
      return;
    }
    if (caller.kind === 'agent' && caller.node !== request.nodeId) {
      const details = `the certificate is that of ${caller.node}, and the snapshot that of ${request.nodeId}`;
      this.#host.trespass(caller.node, details);
      stream.emit('error', { code: status.PERMISSION_DENIED, details });
      return;
    }
    await this.#snapshots.serve(stream);
  }
}
