import {
  openDelta,
  ProtocolError,
  type Bus,
  type Delta,
  type Subscription,
  type Verifier,
} from '@waymark/agent-protocol';
import type { Logger } from 'pino';

export interface DeltaListener {
  /** Signed by the controller and within the rules of the protocol. */
  readonly onDelta: (delta: Delta) => void;
  /** true: nothing that is published from now on is lost unnoticed; false: the connection of the bus is gone. */
  readonly onConfirmed: (confirmed: boolean) => void;
}

/** This node's channel on the bus. What is not signed by the controller is counted and thrown away. */
export class DeltaSubscription {
  readonly #bus: Bus;
  readonly #listener: DeltaListener;
  readonly #log: Logger;
  readonly #ignoreConnection: () => void;
  #verifier: Verifier | undefined;
  #channel: string | undefined;
  #subscription: Promise<Subscription> | undefined;
  #subscribed = false;
  #badMessages = 0;

  constructor(bus: Bus, listener: DeltaListener, log: Logger) {
    this.#bus = bus;
    this.#listener = listener;
    this.#log = log;
    this.#ignoreConnection = bus.onConnection((connected) => {
      if (this.#subscribed) listener.onConfirmed(connected);
    });
  }

  get badMessages(): number {
    return this.#badMessages;
  }

  /** True while deltas are heard. */
  get confirmed(): boolean {
    return this.#subscribed && this.#bus.connected;
  }

  /** Begins to listen on the channel, or goes on with another key. The confirmation comes when the bus is there. */
  listen(channel: string, verifier: Verifier): void {
    this.#verifier = verifier;
    if (channel === this.#channel) return;
    this.#leave();
    this.#channel = channel;
    const subscription = this.#bus.subscribe(channel, (payload) => this.#receive(payload));
    this.#subscription = subscription;
    subscription.then(
      () => {
        if (this.#subscription !== subscription) return;
        this.#subscribed = true;
        if (this.#bus.connected) this.#listener.onConfirmed(true);
      },
      (error: unknown) => this.#log.warn({ err: error }, 'there is no subscription to deltas'),
    );
  }

  close(): void {
    this.#ignoreConnection();
    this.#leave();
  }

  #leave(): void {
    this.#subscribed = false;
    this.#subscription?.then(
      (subscription) => subscription.unsubscribe(),
      () => undefined,
    );
    this.#subscription = undefined;
    this.#channel = undefined;
  }

  #receive(payload: Uint8Array): void {
    if (this.#verifier === undefined) return;
    try {
      this.#listener.onDelta(openDelta(payload, this.#verifier));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      // Not a reason to resync: whoever can write to the bus could make every agent fetch snapshots. If it was a delta
      // once, the next digest tells.
      this.#badMessages++;
      this.#log.warn({ why: error.message }, 'a message on the bus was refused');
    }
  }
}
