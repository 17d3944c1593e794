import { isDeepStrictEqual } from 'node:util';
import {
  commonVersion,
  describeVersions,
  FEATURES,
  HEARTBEAT_INTERVAL_MS,
  MISSED_HEARTBEATS,
  NEWEST_VERSION,
  OLDEST_VERSION,
  ProtocolError,
  Verifier,
  type Bus,
  type ControllerMessage,
  type Hello,
  type Welcome,
} from '@waymark/agent-protocol';
import type { Logger } from 'pino';
import {
  emptyAckQueue,
  nextAck,
  withoutLink,
  withReceipt,
  withReport,
  withWelcome,
  type AckQueue,
} from './ack-queue.js';
import { backoffMs } from './backoff.js';
import { ControllerConnection } from './controller-connection.js';
import type { ControllerTrust } from './controller-trust.js';
import { DeltaSubscription } from './delta-subscription.js';
import type { HeldState } from './held-state.js';
import { LivenessReporter, type LivenessSource } from './liveness-reporter.js';
import type { DataPlaneHealth, DataPlaneReports, Reconciler } from './ports.js';
import {
  initialSessionState,
  newestHeld,
  step,
  type SessionEffect,
  type SessionInput,
  type SessionState,
} from './session-machine.js';
import { StateFile } from './state-file.js';
import { Timers } from './timers.js';

/** What every hello says of the protocol. */
const SPOKEN = { oldestVersion: OLDEST_VERSION, newestVersion: NEWEST_VERSION, features: [...FEATURES] };

/** A controller that does not greet within this time is given up. */
const WELCOME_TIMEOUT_MS = 10_000;

/** What the agent tells about itself when it connects. */
export type AgentIdentity = Pick<Hello, 'agentVersion' | 'dataplane' | 'msdHEncaps' | 'encapMode' | 'ownedSids'>;

export interface AgentSessionOptions {
  readonly nodeId: string;
  /** Asked again and again: when it changes, a new session tells it. */
  readonly identity: () => AgentIdentity;
  /** `host:port` of each controller; tried in turn. */
  readonly controllers: readonly string[];
  readonly trust: ControllerTrust;
  /** null: deltas are not heard, so changes come with the digests. The session does not close it. */
  readonly bus: Bus | null;
  readonly stateDirectory: string;
  readonly reconciler: Reconciler;
  readonly health: () => DataPlaneHealth;
  /** Left out: the controller hears nothing of counters. */
  readonly reports?: DataPlaneReports;
  /** null, or left out: this agent does not probe. */
  readonly liveness?: LivenessSource | null;
  readonly log: Logger;
}

export interface SessionStatus {
  readonly connected: boolean;
  /** Position and hash of the state that is held: accepted durably. */
  readonly epoch: number;
  readonly generation: number;
  readonly stateHash: Uint8Array;
  readonly bus: 'redis' | 'memory' | 'none';
  /** Messages on the bus, since the start, that the controller has not signed or that break the protocol. */
  readonly badMessages: number;
  readonly snapshotRequests: number;
}

/**
 * Keeps this node's desired state equal to the controller's and hands it to the reconciler. The decisions are those of
 * session-machine.ts and ack-queue.ts; here are the stream, the bus, the file and the timers around them.
 */
export class AgentSession {
  readonly #options: AgentSessionOptions;
  readonly #log: Logger;
  readonly #file: StateFile;
  readonly #deltas: DeltaSubscription | null;
  readonly #liveness: LivenessReporter | null;
  readonly #timers = new Timers<'connect' | 'silence' | 'heartbeat' | 'retry'>();
  #state: SessionState;
  #acks: AckQueue = emptyAckQueue;
  #connection: ControllerConnection | undefined;
  /** What the controller of this connection was told. */
  #announced: AgentIdentity | undefined;
  #attempts = 0;
  /** Connections in a row that brought no welcome. */
  #failures = 0;
  #heartbeatMs: number | undefined;
  #storing: Promise<void> = Promise.resolve();
  #storeError: string | null = null;
  #stopped = false;

