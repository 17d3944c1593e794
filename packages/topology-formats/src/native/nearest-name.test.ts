import { expect, it } from 'vitest';
import { nearestName } from './nearest-name.js';

const known = ['igpMetric', 'teMetric', 'delayUs', 'id', 'mtuBytes'];

it.each([
  ['igpmetric', 'igpMetric'],
  ['igp-metric', 'igpMetric'],
  ['teMertic', 'teMetric'],
  ['delay', 'delayUs'],
  ['ID', 'id'],
  ['colour', undefined],
  ['x'.repeat(10_000), undefined],
])('%s was meant to be %s', (typed, expected) => {
  expect(nearestName(typed, known)).toBe(expected);
});
