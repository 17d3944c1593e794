import { status, type ServerWritableStream } from '@grpc/grpc-js';
import type { SnapshotChunk, SnapshotRequest } from '@waymark/agent-protocol';
import type { NodeId } from '@waymark/topology';
import type { Logger } from 'pino';
import type { SnapshotCounts } from '../model/agents.js';
import type { Database } from '../storage/database.js';
import { drained } from './drained.js';
import { Gate, LineFull } from './gate.js';
import { readSnapshot } from './snapshot-reader.js';

/** Snapshots that are held in memory at the same time. */
const SNAPSHOTS = 16;
/** Of these, so many are being read: the other sessions of the database are for what agents and operators say meanwhile. */
const READ_AT_ONCE = 4;
/** More agents than this are told to come back; they do so with a pause that grows. */
const LINE = 2_048;
/** An agent that takes longer over a snapshot must ask again. */
const SNAPSHOT_TIMEOUT_MS = 30_000;

type SnapshotStream = ServerWritableStream<SnapshotRequest, SnapshotChunk>;

export interface SnapshotDeskOptions {
  readonly db: Database;
  readonly instance: string;
  readonly log: Pick<Logger, 'warn'>;
}

/**
 * Hands out snapshots, however many agents ask at once: a few at a time, the others in line, and to each node one, the one
 * that it asked for last. Whoever has gone meanwhile is passed over before anything is read for him.
 */
export class SnapshotDesk {
  readonly #options: SnapshotDeskOptions;
  readonly #gate = new Gate(SNAPSHOTS, LINE);
  readonly #reading = new Gate(READ_AT_ONCE, SNAPSHOTS);
  readonly #newest = new Map<NodeId, AbortController>();
  #sent = 0;
  #unchanged = 0;
  #policies = 0;
  #refused = 0;

  constructor(options: SnapshotDeskOptions) {
    this.#options = options;
  }

  counts(): SnapshotCounts {
    return {
      underWay: this.#gate.inside,
      waiting: this.#gate.waiting,
      sent: this.#sent,
      unchanged: this.#unchanged,
      policies: this.#policies,
      refused: this.#refused,
    };
  }

  /** Never rejects: the stream ends with the snapshot, or with a status. */
  async serve(stream: SnapshotStream): Promise<void> {
    const { nodeId } = stream.request;
    const leave = new AbortController();
    this.#newest.get(nodeId)?.abort(new Error('the node has asked anew'));
    this.#newest.set(nodeId, leave);
    stream.once('cancelled', () => leave.abort(new Error('the agent has gone')));
    try {
      await this.#gate.pass(() => this.#send(stream, leave.signal), leave.signal);
    } catch (error) {
      this.#fail(stream, error);
    } finally {
      if (this.#newest.get(nodeId) === leave) this.#newest.delete(nodeId);
    }
  }

  async #send(stream: SnapshotStream, left: AbortSignal): Promise<void> {
    const deadline = AbortSignal.any([left, AbortSignal.timeout(SNAPSHOT_TIMEOUT_MS)]);
    const { db, instance } = this.#options;
    const chunks = await this.#reading.pass(() => readSnapshot(db, instance, stream.request), left);
    for (const chunk of chunks) {
      if (stream.cancelled) return;
      if (!stream.write(chunk)) await drained(stream, deadline);
      this.#policies += chunk.policies.length;
    }
    stream.end();
    if (chunks[0]?.unchanged === true) this.#unchanged += 1;
    else this.#sent += 1;
  }

  #fail(stream: SnapshotStream, error: unknown): void {
    if (stream.cancelled) return;
    if (error instanceof LineFull) {
      this.#refused += 1;
      stream.emit('error', {
        code: status.RESOURCE_EXHAUSTED,
        details: `too many snapshots are asked for: ${error.message}`,
      });
      return;
    }
    this.#options.log.warn({ err: error, node: stream.request.nodeId }, 'a snapshot was not sent');
    stream.emit('error', { code: status.UNAVAILABLE, details: 'the snapshot cannot be sent now' });
  }
}
