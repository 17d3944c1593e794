import { Redis, type RedisOptions } from 'ioredis';
import type { TlsFiles } from '../tls/tls-files.js';
import { BusClosedError, type Bus, type BusListener, type Subscription } from './bus.js';
import { checkedConnector } from './checked-connector.js';
import { isRefusal, redisTrouble } from './redis-trouble.js';

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
  // Publishing and subscribing is all that a user of ours needs to be allowed: no INFO, no CLIENT.
  enableReadyCheck: false,
  disableClientInfo: true,
  // What ReplyCheck reads.
  protocol: 2,
} satisfies RedisOptions;

interface Channel {
  readonly listener: BusListener;
  /** Settles the promise that subscribe() returned; no effect after the first time. */
  readonly confirmed: () => void;
  readonly closed: () => void;
}

/**
 * Redis publish/subscribe (at most once, to those connected). One connection publishes and one subscribes, each made on
 * first use. `onError` hears why a connection cannot be made or is lost, at most once per attempt, and of a user that may
 * not publish, once until it may; nothing that it hears holds a password. `tls`: for `rediss://`, what the files hold at
 * each connection; left out, who is trusted is what Node trusts.
 */
export class RedisBus implements Bus {
  readonly kind = 'redis';
  readonly #publisher: Redis;
  readonly #subscriber: Redis;
  readonly #onError: (error: Error) => void;
  readonly #channels = new Map<string, Channel>();
  readonly #connectionListeners = new Set<(connected: boolean) => void>();
  #firstConnection: Promise<void> | undefined;
  #unanswered = 0;
  #connected = false;
  #mayPublish = true;
  #closed = false;

  constructor(url: string, onError: (error: Error) => void, tls?: Pick<TlsFiles, 'material'>) {
    const options = { ...COMMON, ...(tls && { tls: materialOf(tls) }) };
    this.#publisher = new Redis(url, { ...options, Connector: checkedConnector('publisher') });
    this.#subscriber = new Redis(url, { ...options, Connector: checkedConnector('subscriber') });
    this.#onError = (error) => onError(redisTrouble(error));
    this.#publisher.on('error', this.#onError);
    this.#subscriber.on('error', this.#onError);
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
      this.#mayPublish = true;
      return true;
    } catch (error) {
      if (isRefusal(error) && this.#mayPublish) {
        this.#mayPublish = false;
        this.#onError(error);
      }
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
        this.#subscriber.subscribe(channel).then(entry.confirmed, (error: unknown) => this.#subscribeAgain(error));
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
    } catch (error) {
      this.#subscribeAgain(error);
      return;
    }
    for (const [, channel] of channels) channel.confirmed();
    this.#setConnected(true);
  }

  /** The connection broke (its next `ready` subscribes) or Redis refused: a new connection tries once more. */
  #subscribeAgain(error: unknown): void {
    if (this.#closed) return;
    if (isRefusal(error)) this.#onError(error);
    this.#subscriber.disconnect(true);
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

/** The client copies these properties whenever it connects, so each connection is made with what the files hold then. */
function materialOf(files: Pick<TlsFiles, 'material'>): NonNullable<RedisOptions['tls']> {
  return {
    minVersion: 'TLSv1.2',
    get ca() {
      return files.material.ca;
    },
    get cert() {
      return files.material.cert;
    },
    get key() {
      return files.material.key;
    },
  };
}
