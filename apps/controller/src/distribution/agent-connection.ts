import { randomUUID } from 'node:crypto';
import { status, type ServerDuplexStream, type StatusObject } from '@grpc/grpc-js';
import {
  commonVersion,
  describeVersions,
  isPolicyId,
  NEWEST_VERSION,
  OLDEST_VERSION,
  versionsOf,
  type Ack,
  type AgentMessage,
  type ControllerMessage,
  type DataPlaneReport,
  type Digest,
  type Heartbeat,
  type Hello,
  type LivenessReport,
  type Welcome,
} from '@waymark/agent-protocol';
import type { NodeId } from '@waymark/topology';
import type { AckRecord } from './ack-store.js';
import type { Caller } from './agent-access.js';
import type { HeartbeatRecord } from './agent-records.js';
import type { DataPlaneRecord } from './data-plane-store.js';
import type { LivenessRecord } from './liveness-store.js';
import {
  mistakeInAck,
  mistakeInDataPlane,
  mistakeInHeartbeat,
  mistakeInHello,
  mistakeInLiveness,
  printable,
  printableReport,
} from './message-checks.js';

/** What a connection needs of the server. */
export interface ConnectionHost {
  /** Makes this the agent's newest session. `version`: of the protocol, that both sides speak. */
  welcome(connection: AgentConnection, node: NodeId, hello: Hello, version: number): Promise<Welcome>;
  /** False: a newer session of this agent exists. */
  heartbeat(record: HeartbeatRecord): Promise<boolean>;
  digest(node: NodeId): Promise<Digest>;
  /** Resolves when the ack is stored, or known to be of no use. */
  ack(record: AckRecord): Promise<void>;
  /** Resolve when the report is stored, or known to be of no use. */
  liveness(record: LivenessRecord): Promise<void>;
  dataPlane(record: DataPlaneRecord): Promise<void>;
  /** An agent speaks no version of the protocol that this controller speaks. */
  incompatible(node: NodeId, why: string): void;
  /** Somebody speaks for a node that is not his. */
  trespass(caller: NodeId | undefined, why: string): void;
  ended(connection: AgentConnection): void;
  failed(error: unknown, during: string): void;
}

type SessionStream = ServerDuplexStream<AgentMessage, ControllerMessage>;

/**
 * One session stream, seen from the controller. What an agent sends is taken one message at a time, and of several
 * digests that could not be sent only the newest goes out. So neither a flooding nor a slow agent makes anything grow.
 */
export class AgentConnection {
  readonly session = randomUUID();
  readonly #stream: SessionStream;
  readonly #host: ConnectionHost;
  readonly #caller: Exclude<Caller, { kind: 'stranger' }>;
  #node: NodeId | undefined;
  #welcomed = false;
  #bus = 'none';
  #lastHeard: number;
  #digestOwed = false;
  #ackUnderWay: Promise<void> = Promise.resolve();
  #reportUnderWay: Promise<void> = Promise.resolve();
  #lastDigest: Digest | undefined;
  #ended = false;

