import type { EventType, WaymarkEvent } from './model/events.js';
import type { EventBus } from './model/ports.js';

interface Listener {
  readonly onEvent: (event: WaymarkEvent) => void;
  readonly onGap: ((reason: string) => void) | undefined;
}

/** Hands each event that this process knows of to everyone who listens, in order. */
export class EventHub implements EventBus {
  readonly #listeners = new Set<Listener>();

  emit<T extends EventType>(event: WaymarkEvent<T>): void {
    for (const { onEvent } of [...this.#listeners]) onEvent(event);
  }

  gap(reason: string): void {
    for (const { onGap } of [...this.#listeners]) onGap?.(reason);
  }

  subscribe(onEvent: Listener['onEvent'], onGap?: Listener['onGap']): () => void {
    const listener = { onEvent, onGap };
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
