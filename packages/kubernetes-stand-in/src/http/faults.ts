import { matches, type CallMatch } from './calls.js';
import type { RequestInfo } from './request-info.js';

/** What befalls a request. */
export type Fault =
  /** Refused with this code and a Status body, not executed. */
  | { readonly kind: 'status'; readonly code: number; readonly retryAfterSeconds?: number }
  /** Executed so many milliseconds late. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Answered 200 with this body instead of what was asked, not executed. */
  | { readonly kind: 'nonsense'; readonly body: string }
  /** Never answered, not executed. */
  | { readonly kind: 'hang' }
  /** The connection breaks before anything is executed. */
  | { readonly kind: 'reset' }
  /** Executed; the connection breaks before the answer. */
  | { readonly kind: 'lost-answer' };

interface Rule {
  readonly fault: Fault;
  readonly match: CallMatch;
  left: number;
}

/** How the server reaches what faults act on. */
export interface FaultHands {
  readonly goDown: () => Promise<void>;
  readonly comeUp: () => Promise<void>;
  readonly dropWatches: (match: CallMatch) => number;
  readonly endWatches: (match: CallMatch) => number;
  readonly stallWatches: (match: CallMatch) => void;
  readonly resumeWatches: () => void;
  readonly expireWatches: (match: CallMatch) => number;
  readonly sendToWatches: (text: string, match: CallMatch) => number;
  readonly bookmark: () => void;
  readonly compact: () => void;
}

/** Faults to inject. Rules are tried in the order of their arming; the first that matches is used. */
export class Faults {
  readonly #hands: FaultHands;
  #rules: Rule[] = [];

  constructor(hands: FaultHands) {
    this.#hands = hands;
  }

  /** @param times how many requests it befalls; without it, all until `clear` */
  arm(fault: Fault, match: CallMatch = {}, times = Infinity): void {
    this.#rules.push({ fault, match, left: times });
  }

  /** Ends armed faults and stalls. A server that is down stays down. */
  clear(): void {
    this.#rules = [];
    this.#hands.resumeWatches();
  }

  /** What befalls this request; counts it. */
  next(info: RequestInfo): Fault | undefined {
    const rule = this.#rules.find(({ match, left }) => left > 0 && matches(info, match));
    if (rule !== undefined) rule.left -= 1;
    return rule?.fault;
  }

  /** Breaks all connections and refuses new ones; objects stay. */
  goDown(): Promise<void> {
    return this.#hands.goDown();
  }

  /** Listens again, on the same port. */
  comeUp(): Promise<void> {
    return this.#hands.comeUp();
  }

  /** Breaks the connections of open watches. @returns how many */
  dropWatches(match: CallMatch = {}): number {
    return this.#hands.dropWatches(match);
  }

  /** Ends open watches as a server does when their time is over, or its own. @returns how many */
  endWatches(match: CallMatch = {}): number {
    return this.#hands.endWatches(match);
  }

  /** Open watches, and new ones, fall silent: no event, no bookmark, no end. */
  stallWatches(match: CallMatch = {}): void {
    this.#hands.stallWatches(match);
  }

  /** Stalled watches go on with what they held back. */
  resumeWatches(): void {
    this.#hands.resumeWatches();
  }

  /** Ends open watches with an event of 410, as for a watcher that fell too far behind. @returns how many */
  expireWatches(match: CallMatch = {}): number {
    return this.#hands.expireWatches(match);
  }

  /** Sends any text into open watches, between their events. @returns into how many */
  sendToWatches(text: string, match: CallMatch = {}): number {
    return this.#hands.sendToWatches(text, match);
  }

  /** Sends a bookmark now to each watch that allows them. */
  bookmark(): void {
    this.#hands.bookmark();
  }

  /** Forgets all past changes: to resume a watch from before, or to go on with a paged list, is answered with 410. */
  compact(): void {
    this.#hands.compact();
  }
}
