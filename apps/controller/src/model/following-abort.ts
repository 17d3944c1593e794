import { setMaxListeners } from 'node:events';

/**
 * An AbortController that is also aborted with a signal that outlives it, until it is let go. Not AbortSignal.any: that leaves
 * something behind in each of its signals for as long as these live (Node 20).
 */
export class FollowingAbort {
  readonly #own = new AbortController();
  readonly #followed: AbortSignal;
  readonly #follow = (): void => this.#own.abort(this.#followed.reason);

  constructor(followed: AbortSignal) {
    this.#followed = followed;
    // Each lets go, so many are no leak; Node would warn of more than ten.
    setMaxListeners(0, followed);
    if (followed.aborted) this.#follow();
    else followed.addEventListener('abort', this.#follow);
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  readonly abort = (): void => this.#own.abort();

  letGo(): void {
    this.#followed.removeEventListener('abort', this.#follow);
  }
}
