import { expect, it } from 'vitest';
import { parseDecimal } from './decimal-text.js';

it.each([
  ['10000000000.0', 10_000_000_000],
  ['-1.5e-3', -0.0015],
  ['+.5', 0.5],
  ['5.', 5],
])('%s is a number', (text, value) => {
  expect(parseDecimal(text)).toBe(value);
});

it.each(['', ' ', '.', '0x10', '1e', '1 2', 'Infinity', 'NaN', '--1', `${'1'.repeat(1_000_000)}x`])(
  '%.12s is none',
  (text) => {
    expect(parseDecimal(text)).toBeNaN();
  },
);