  constructor(options: AgentSessionOptions) {
    const { nodeId } = options;
    this.#options = options;
    this.#log = options.log;
    this.#file = new StateFile(options.stateDirectory, nodeId);
    this.#state = initialSessionState(nodeId);
    this.#deltas =
      options.bus &&
      new DeltaSubscription(
        options.bus,
        {
          onDelta: (delta) => this.#input({ kind: 'delta', delta }),
          onConfirmed: (confirmed) => this.#busChanged(confirmed),
        },
        options.log,
      );
    const { liveness = null } = options;
    this.#liveness =
      liveness && new LivenessReporter(liveness, (value) => this.#connection?.send({ $case: 'liveness', value }));
  }

  /** Hands the stored state to the reconciler, then begins to connect. Rejects when the state file cannot be read. */
  async start(): Promise<void> {
    const loaded = await this.#file.load();
    if (this.#stopped) return;
    if (loaded.kind === 'corrupt') this.#log.error({ why: loaded.why }, 'the stored state is corrupt and not used');
    this.#options.reconciler.onReport((report) => {
      this.#acks = withReport(this.#acks, report);
      this.#sendAck();
    });
    this.#options.reports?.onReport(() => this.#sendDataPlaneReport());
    this.#options.trust.onDistrust(() => {
      if (this.#connection !== undefined)
        this.#disconnected('a CA is trusted no longer, so the controller is asked again');
    });
    this.#input({ kind: 'loaded', held: loaded.kind === 'state' ? loaded.held : null });
    this.#connect();
  }

  /** Resolves when nothing is sent or written any more. What the reconciler was handed stays as it is. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timers.clearAll();
    this.#liveness?.sessionEnds();
    this.#deltas?.close();
    this.#connection?.close();
    await this.#storing;
  }

  status(): SessionStatus {
    const { epoch, generation, stateHash } = this.#durable();
    return {
      connected: this.#state.linkUp,
      epoch,
      generation,
      stateHash,
      bus: this.#busName(),
      badMessages: this.#deltas?.badMessages ?? 0,
      snapshotRequests: this.#state.attempt,
    };
  }

  #input(input: SessionInput): void {
    if (this.#stopped) return;
    const { state, effects } = step(this.#state, input);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: SessionEffect): void {
    switch (effect.kind) {
      case 'fetch-snapshot':
        void this.#fetchSnapshot(effect.attempt, effect.held);
        return;
      case 'retry-later':
        this.#timers.set('retry', backoffMs(effect.failures, Math.random), () => this.#input({ kind: 'retry' }));
        return;
      case 'store':
        this.#storing = this.#store(effect.held);
        return;
      case 'set-desired':
        this.#options.reconciler.setDesired(effect.held, effect.changed);
        return;
      case 'refused':
        this.#log.warn({ what: effect.what, why: effect.why }, 'what a controller sent was refused');
    }
  }

  async #fetchSnapshot(attempt: number, { epoch, generation, stateHash }: HeldState): Promise<void> {
    const { nodeId } = this.#options;
    try {
      const snapshot = await this.#connection?.fetchSnapshot({ nodeId, epoch, generation, stateHash });
      this.#input(snapshot ? { kind: 'snapshot', attempt, snapshot } : { kind: 'snapshot-failed', attempt });
    } catch (error) {
      if (this.#connection !== undefined) this.#log.warn({ err: error }, 'a snapshot could not be fetched');
      this.#input({ kind: 'snapshot-failed', attempt });
    }
  }

  async #store(held: HeldState): Promise<void> {
    try {
      await this.#file.store(held);
    } catch (error) {
      this.#log.error({ err: error }, 'the desired state cannot be stored, so it is not accepted');
      this.#storeError = `the state directory cannot be written: ${String(error)}`;
      this.#input({ kind: 'store-failed' });
      return;
    }
    this.#storeError = null;
    this.#input({ kind: 'stored' });
  }

  #connect(): void {
    const { controllers, trust, nodeId } = this.#options;
    const address = controllers[this.#attempts++ % controllers.length];
    if (address === undefined) return;
    const connection = new ControllerConnection(address, trust.credentials(), {
      onMessage: (message) => this.#hear(message),
      onEnd: (error) => this.#disconnected(error?.message ?? 'the controller ended the session'),
    });
    this.#connection = connection;
    const { instance, epoch, generation } = this.#durable();
    connection.send({ $case: 'hello', value: { nodeId, ...this.#announce(), instance, epoch, generation, ...SPOKEN } });
    this.#expectWord(WELCOME_TIMEOUT_MS);
  }

  #disconnected(why: string): void {
    if (this.#stopped) return;
    this.#connection?.close();
    this.#connection = undefined;
    this.#timers.clear('silence', 'heartbeat');
    this.#liveness?.sessionEnds();
    this.#failures = this.#heartbeatMs === undefined ? this.#failures + 1 : 1;
    this.#heartbeatMs = undefined;
    this.#acks = withoutLink(this.#acks);
    const delayMs = backoffMs(this.#failures, Math.random);
    this.#log.info({ why, delayMs }, 'there is no session with a controller');
    this.#input({ kind: 'link-lost' });
    this.#timers.set('connect', delayMs, () => this.#connect());
  }

  #hear({ message }: ControllerMessage): void {
    if (this.#stopped) return;
    switch (message?.$case) {
      case 'welcome':
        this.#greet(message.value);
        return;
      case 'digest':
        if (this.#heartbeatMs === undefined) return;
        this.#expectWord(this.#heartbeatMs * (MISSED_HEARTBEATS + 1));
        this.#input({ kind: 'digest', digest: message.value });
        return;
      case 'ackReceipt':
        this.#acks = withReceipt(this.#acks, message.value);
        this.#sendAck();
        return;
      case undefined:
    }
  }

  #greet(welcome: Welcome): void {
    const { instance, channel, digest, publicKey, heartbeatIntervalMs } = welcome;
    let verifier: Verifier;
    try {
      checkVersion(welcome);
      if (digest === undefined || instance === '') throw new ProtocolError('malformed', 'the welcome is incomplete');
      verifier = new Verifier(publicKey);
      this.#heartbeatMs = Math.min(HEARTBEAT_INTERVAL_MS, Math.max(10, heartbeatIntervalMs));
      // Reports on the state of another installation mean nothing to this one.
      if (this.#state.instance !== null && this.#state.instance !== instance)
        this.#acks = { ...emptyAckQueue, sequence: this.#acks.sequence };
      this.#acks = withWelcome(this.#acks);
      this.#input({ kind: 'welcome', instance, digest });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#disconnected(error.message);
      return;
    }
    this.#log.info({ instance }, 'a session with a controller begins');
    this.#expectWord(this.#heartbeatMs * (MISSED_HEARTBEATS + 1));
    this.#deltas?.listen(channel, verifier);
    this.#beat(this.#heartbeatMs);
    this.#sendDataPlaneReport();
    this.#liveness?.sessionBegins();
  }

  /** A controller that says nothing for so long is left for the next. */
  #expectWord(ms: number): void {
    this.#timers.set('silence', ms, () => this.#disconnected('the controller is silent'));
  }

  #beat(intervalMs: number): void {
    if (!isDeepStrictEqual(this.#options.identity(), this.#announced)) {
      this.#disconnected('what the data plane can do has changed, and a new session will tell it');
      return;
    }
    this.#sendHeartbeat();
    this.#sendAck();
    this.#timers.set('heartbeat', intervalMs, () => this.#beat(intervalMs));
  }

  #announce(): AgentIdentity {
    this.#announced = this.#options.identity();
    return this.#announced;
  }

  #sendHeartbeat(): void {
    const { epoch, generation, stateHash } = this.#durable();
    const { error, driftRepairs } = this.#options.health();
    const dataplaneError = error ?? this.#storeError ?? '';
    this.#connection?.send({
      $case: 'heartbeat',
      value: { epoch, generation, stateHash, dataplaneError, bus: this.#busName(), driftRepairs },
    });
  }

  #sendAck(): void {
    if (!this.#state.linkUp) return;
    const next = nextAck(this.#acks);
    if (next === undefined) return;
    this.#acks = next.queue;
    this.#connection?.send({ $case: 'ack', value: next.ack });
  }

  /** Only the newest counts: what comes up without a session is not kept for the next. */
  #sendDataPlaneReport(): void {
    const report = this.#options.reports?.report ?? null;
    if (this.#stopped || !this.#state.linkUp || report === null) return;
    this.#connection?.send({ $case: 'dataPlane', value: report });
  }

  /** The controller learns at once whether deltas reach this agent, because only then it need not be told of each. */
  #busChanged(confirmed: boolean): void {
    this.#input({ kind: 'bus', confirmed });
    if (this.#state.linkUp) this.#sendHeartbeat();
  }

  #busName(): SessionStatus['bus'] {
    return this.#deltas?.confirmed === true ? (this.#options.bus?.kind ?? 'none') : 'none';
  }

  /** What the controller may count on: stored, and of its installation. */
  #durable(): HeldState {
    return newestHeld({ ...this.#state, storing: null });
  }
}

/** A controller that picks what was not offered may mean something else by its messages: nothing of them is used. */
function checkVersion({ version }: Welcome): void {
  const picked = Math.max(1, version);
  if (commonVersion({ oldest: picked, newest: picked }) !== undefined) return;
  const ours = describeVersions({ oldest: OLDEST_VERSION, newest: NEWEST_VERSION });
  throw new ProtocolError(
    'malformed',
    `the controller speaks version ${picked} of the protocol and this agent ${ours}: upgrade the older of the two`,
  );
}
