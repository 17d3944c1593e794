import { expect, it } from 'vitest';
import { fibreDelayUs, greatCircleKm } from './great-circle.js';

const london = { latitude: 51.50853, longitude: -0.12574 };
const sydney = { latitude: -33.86785, longitude: 151.20732 };

it('measures along the great circle', () => {
  expect(greatCircleKm(london, sydney)).toBeGreaterThan(16_980);
  expect(greatCircleKm(london, sydney)).toBeLessThan(17_010);
  expect(greatCircleKm({ latitude: 0, longitude: 179.5 }, { latitude: 0, longitude: -179.5 })).toBeCloseTo(111.2, 0);
  expect(greatCircleKm({ latitude: 90, longitude: 0 }, { latitude: -90, longitude: 77 })).toBeCloseTo(20_015, 0);
});

it('takes about 5 µs per km of fibre, in whole µs, and never none', () => {
  expect(fibreDelayUs(london, sydney) / greatCircleKm(london, sydney)).toBeCloseTo(5.0035, 3);
  expect(Number.isInteger(fibreDelayUs(london, sydney))).toBe(true);
  expect(fibreDelayUs(london, london)).toBe(1);
});
