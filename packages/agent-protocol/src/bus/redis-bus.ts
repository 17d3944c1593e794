import { Redis, type RedisOptions } from 'ioredis';
import { BusClosedError, type Bus, type BusListener, type Subscription } from './bus.js';

/** Messages handed to Redis and not yet answered; above this, publish drops: a hung Redis must not fill the memory. */
const MAX_UNANSWERED = 1_000;

/** A connection on which a command waits for longer than this is given up and made anew. */
const SOCKET_TIMEOUT_MS = 2_000;
const CONNECT_TIMEOUT_MS = 5_000;

/** Reconnect after 50 ms, doubling to 2 s, with jitter, so that a thousand agents do not come back at the same moment. */
function retryDelayMs(attempt: number): number {
  return Math.min(2_000, 25 * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random());
}

const COMMON = {
  lazyConnect: true,
  retryStrategy: retryDelayMs,
  socketTimeout: SOCKET_TIMEOUT_MS,
  connectTimeout: CONNECT_TIMEOUT_MS,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  // The bus subscribes again by itself, because only so it learns of the confirmation.
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
} satisfies RedisOptions;

interface Channel {
  readonly listener: BusListener;
  /** Settles the promise that subscribe() returned; no effect after the first time. */
  readonly confirmed: () => void;
  readonly closed: () => void;
}

/**
 * Redis publish/subscribe (at most once, to those connected). One connection publishes and one subscribes, each made on
 * first use. `onError` hears of connection errors, at most one per attempt; they need no action.
 */
export class RedisBus implements Bus {
  readonly kind = 'redis';
  readonly #publisher: Redis;
  readonly #subscriber: Redis;
  readonly #channels = new Map<string, Channel>();
  readonly #connectionListeners = new Set<(connected: boolean) => void>();
  #firstConnection: Promise<void> | undefined;
  #unanswered = 0;
  #connected = false;
  #closed = false;

  constructor(url: string, onError: (error: Error) => void) {
    this.#publisher = new Redis(url, COMMON);
    this.#subscriber = new Redis(url, COMMON);
    this.#publisher.on('error', onError);
    this.#subscriber.on('error', onError);
    this.#subscriber.on('ready', () => void this.#resubscribe());
    this.#subscriber.on('close', () => this.#setConnected(false));
    this.#subscriber.on('messageBuffer', (channel: Buffer, payload: Buffer) =>
      this.#channels.get(channel.toString())?.listener(payload),
    );
  }

  get connected(): boolean {
    return this.#connected;
  }

  async publish(channel: string, payload: Uint8Array): Promise<boolean> {
    if (this.#closed || this.#unanswered >= MAX_UNANSWERED) return false;
    this.#unanswered++;
    try {
      this.#firstConnection ??= this.#publisher.connect();
      await this.#firstConnection.catch(() => undefined);
      await this.#publisher.publish(channel, Buffer.from(payload));
      return true;
    } catch {
      return false;
    } finally {
      this.#unanswered--;
    }
  }

  subscribe(channel: string, listener: BusListener): Promise<Subscription> {
    if (this.#closed) return Promise.reject(new BusClosedError());
    if (this.#channels.has(channel)) return Promise.reject(new RangeError(`"${channel}" has a listener already`));
    return new Promise((resolve, reject) => {
      const entry: Channel = {
        listener,
        confirmed: () => resolve({ unsubscribe: () => this.#unsubscribe(channel, entry) }),
        closed: () => reject(new BusClosedError()),
      };
      this.#channels.set(channel, entry);
      if (this.#subscriber.status === 'wait') {
        // A failed first attempt is followed by others; `ready` subscribes.
        this.#subscriber.connect().catch(() => undefined);
      } else if (this.#subscriber.status === 'ready') {
        this.#subscriber.subscribe(channel).then(entry.confirmed, () => this.#subscriber.disconnect(true));
      }
    });
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    this.#connectionListeners.add(listener);
    return () => this.#connectionListeners.delete(listener);
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const channel of this.#channels.values()) channel.closed();
    this.#channels.clear();
    this.#connectionListeners.clear();
    this.#connected = false;
    this.#publisher.disconnect();
    this.#subscriber.disconnect();
    return Promise.resolve();
  }

  async #resubscribe(): Promise<void> {
    const channels = [...this.#channels];
    try {
      if (channels.length > 0) await this.#subscriber.subscribe(...channels.map(([name]) => name));
    } catch {
      // The connection broke again (its next `ready` comes here) or Redis refused: a new connection tries once more.
      if (!this.#closed) this.#subscriber.disconnect(true);
      return;
    }
    for (const [, channel] of channels) channel.confirmed();
    this.#setConnected(true);
  }

  async #unsubscribe(channel: string, entry: Channel): Promise<void> {
    if (this.#channels.get(channel) !== entry) return;
    this.#channels.delete(channel);
    await this.#subscriber.unsubscribe(channel).catch(() => undefined);
  }

  #setConnected(connected: boolean): void {
    if (this.#connected === connected || this.#closed) return;
    this.#connected = connected;
    for (const listener of this.#connectionListeners) listener(connected);
  }
}
