import { createRequire } from 'node:module';
import { Piscina } from 'piscina';
import { shapeOf, snapshotToShared, type Snapshot } from '@waymark/topology';
import { Problem } from '../model/errors.js';
import type { ComputeMessage, ComputeReply, ComputeTaskName, ComputeTasks } from './compute-tasks.js';
import type { EvaluationTask, PolicyEvaluation } from './evaluate-policies-model.js';
import { Turns } from './turns.js';

export interface ComputePoolOptions {
  /** Worker threads. */
  readonly threads: number;
  /** Path computations and proofs that may wait for a worker; one more is refused as `overloaded`. */
  readonly maxWaiting?: number;
}

// Workers run built code even when this file runs from source: a worker thread has no test runner to compile for it.
const workerFile = createRequire(import.meta.url).resolve('#compute-worker');

/** Runs tasks on snapshots in worker threads. */
export class ComputePool {
  readonly #piscina: Piscina<ComputeMessage>;
  readonly #keys = new WeakMap<object, number>();
  /** How many tasks have carried a snapshot. */
  readonly #carried = new WeakMap<Snapshot, number>();
  readonly #threads: number;
  readonly #limit: number;
  /** Pieces of jobs that run at once; where there are several workers, one is never busy with a job. */
  readonly piecesAtOnce: number;
  readonly #pieces: Turns;
  /** Of evaluations that nothing waits for but who asked. */
  readonly #asides = new Turns(1);
  #asidesUnderWay = 0;
  #nextKey = 1;
  #underWay = 0;
  #closed = false;

  constructor(options: ComputePoolOptions) {
    this.#threads = options.threads;
    this.#limit = options.threads + (options.maxWaiting ?? 32 * options.threads);
    this.piecesAtOnce = Math.max(1, options.threads - 1);
    this.#pieces = new Turns(this.piecesAtOnce);
    this.#piscina = new Piscina({
      filename: workerFile,
      name: 'runComputeTask',
      minThreads: options.threads,
      maxThreads: options.threads,
    });
  }

  /** Tasks that wait for a worker or run. */
  get underWay(): number {
    return this.#underWay;
  }

  /**
   * Throws Problem `overloaded` when too many tasks wait already, or the pool is closing; and what aborted the signal when
   * that happened before a worker began.
   */
  async run<Name extends ComputeTaskName>(
    name: Name,
    snapshot: Snapshot,
    input: ComputeTasks[Name]['input'],
    signal?: AbortSignal,
  ): Promise<ComputeTasks[Name]['output']> {
    if (this.#closed) throw overloaded('this controller is shutting down');
    // The leader's own evaluations are few at a time; only what anybody can ask for is limited.
    if (name !== 'evaluate-policies' && this.#underWay >= this.#limit) {
      throw overloaded(`${this.#underWay} computations are under way`);
    }
    return this.#postUnless(signal, name, snapshot, input);
  }

  /**
   * An evaluation that anybody can ask for, of a dry-run: one after the other, so that the leader's wait for one of them at
   * most. Throws Problem `overloaded` when too many wait already, or the pool is closing, and as `run` for the signal.
   */
  async evaluateAside(
    snapshot: Snapshot,
    task: EvaluationTask,
    signal?: AbortSignal,
  ): Promise<readonly PolicyEvaluation[]> {
    if (this.#asidesUnderWay >= this.#limit) throw overloaded(`${this.#asidesUnderWay} dry-runs are under way`);
    this.#asidesUnderWay += 1;
    try {
      return await this.#asides.take(async () => {
        if (this.#closed) throw overloaded('this controller is shutting down');
        return this.#postUnless(signal, 'evaluate-policies', snapshot, task);
      });
    } finally {
      this.#asidesUnderWay -= 1;
    }
  }

  /**
   * One piece of a job: some 50 ms of work. Pieces of all jobs take turns, so whoever asks for one answer meanwhile waits for
   * a piece at most. Throws what aborted the signal when that happened before it had an answer; a worker that is at it ends soon after.
   */
  async runPiece<Name extends ComputeTaskName>(
    name: Name,
    snapshot: Snapshot,
    input: ComputeTasks[Name]['input'],
    signal: AbortSignal,
  ): Promise<ComputeTasks[Name]['output']> {
    return this.#pieces.take(() => this.#postUnless(signal, name, snapshot, input));
  }

  /** For nobody, once the signal is aborted: a worker that comes to it leaves it. */
  async #postUnless<Name extends ComputeTaskName>(
    signal: AbortSignal | undefined,
    name: Name,
    snapshot: Snapshot,
    input: ComputeTasks[Name]['input'],
  ): Promise<ComputeTasks[Name]['output']> {
    if (signal === undefined) return this.#post(name, snapshot, input);
    signal.throwIfAborted();
    const cancelled = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const cancel = (): void => void Atomics.store(cancelled, 0, 1);
    signal.addEventListener('abort', cancel);
    try {
      return await this.#post(name, snapshot, input, cancelled);
    } catch (error) {
      // Whatever a worker says of what it gave up.
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  async #post<Name extends ComputeTaskName>(
    name: Name,
    snapshot: Snapshot,
    input: ComputeTasks[Name]['input'],
    cancelled?: Int32Array<SharedArrayBuffer>,
  ): Promise<ComputeTasks[Name]['output']> {
    this.#underWay += 1;
    try {
      const message: ComputeMessage<Name> = {
        name,
        input,
        snapshotKey: this.#keyOf(snapshot),
        shapeKey: this.#keyOf(shapeOf(snapshot)),
        ...(cancelled && { cancelled }),
      };
      return await this.#reply(message, snapshot);
    } finally {
      this.#underWay -= 1;
    }
  }

  /** The first tasks on a snapshot carry it to the workers; a later one only to a worker that has none of them, or forgot. */
  async #reply<Name extends ComputeTaskName>(
    message: ComputeMessage<Name>,
    snapshot: Snapshot,
  ): Promise<ComputeTasks[Name]['output']> {
    const carried = this.#carried.get(snapshot) ?? 0;
    const isKnown = carried >= this.#threads;
    if (!isKnown) this.#carried.set(snapshot, carried + 1);
    const whole = () => ({ ...message, snapshot: snapshotToShared(snapshot) });
    const run = async (sent: ComputeMessage<Name>) => (await this.#piscina.run(sent)) as ComputeReply<Name>;
    const reply = (await run(isKnown ? message : whole())) ?? (await run(whole()));
    if (reply === null) throw new Error('a worker did not take a snapshot');
    return 'text' in reply ? (JSON.parse(reply.text) as ComputeTasks[Name]['output']) : reply.output;
  }

  /** Refuses what comes, waits for what is under way, then ends the threads. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#piscina.close();
  }

  /** A key per snapshot object, not per revision: a dry-run asks about a TED that never was. */
  #keyOf(object: object): number {
    const known = this.#keys.get(object);
    if (known !== undefined) return known;
    const key = this.#nextKey++;
    this.#keys.set(object, key);
    return key;
  }
}

function overloaded(why: string): Problem {
  return new Problem('overloaded', { detail: why, retryAfterSeconds: 1 });
}
