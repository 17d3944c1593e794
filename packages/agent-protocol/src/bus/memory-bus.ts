import { BusClosedError, type Bus, type BusListener, type Subscription } from './bus.js';

/** A bus within one process: the default of a controller that runs its agents itself. */
export class MemoryBus implements Bus {
  readonly kind = 'memory';
  readonly #listeners = new Map<string, BusListener>();
  #closed = false;

  get connected(): boolean {
    return !this.#closed;
  }

  /** Delivers after the caller's turn, as a network would, and a copy, so that no listener can touch another's bytes. */
  publish(channel: string, payload: Uint8Array): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    const listener = this.#listeners.get(channel);
    const copy = Uint8Array.from(payload);
    setImmediate(() => {
      if (listener !== undefined && this.#listeners.get(channel) === listener) listener(copy);
    });
    return Promise.resolve(true);
  }

  subscribe(channel: string, listener: BusListener): Promise<Subscription> {
    if (this.#closed) return Promise.reject(new BusClosedError());
    if (this.#listeners.has(channel)) return Promise.reject(new RangeError(`"${channel}" has a listener already`));
    this.#listeners.set(channel, listener);
    return Promise.resolve({
      unsubscribe: () => {
        if (this.#listeners.get(channel) === listener) this.#listeners.delete(channel);
        return Promise.resolve();
      },
    });
  }

  /** The connection is never lost, so nothing is ever told. */
  onConnection(): () => void {
    return () => undefined;
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    return Promise.resolve();
  }
}
