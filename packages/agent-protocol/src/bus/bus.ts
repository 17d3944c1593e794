/**
 * Carries deltas fast, and is allowed to lose them: who needs them all finds the gap and fetches a snapshot. So nothing
 * here retries, queues or throws because of a broken connection.
 */
export interface Bus {
  readonly kind: 'redis' | 'memory';

  /** True while what is published reaches the listeners of confirmed subscriptions. */
  readonly connected: boolean;

  /** Sends to whoever listens now. Never rejects; false when it is known not to have gone out. */
  publish(channel: string, payload: Uint8Array): Promise<boolean>;

  /**
   * Resolves once every message published from then on is on its way to the listener; while the bus is down that lasts.
   * Rejects only when the bus is closed before. A channel has at most one listener; a second one is a RangeError.
   */
  subscribe(channel: string, listener: BusListener): Promise<Subscription>;

  /**
   * Tells when the connection of the subscriptions is lost (false), and when it is back and all of them are confirmed
   * again (true): what was published in between is lost. Returns the function that ends the notification.
   */
  onConnection(listener: (connected: boolean) => void): () => void;

  /** Ends all subscriptions; later calls of publish answer false. */
  close(): Promise<void>;
}

export type BusListener = (payload: Uint8Array) => void;

export interface Subscription {
  /** Resolves when the listener will not be called again. Never rejects. */
  unsubscribe(): Promise<void>;
}

/** A subscription was asked of a closed bus, or the bus was closed before the confirmation. */
export class BusClosedError extends Error {
  override readonly name = 'BusClosedError';

  constructor() {
    super('the bus is closed');
  }
}
