import { EventEmitter, once } from 'node:events';

/** Wakes who waits for something to change. Whoever comes late has missed no more than that it changed in between. */
export class ChangeSignal {
  readonly #wake = new EventEmitter().setMaxListeners(0);
  #version = 0;

  get version(): number {
    return this.#version;
  }

  changed(): void {
    this.#version += 1;
    this.#wake.emit('change');
  }

  /** Resolves once it has changed since that version, or the signal aborts. */
  async after(version: number, signal: AbortSignal): Promise<void> {
    while (this.#version === version && !signal.aborted) {
      await once(this.#wake, 'change', { signal }).catch(() => undefined);
    }
  }
}
