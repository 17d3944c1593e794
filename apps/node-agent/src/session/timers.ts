/** Timers by name: setting one again replaces it. */
export class Timers<Name extends string> {
  readonly #timers = new Map<Name, NodeJS.Timeout>();

  set(name: Name, ms: number, callback: () => void): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(name, setTimeout(callback, ms));
  }

  clear(...names: readonly Name[]): void {
    for (const name of names) clearTimeout(this.#timers.get(name));
  }

  clearAll(): void {
    this.clear(...this.#timers.keys());
  }
}