  constructor(stream: SessionStream, host: ConnectionHost, now: number, caller: Exclude<Caller, { kind: 'stranger' }>) {
    this.#stream = stream;
    this.#host = host;
    this.#caller = caller;
    this.#lastHeard = now;
    stream.on('data', (message: AgentMessage) => void this.#take(message));
    // Without this listener a broken connection would end the process.
    stream.on('error', () => this.#end());
    stream.on('cancelled', () => this.#end());
    stream.on('close', () => this.#end());
    stream.on('end', () => {
      stream.end();
      this.#end();
    });
    stream.on('drain', () => {
      if (this.#digestOwed) void this.pushDigest();
    });
  }

  /** Undefined before the hello. */
  get node(): NodeId | undefined {
    return this.#node;
  }

  /** True when deltas on the bus reach this agent. */
  get hearsBus(): boolean {
    return this.#bus !== 'none';
  }

  /** In milliseconds of the monotonic clock: nobody falls silent because somebody sets the time. */
  get lastHeard(): number {
    return this.#lastHeard;
  }

  get caller(): Caller {
    return this.#caller;
  }

  heard(now: number): void {
    this.#lastHeard = now;
  }

  /** Sends what this agent should hold now, unless it was just told so; never before the welcome. */
  async pushDigest(): Promise<void> {
    await this.#guarded('a digest', async () => {
      if (this.#node === undefined || this.#ended) return;
      if (!this.#welcomed || this.#stream.writableNeedDrain) {
        this.#digestOwed = true;
        return;
      }
      this.#digestOwed = false;
      const digest = await this.#host.digest(this.#node);
      const { epoch, generation } = digest;
      if (this.#lastDigest?.epoch === epoch && this.#lastDigest.generation === generation) return;
      this.#sendDigest(digest);
    });
  }

  /** Ends the stream; the agent connects again, here or elsewhere. */
  close(code: status, details: string): void {
    if (this.#ended) return;
    this.#stream.emit('error', { code, details } satisfies Partial<StatusObject>);
    this.#end();
  }

  async #take({ message }: AgentMessage): Promise<void> {
    if (this.#ended) return;
    this.#stream.pause();
    await this.#guarded(message?.$case ?? 'an empty message', async () => {
      if (this.#node === undefined) {
        if (message?.$case === 'hello') await this.#greet(message.value);
        else this.close(status.FAILED_PRECONDITION, 'a session begins with a hello');
        return;
      }
      switch (message?.$case) {
        case 'heartbeat':
          await this.#heartbeat(this.#node, message.value);
          return;
        case 'ack':
          await this.#ack(this.#node, message.value);
          return;
        case 'liveness':
          await this.#liveness(this.#node, message.value);
          return;
        case 'dataPlane':
          await this.#dataPlane(this.#node, message.value);
          return;
        case 'hello':
        case undefined:
          this.close(status.INVALID_ARGUMENT, 'only heartbeats, acks and reports follow the hello');
      }
    });
    this.#stream.resume();
  }

  async #greet(hello: Hello): Promise<void> {
    if (this.#isWrong(mistakeInHello(hello))) return;
    if (this.#caller.kind === 'agent' && this.#caller.node !== hello.nodeId) {
      this.#refuse(`the certificate is that of ${this.#caller.node}, and the hello that of ${hello.nodeId}`);
      return;
    }
    const version = commonVersion(versionsOf(hello));
    if (version === undefined) {
      const why = incompatibility(hello);
      this.#host.incompatible(hello.nodeId, why);
      this.close(status.FAILED_PRECONDITION, why);
      return;
    }
    this.#node = hello.nodeId;
    const welcome = await this.#host.welcome(this, hello.nodeId, hello, version);
    this.#lastDigest = welcome.digest;
    this.#send({ $case: 'welcome', value: welcome });
    this.#welcomed = true;
    // What was announced meanwhile may be newer than the welcome.
    if (this.#digestOwed) await this.pushDigest();
  }

  async #heartbeat(node: NodeId, heartbeat: Heartbeat): Promise<void> {
    if (this.#isWrong(mistakeInHeartbeat(heartbeat))) return;
    this.#bus = heartbeat.bus;
    const told = { ...heartbeat, dataplaneError: printable(heartbeat.dataplaneError) };
    if (!(await this.#host.heartbeat({ node, session: this.session, heartbeat: told }))) {
      this.close(status.ABORTED, 'a newer session of this node exists');
      return;
    }
    if (this.#stream.writableNeedDrain) this.#digestOwed = true;
    else this.#sendDigest(await this.#host.digest(node));
  }

  /** Heartbeats go on while an ack waits for its transaction; a second ack does not. */
  async #ack(node: NodeId, ack: Ack): Promise<void> {
    await this.#ackUnderWay;
    if (this.#isForeign(node, 'an outcome', ack.outcomes)) return;
    if (this.#isWrong(mistakeInAck(ack))) return;
    const outcomes = ack.outcomes.map((outcome) => ({ ...outcome, reason: printable(outcome.reason) }));
    this.#ackUnderWay = this.#guarded('an ack', async () => {
      await this.#host.ack({ node, session: this.session, ack: { ...ack, outcomes } });
      this.#send({ $case: 'ackReceipt', value: { sequence: ack.sequence } });
    });
  }

  async #liveness(node: NodeId, report: LivenessReport): Promise<void> {
    await this.#reportUnderWay;
    if (this.#isForeign(node, 'a probed list', report.lists)) return;
    if (this.#isWrong(mistakeInLiveness(report))) return;
    this.#report('a report of liveness', () => this.#host.liveness({ node, session: this.session, report }));
  }

  async #dataPlane(node: NodeId, report: DataPlaneReport): Promise<void> {
    await this.#reportUnderWay;
    if (this.#isWrong(mistakeInDataPlane(report))) return;
    const told = printableReport(report);
    this.#report('a report of a data plane', () => this.#host.dataPlane({ node, session: this.session, report: told }));
  }

  /** Heartbeats and acks go on while a report waits for its transaction; a second report does not. */
  #report(what: string, store: () => Promise<void>): void {
    this.#reportUnderWay = this.#guarded(what, store);
  }

  /** An agent speaks of policies of its own node only. */
  #isForeign(node: NodeId, what: string, told: readonly { readonly policyId: string }[]): boolean {
    const foreign = told.find(({ policyId }) => isPolicyId(policyId) && !isPolicyId(policyId, node));
    if (foreign !== undefined) this.#refuse(`${what} is not of a policy of ${node}`);
    return foreign !== undefined;
  }

  #refuse(why: string): void {
    this.#host.trespass(this.#caller.kind === 'agent' ? this.#caller.node : this.#node, why);
    this.close(status.PERMISSION_DENIED, why);
  }

  #isWrong(mistake: string | undefined): boolean {
    if (mistake !== undefined) this.close(status.INVALID_ARGUMENT, mistake);
    return mistake !== undefined;
  }

  #sendDigest(digest: Digest): void {
    this.#lastDigest = digest;
    this.#send({ $case: 'digest', value: digest });
  }

  #send(message: NonNullable<ControllerMessage['message']>): void {
    if (!this.#ended) this.#stream.write({ message });
  }

  async #guarded(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#host.failed(error, what);
      this.close(status.UNAVAILABLE, 'this controller cannot serve the session now');
    }
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#host.ended(this);
  }
}

function incompatibility(hello: Hello): string {
  const theirs = versionsOf(hello);
  const ours = { oldest: OLDEST_VERSION, newest: NEWEST_VERSION };
  const older = theirs.newest < ours.oldest ? 'the agent' : 'the controllers';
  return `the agent speaks version ${describeVersions(theirs)} of the protocol and this controller ${describeVersions(ours)}: upgrade ${older}`;
}
