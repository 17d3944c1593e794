import type { Logger } from 'pino';
import { DESIRED_CHANNEL } from './desired-store.js';
import { DirectSession } from './direct-session.js';
import { pause } from './pause.js';

const ANSWER_TIMEOUT_MS = 5_000;
const RETRY_MS = 1_000;

/** Tells when any controller has written desired state, and after each reconnect, because something may have been missed. */
export class DesiredListener {
  readonly #url: string;
  readonly #log: Logger;
  readonly #onChange: () => void;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  /** `url` leads to Postgres itself, not to a pooler. */
  constructor(url: string, log: Logger, onChange: () => void) {
    this.#url = url;
    this.#log = log;
    this.#onChange = onChange;
  }

  start(): void {
    this.#running = this.#listen();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #listen(): Promise<void> {
    const { signal } = this.#stopping;
    const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    while (!signal.aborted) {
      let session: DirectSession | undefined;
      try {
        session = await DirectSession.open(this.#url);
        session.onNotification(() => this.#onChange());
        await session.ask(ANSWER_TIMEOUT_MS, `listen ${DESIRED_CHANNEL}`);
        this.#onChange();
        await Promise.race([session.lost, stopped]);
      } catch (error) {
        this.#log.warn({ err: error }, 'changes by other controllers are not heard');
      } finally {
        session?.close();
      }
      await pause(RETRY_MS, signal);
    }
  }
}
