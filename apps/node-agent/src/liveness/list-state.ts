/*
 * What probes say of one segment list. Down needs several losses in a row; up again needs answers in a row for as long
 * as the hold-down lasts, so that a list that comes and goes is not used at every turn.
 *
 *     ┌─────────┐  answer                           ┌────┐
 *     │ unknown │ ────────────────────────────────► │ up │
 *     └─────────┘                                   └────┘
 *          │  `multiplier` losses in a row           │  ▲  `multiplier` answers in a row,
 *          ▼                                         ▼  │  the first of them a hold-down ago
 *     ┌──────────────────────────────────────────────────┐
 *     │ down                                             │
 *     └──────────────────────────────────────────────────┘
 */

export type Liveness = 'unknown' | 'up' | 'down';

export interface ListState {
  readonly liveness: Liveness;
  /** Unix time of the last change of `liveness`. */
  readonly sinceMs: number;
  readonly lostInARow: number;
  readonly answeredInARow: number;
  /** On the monotonic clock: the first of the answers in a row. */
  readonly answeringSinceMs: number;
}

export interface StateRules {
  /** Losses in a row that mean down, and the fewest answers in a row that mean up again. */
  readonly multiplier: number;
  /** How long a list that was down must answer before it is up. */
  readonly holdDownMs: number;
}

export interface Moment {
  readonly monotonicMs: number;
  readonly unixMs: number;
}

export function unknownState(now: Moment): ListState {
  return { liveness: 'unknown', sinceMs: now.unixMs, lostInARow: 0, answeredInARow: 0, answeringSinceMs: 0 };
}

export function afterProbe(
  state: ListState,
  result: 'answered' | 'lost',
  now: Moment,
  { multiplier, holdDownMs }: StateRules,
): ListState {
  if (result === 'lost') {
    const lostInARow = state.lostInARow + 1;
    const lost = { ...state, lostInARow, answeredInARow: 0 };
    return lostInARow < multiplier ? lost : turned(lost, 'down', now);
  }
  const answeredInARow = state.answeredInARow + 1;
  const answeringSinceMs = answeredInARow === 1 ? now.monotonicMs : state.answeringSinceMs;
  const answered = { ...state, lostInARow: 0, answeredInARow, answeringSinceMs };
  const held = answeredInARow < multiplier || now.monotonicMs - answeringSinceMs < holdDownMs;
  return state.liveness === 'down' && held ? answered : turned(answered, 'up', now);
}

function turned(state: ListState, liveness: Liveness, { unixMs }: Moment): ListState {
  return state.liveness === liveness ? state : { ...state, liveness, sinceMs: unixMs };
}
