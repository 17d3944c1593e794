import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { afterProbe, unknownState, type ListState, type StateRules } from './list-state.js';

const RULES: StateRules = { multiplier: 3, holdDownMs: 1_000 };
const START = { monotonicMs: 0, unixMs: 5_000_000 };

/** One result each 100 ms: `.` answered, `x` lost. */
function history(text: string, rules = RULES): ListState[] {
  const states = [unknownState(START)];
  Array.from(text).forEach((result, index) => {
    const now = { monotonicMs: (index + 1) * 100, unixMs: START.unixMs + (index + 1) * 100 };
    const before = states.at(-1) ?? unknownState(START);
    states.push(afterProbe(before, result === '.' ? 'answered' : 'lost', now, rules));
  });
  return states;
}

const end = (text: string) => history(text).at(-1)?.liveness;

describe('the state of a segment list', () => {
  it.each([
    ['', 'unknown'],
    ['xx', 'unknown'],
    ['.', 'up'],
    ['xx.', 'up'],
    ['xxx', 'down'],
    ['.xx.xx.xx', 'up'],
    ['.xxx', 'down'],
    ['.xxx...', 'down'],
    ['.xxx..........', 'down'],
    ['.xxx...........', 'up'],
    ['.xxx..........x..........', 'down'],
    ['.xxx..........x...........', 'up'],
  ])('after "%s" is %s', (text, liveness) => {
    expect(end(text)).toBe(liveness);
  });

  it('dates from its last change', () => {
    expect(history('.xxxx').map(({ sinceMs }) => sinceMs - START.unixMs)).toEqual([0, 100, 100, 100, 400, 400]);
  });

  it('needs the losses in a row that the multiplier says, without a hold-down as many answers', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('.', 'x', 'x', '.', '.'), maxLength: 60 }),
        fc.integer({ min: 2, max: 6 }),
        (text, multiplier) => {
          const liveness = history(text, { multiplier, holdDownMs: 0 }).at(-1)?.liveness;
          expect(liveness).toBe(oracle(text, multiplier));
        },
      ),
    );
  });
});

/** Slow and plain: look back for the last run that settled the matter. */
function oracle(text: string, multiplier: number): string {
  for (let length = text.length; length > 0; length -= 1) {
    const past = text.slice(0, length);
    if (past.endsWith('x'.repeat(multiplier))) return 'down';
    if (past.endsWith('.'.repeat(multiplier))) return 'up';
    if (past.endsWith('.') && !past.includes('x'.repeat(multiplier))) return 'up';
  }
  return 'unknown';
}
