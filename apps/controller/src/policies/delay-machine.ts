/**
 * When to recompute after a change: the first one at once, storms in batches. The state machine of RFC 8405 (SPF back-off
 * delay), as its table; section 5.2 numbers the transitions.
 */

export type DelayState = 'quiet' | 'short-wait' | 'long-wait';
export type DelayTimer = 'compute' | 'learn' | 'hold-down';
export type DelayEvent = 'change' | `${DelayTimer}-expired`;

export interface DelaySettings {
  /** Before the first computation after a quiet time. In ms, as all of these. */
  readonly initialDelayMs: number;
  readonly shortDelayMs: number;
  readonly longDelayMs: number;
  /** How long the changes of one failure are expected to trickle in. */
  readonly timeToLearnMs: number;
  /** Without a change for so long, the network counts as quiet again. */
  readonly holdDownMs: number;
}

/**
 * Much shorter than what RFC 8405 suggests for routers: a computation here concerns only affected policies, in worker
 * threads, and no two routers have to wait alike to avoid micro-loops.
 */
export const defaultDelays: DelaySettings = {
  initialDelayMs: 5,
  shortDelayMs: 20,
  longDelayMs: 100,
  timeToLearnMs: 500,
  holdDownMs: 2_000,
};

export type TimerAction =
  | { readonly kind: 'start'; readonly timer: DelayTimer; readonly setting: keyof DelaySettings }
  /** Only when it is not running. */
  | { readonly kind: 'start-if-idle'; readonly timer: DelayTimer; readonly setting: keyof DelaySettings }
  | { readonly kind: 'stop'; readonly timer: DelayTimer }
  | { readonly kind: 'compute' };

interface Transition {
  readonly to: DelayState;
  readonly actions: readonly TimerAction[];
}

const computeAfter = (setting: keyof DelaySettings): TimerAction => ({
  kind: 'start-if-idle',
  timer: 'compute',
  setting,
});
const restartHoldDown: TimerAction = { kind: 'start', timer: 'hold-down', setting: 'holdDownMs' };
const learn: TimerAction = { kind: 'start', timer: 'learn', setting: 'timeToLearnMs' };
const compute: TimerAction = { kind: 'compute' };

/** An event that has no entry in a state means nothing there. */
export const delayTransitions: Readonly<Record<DelayState, Readonly<Partial<Record<DelayEvent, Transition>>>>> = {
  quiet: {
    change: { to: 'short-wait', actions: [computeAfter('initialDelayMs'), learn, restartHoldDown] }, // 1
    'compute-expired': { to: 'quiet', actions: [compute] },
  },
  'short-wait': {
    change: { to: 'short-wait', actions: [restartHoldDown, computeAfter('shortDelayMs')] }, // 2
    'learn-expired': { to: 'long-wait', actions: [] }, // 3
    'hold-down-expired': { to: 'quiet', actions: [{ kind: 'stop', timer: 'learn' }] }, // 6
    'compute-expired': { to: 'short-wait', actions: [compute] },
  },
  'long-wait': {
    change: { to: 'long-wait', actions: [restartHoldDown, computeAfter('longDelayMs')] }, // 4
    'hold-down-expired': { to: 'quiet', actions: [] }, // 5
    'compute-expired': { to: 'long-wait', actions: [compute] },
  },
};

/** Starts timers; the function it returns stops one. */
export type StartTimer = (callback: () => void, delayMs: number) => () => void;

/** Runs the table with real (or a test's) timers. */
export class DelayMachine {
  readonly #settings: DelaySettings;
  readonly #startTimer: StartTimer;
  readonly #compute: () => void;
  readonly #running = new Map<DelayTimer, () => void>();
  #state: DelayState = 'quiet';

  constructor(options: { settings: DelaySettings; startTimer: StartTimer; compute: () => void }) {
    this.#settings = options.settings;
    this.#startTimer = options.startTimer;
    this.#compute = options.compute;
  }

  get state(): DelayState {
    return this.#state;
  }

  changed(): void {
    this.#on('change');
  }

  stop(): void {
    for (const stop of this.#running.values()) stop();
    this.#running.clear();
  }

  #on(event: DelayEvent): void {
    const transition = delayTransitions[this.#state][event];
    if (transition === undefined) return;
    this.#state = transition.to;
    for (const action of transition.actions) this.#act(action);
  }

  #act(action: TimerAction): void {
    if (action.kind === 'compute') {
      this.#compute();
      return;
    }
    const { timer } = action;
    if (action.kind === 'start-if-idle' && this.#running.has(timer)) return;
    this.#running.get(timer)?.();
    this.#running.delete(timer);
    if (action.kind === 'stop') return;
    const stop = this.#startTimer(() => {
      this.#running.delete(timer);
      this.#on(`${timer}-expired`);
    }, this.#settings[action.setting]);
    this.#running.set(timer, stop);
  }
}
