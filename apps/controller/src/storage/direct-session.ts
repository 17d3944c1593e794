import type { Client } from 'pg';
import { unlessAborted } from '../model/unless-aborted.js';
import { createSession, endSession } from './database.js';

/** The server has not answered in time, and nothing says that the session has ended. */
export class DatabaseSilent extends Error {
  override readonly name = 'DatabaseSilent';

  constructor() {
    super('the database does not answer');
  }
}

/**
 * One session of Postgres outside the pool, as advisory locks and LISTEN need it. Every query has a time limit: a
 * server that hangs looks like one that is gone.
 */
export class DirectSession {
  readonly #client: Client;
  readonly #lost = new AbortController();

  private constructor(client: Client) {
    this.#client = client;
    client.on('error', (error) => this.#lost.abort(error));
    client.on('end', () => this.#lost.abort(new Error('the database session ended')));
  }

  /** Aborted when the session ends, for whatever reason. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Rejects when there is no server. */
  static async open(url: string): Promise<DirectSession> {
    const client = createSession(url);
    const session = new DirectSession(client);
    await client.connect();
    return session;
  }

  /** First row of the answer, if any. Rejects on errors, when the session ends and, DatabaseSilent, after `timeoutMs`. */
  async ask<Row extends object>(timeoutMs: number, text: string, values: unknown[] = []): Promise<Row | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      // After a turn for I/O: a thread that was busy for so long has not looked yet whether there is an answer.
      timer = setTimeout(() => setImmediate(() => reject(new DatabaseSilent())), timeoutMs);
    });
    try {
      const query = this.#client.query<Row>(text, values);
      query.catch(() => undefined);
      const result = await unlessAborted(Promise.race([query, timeout]), this.lost);
      return result.rows[0];
    } finally {
      clearTimeout(timer);
    }
  }

  /** Hears the NOTIFYs of the channels that this session LISTENs to. */
  onNotification(listener: (channel: string, payload: string) => void): void {
    this.#client.on('notification', (message) => listener(message.channel, message.payload ?? ''));
  }

  /** Does not wait for a server that hangs. */
  close(): void {
    endSession(this.#client);
  }
}
