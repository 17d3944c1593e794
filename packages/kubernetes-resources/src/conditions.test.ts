import { describe, expect, it } from 'vitest';
import { conditionsOf, type Condition, type Finding } from './conditions.js';

const accepted: Finding = { type: 'Accepted', status: 'True', reason: 'Valid', message: 'valid' };
const computed: Finding = { type: 'Computed', status: 'False', reason: 'NoPath', message: 'no path' };
const before: Condition[] = [
  { ...accepted, observedGeneration: 1, lastTransitionTime: '2026-01-01T00:00:00Z' },
  { ...computed, status: 'True', observedGeneration: 1, lastTransitionTime: '2026-01-01T00:00:00Z' },
];

describe('conditionsOf', () => {
  it('keeps the transition time of what did not change, and moves that of what did', () => {
    expect(conditionsOf([computed, accepted], 2, before, new Date('2026-02-02T02:02:02.222Z'))).toEqual([
      { ...accepted, observedGeneration: 2, lastTransitionTime: '2026-01-01T00:00:00Z' },
      { ...computed, observedGeneration: 2, lastTransitionTime: '2026-02-02T02:02:02Z' },
    ]);
  });

  it('drops what is not found any more', () => {
    expect(conditionsOf([accepted], 1, before, new Date(0)).map(({ type }) => type)).toEqual(['Accepted']);
  });
});
