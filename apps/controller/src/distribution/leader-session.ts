import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { unlessAborted } from '../model/unless-aborted.js';
import { DirectSession } from '../storage/direct-session.js';

const SIGN_MS = 250;

export interface LeaderSessionTask {
  readonly url: string;
  /** One Int32 that the main thread counts up. */
  readonly signsOfLife: SharedArrayBuffer;
}

export interface ToThread {
  readonly id: number;
  readonly timeoutMs: number;
  readonly text: string;
  readonly values: readonly unknown[];
}

export type FromThread =
  | { readonly kind: 'open' }
  | { readonly kind: 'answer'; readonly id: number; readonly row: object | undefined }
  | { readonly kind: 'refusal'; readonly id: number; readonly why: string }
  /** The last message. */
  | { readonly kind: 'lost'; readonly why: string };

// Threads run built code even when this file runs from source: a thread has no test runner to compile for it.
const threadFile = createRequire(import.meta.url).resolve('#leader-session-thread');

/**
 * The database session that holds the leader's lock, in a thread of its own: the main thread may be busy for longer than
 * Postgres lets that session be silent. Two things end it, and with it the lead: Postgres, when the whole process falls silent, and the
 * thread, when the main thread shows no sign of life for some seconds.
 */
export class LeaderSession {
  readonly #thread: Worker;
  readonly #signing: NodeJS.Timeout;
  readonly #asked = new Map<number, { resolve(row: object | undefined): void; reject(error: Error): void }>();
  #questions = 0;
  readonly #lost = new AbortController();

  private constructor(url: string) {
    const signsOfLife = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const signs = new Int32Array(signsOfLife);
    this.#signing = setInterval(() => Atomics.add(signs, 0, 1), SIGN_MS);
    this.#thread = new Worker(threadFile, { workerData: { url, signsOfLife } satisfies LeaderSessionTask });
    this.#thread.on('error', (error) => this.#lost.abort(error));
    this.#thread.on('exit', () => this.#lost.abort(new Error('the thread of the leadership session ended')));
    this.lost.addEventListener('abort', () => clearInterval(this.#signing));
  }

  /** Aborted when the session ends, for whatever reason. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Rejects when there is no server. */
  static async open(url: string): Promise<LeaderSession> {
    // Tried twice a second while the database is away: no thread is started for that.
    (await DirectSession.open(url)).close();
    const session = new LeaderSession(url);
    const opened = new Promise<void>((resolve) => {
      session.#thread.on('message', (message: FromThread) => {
        if (message.kind === 'open') resolve();
        else session.#hear(message);
      });
    });
    await unlessAborted(opened, session.lost);
    return session;
  }

  /** First row of the answer, if any. Rejects on errors, when the session ends and after `timeoutMs`. */
  ask<Row extends object>(timeoutMs: number, text: string, values: readonly unknown[] = []): Promise<Row | undefined> {
    const id = ++this.#questions;
    const answer = new Promise<object | undefined>((resolve, reject) => this.#asked.set(id, { resolve, reject }));
    this.#thread.postMessage({ id, timeoutMs, text, values } satisfies ToThread);
    return unlessAborted(answer, this.lost).finally(() => this.#asked.delete(id)) as Promise<Row | undefined>;
  }

  /** The lock goes with it. */
  close(): void {
    clearInterval(this.#signing);
    void this.#thread.terminate();
  }

  #hear(message: Exclude<FromThread, { kind: 'open' }>): void {
    switch (message.kind) {
      case 'answer':
        this.#asked.get(message.id)?.resolve(message.row);
        return;
      case 'refusal':
        this.#asked.get(message.id)?.reject(new Error(message.why));
        return;
      case 'lost':
        this.#lost.abort(new Error(message.why));
    }
  }
}
