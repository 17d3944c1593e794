import { describe, expect, it } from 'vitest';
import { LinkHolds } from './link-holds.js';

const settings = { holdMs: 10, maxHoldMs: 50 };

describe('hysteresis of links', () => {
  it('holds a link that returned until its time is over', () => {
    const holds = new LinkHolds(settings);
    holds.worsened('x', 0);
    expect(holds.improved('x', true, 5)).toBe(false);
    expect(holds.held(5)).toEqual(['x']);
    expect(holds.nextDue()).toBe(15);
    expect(holds.due(14)).toEqual([]);
    expect(holds.due(15)).toEqual(['x']);
    expect(holds.held(15)).toEqual([]);
    expect(holds.due(16)).toEqual([]);
  });

  it('holds a returned link even when nobody saw it go', () => {
    expect(new LinkHolds(settings).improved('x', true, 0)).toBe(false);
  });

  it('does not hold an improvement of a link that was not worse lately', () => {
    const holds = new LinkHolds(settings);
    expect(holds.improved('x', false, 0)).toBe(true);
    holds.worsened('x', 100);
    expect(holds.improved('x', false, 105)).toBe(false);
    expect(holds.improved('x', false, 1_000)).toBe(true);
  });

  it('doubles the time with each relapse, up to the maximum', () => {
    const holds = new LinkHolds(settings);
    const times: number[] = [];
    let now = 0;
    for (let flap = 0; flap < 5; flap++) {
      holds.worsened('x', now);
      holds.improved('x', true, (now += 1));
      times.push((holds.nextDue() ?? 0) - now);
      now += 1;
    }
    expect(times).toEqual([10, 20, 40, 50, 50]);
  });

  it('starts anew with a link that has behaved for long', () => {
    const holds = new LinkHolds(settings);
    holds.worsened('x', 0);
    holds.improved('x', true, 1);
    holds.worsened('x', 2);
    holds.improved('x', true, 3);
    holds.due(1_000);
    holds.worsened('x', 2_000);
    holds.improved('x', true, 2_000);
    expect(holds.nextDue()).toBe(2_010);
  });

  it('ends the hold of a link that gets worse', () => {
    const holds = new LinkHolds(settings);
    holds.worsened('x', 0);
    holds.improved('x', true, 1);
    holds.worsened('x', 2);
    expect(holds.held(3)).toEqual([]);
    expect(holds.due(100)).toEqual([]);
  });

  it('holds for no longer than the hold time when the clock was set back, and remembers so', () => {
    const holds = new LinkHolds(settings, [{ linkId: 'x', flaps: 1, worsenedAt: 3_600_000, heldUntil: 3_600_020 }]);
    expect(holds.held(100)).toEqual(['x']);
    expect(holds.due(100)).toEqual([]);
    expect(holds.nextDue()).toBe(120);
    expect(holds.unstored().get('x')).toEqual({ linkId: 'x', flaps: 1, worsenedAt: 100, heldUntil: 120 });
    expect(holds.due(119)).toEqual([]);
    expect(holds.due(120)).toEqual(['x']);
    expect(holds.held(121)).toEqual([]);
  });

  it('counts no relapse of a link that was last worse in what is the future now, once it has behaved for long', () => {
    const holds = new LinkHolds(settings, [{ linkId: 'x', flaps: 3, worsenedAt: 3_600_000, heldUntil: null }]);
    holds.due(100);
    holds.due(1_000);
    holds.worsened('x', 1_001);
    holds.improved('x', true, 1_002);
    expect(holds.nextDue()).toBe(1_012);
    const early = new LinkHolds(settings, [{ linkId: 'x', flaps: 0, worsenedAt: 3_600_000, heldUntil: 3_600_010 }]);
    early.worsened('x', 100);
    expect(early.improved('x', true, 101)).toBe(false);
    expect(early.nextDue()).toBe(121);
  });

  it('can be stored and resumed', () => {
    const holds = new LinkHolds(settings);
    holds.worsened('x', 0);
    holds.improved('x', true, 1);
    const changes = holds.unstored();
    holds.stored(changes);
    expect(holds.unstored().size).toBe(0);
    const resumed = new LinkHolds(
      settings,
      [...changes.values()].filter((hold) => hold !== null),
    );
    expect(resumed.held(5)).toEqual(['x']);
    resumed.due(1_000);
    resumed.due(10_000);
    expect(resumed.unstored()).toEqual(new Map([['x', null]]));
  });
});
