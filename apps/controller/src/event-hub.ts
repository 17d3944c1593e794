import type { EventType, WaymarkEvent } from './model/events.js';
import type { EventBus } from './model/ports.js';

/** Hands each event of this process to everyone who listens, in order. */
export class EventHub implements EventBus {
  readonly #listeners = new Set<(event: WaymarkEvent) => void>();

  emit<T extends EventType>(event: WaymarkEvent<T>): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  subscribe(listener: (event: WaymarkEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
