import { describe, expect, it } from 'vitest';
import { DelayMachine, type DelaySettings } from './delay-machine.js';

const settings: DelaySettings = {
  initialDelayMs: 5,
  shortDelayMs: 50,
  longDelayMs: 500,
  timeToLearnMs: 300,
  holdDownMs: 2_000,
};

/** Time that moves by hand. */
class Clock {
  #now = 0;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];

  readonly startTimer = (callback: () => void, delayMs: number): (() => void) => {
    const timer = { at: this.#now + delayMs, callback };
    this.#timers.push(timer);
    return () => (this.#timers = this.#timers.filter((other) => other !== timer));
  };

  get now(): number {
    return this.#now;
  }

  passTo(time: number): void {
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= time).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = next.at;
      next.callback();
    }
    this.#now = time;
  }
}

function machine(): { clock: Clock; machine: DelayMachine; computed: number[] } {
  const clock = new Clock();
  const computed: number[] = [];
  return {
    clock,
    computed,
    machine: new DelayMachine({ settings, startTimer: clock.startTimer, compute: () => computed.push(clock.now) }),
  };
}

describe('the delay before a computation', () => {
  it('is shortest for the first change after a quiet time', () => {
    const { clock, machine: delay, computed } = machine();
    delay.changed();
    clock.passTo(100);
    expect(computed).toEqual([5]);
    expect(delay.state).toBe('short-wait');
  });

  it('is short while one failure is learned, and takes what comes meanwhile together', () => {
    const { clock, machine: delay, computed } = machine();
    for (const time of [0, 20, 30, 60]) {
      clock.passTo(time);
      delay.changed();
    }
    clock.passTo(200);
    expect(computed).toEqual([5, 70]);
  });

  it('is long during a storm', () => {
    const { clock, machine: delay, computed } = machine();
    for (let time = 0; time < 2_000; time += 10) {
      clock.passTo(time);
      delay.changed();
    }
    expect(delay.state).toBe('long-wait');
    clock.passTo(2_400);
    const late = computed.filter((time) => time > 300);
    expect(late.length).toBeLessThanOrEqual(5);
    expect(late.slice(2).every((time, i) => time - (late[i + 1] ?? 0) >= settings.longDelayMs)).toBe(true);
  });

  it('is shortest again once the network was quiet', () => {
    const { clock, machine: delay, computed } = machine();
    delay.changed();
    clock.passTo(3_000);
    expect(delay.state).toBe('quiet');
    delay.changed();
    clock.passTo(3_010);
    expect(computed).toEqual([5, 3_005]);
  });

  it('runs nothing after it was stopped', () => {
    const { clock, machine: delay, computed } = machine();
    delay.changed();
    delay.stop();
    clock.passTo(10_000);
    expect(computed).toEqual([]);
  });
});
