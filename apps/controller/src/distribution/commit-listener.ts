import type { Logger } from 'pino';
import { DirectSession } from '../storage/direct-session.js';
import { pause } from '../model/pause.js';
import { unlessAborted } from '../model/unless-aborted.js';

const ANSWER_TIMEOUT_MS = 5_000;
const CHECK_MS = 5_000;
const RETRY_MS = 1_000;

export interface CommitListenerOptions {
  /** Leads to Postgres itself, not to a pooler. */
  readonly url: string;
  readonly log: Logger;
  /** What to do with the payload of a notification, by channel. Must not throw. */
  readonly channels: Readonly<Record<string, (payload: string) => void>>;
  /** The session was lost and there is a new one: what was announced in between was missed. */
  readonly onMissed: () => void;
}

/** Hears what the transactions of all controllers announce, on one database session. */
export class CommitListener {
  readonly #options: CommitListenerOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: CommitListenerOptions) {
    this.#options = options;
  }

  /** Resolves when listening. Rejects when there is no database. */
  async start(): Promise<void> {
    this.#running = this.#keepListening(await this.#listen());
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #keepListening(first: DirectSession): Promise<void> {
    const { signal } = this.#stopping;
    for (let session: DirectSession | undefined = first; !signal.aborted; session = await this.#listenAgain()) {
      try {
        if (session !== undefined) await this.#watch(session);
      } catch (error) {
        this.#options.log.warn({ err: error }, 'what other controllers do is not heard');
      } finally {
        session?.close();
      }
      await pause(RETRY_MS, signal);
    }
  }

  async #listenAgain(): Promise<DirectSession | undefined> {
    if (this.#stopping.signal.aborted) return undefined;
    try {
      const session = await this.#listen();
      this.#options.onMissed();
      return session;
    } catch {
      // Said when it was lost; the next attempt comes.
      return undefined;
    }
  }

  async #listen(): Promise<DirectSession> {
    const { url, channels } = this.#options;
    const session = await DirectSession.open(url);
    try {
      session.onNotification((channel, payload) => channels[channel]?.(payload));
      for (const channel of Object.keys(channels)) await session.ask(ANSWER_TIMEOUT_MS, `listen ${channel}`);
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /** Ends when stopped; rejects when the session is lost. One that hangs would lose notifications without a word. */
  async #watch(session: DirectSession): Promise<void> {
    const { signal } = this.#stopping;
    for (;;) {
      await unlessAborted(pause(CHECK_MS, signal), session.lost);
      if (signal.aborted) return;
      await session.ask(ANSWER_TIMEOUT_MS, 'select 1');
    }
  }
}
