import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { probeRoutesOf } from './probe-address.js';
import { ProbeEngine, type ProbeTiming } from './probe-engine.js';
import { NONCE_BYTES } from './probe-packet.js';

const TIMING: ProbeTiming = { intervalMs: 300, multiplier: 3, holdDownMs: 1_000 };
const NONCE = new Uint8Array(NONCE_BYTES).fill(1);

function routes(count: number) {
  return probeRoutesOf(
    Array.from({ length: count }, (_, index) => [`fc00:${(index + 1).toString(16)}::1`, 'fc00:2::d6']),
    'fc00:9::/64',
  );
}

/** An engine whose network answers as the test says, on a clock that the test turns. */
class Bench {
  readonly engine: ProbeEngine;
  readonly sent: { readonly atMs: number; readonly address: string; readonly packet: Uint8Array }[] = [];
  /** How long an answer takes; null: it never comes. */
  roundTripMs: (address: string) => number | null = () => 10;
  #nowMs = 0;
  #callMs: number | null = 0;
  readonly #answers: { readonly atMs: number; readonly packet: Uint8Array }[] = [];

  constructor(timing = TIMING) {
    this.engine = new ProbeEngine(timing, NONCE, (address, packet) => {
      this.sent.push({ atMs: this.#nowMs, address, packet });
      const roundTrip = this.roundTripMs(address);
      if (roundTrip !== null) this.#answers.push({ atMs: this.#nowMs + roundTrip, packet });
    });
  }

  get now() {
    return { monotonicMs: this.#nowMs, unixMs: 1_000_000 + this.#nowMs };
  }

  probing(count: number): this {
    this.engine.expect(routes(count), this.now);
    this.engine.probe(routes(count), this.now);
    this.#callMs = this.engine.advance(this.now);
    return this;
  }

  /** Lets time pass: timers and answers come when they are due. */
  run(ms: number): this {
    const end = this.#nowMs + ms;
    for (;;) {
      this.#answers.sort((a, b) => a.atMs - b.atMs);
      const next = Math.min(this.#callMs ?? Infinity, this.#answers[0]?.atMs ?? Infinity);
      if (next > end) break;
      this.#nowMs = Math.max(this.#nowMs, next);
      this.#deliver();
      if ((this.#callMs ?? Infinity) <= this.#nowMs) this.#callMs = this.engine.advance(this.now);
    }
    this.#nowMs = end;
    return this;
  }

  /** The process is not run: timers come late, and before the answers that wait in the socket. */
  freeze(ms: number): this {
    this.#nowMs += ms;
    this.#callMs = this.engine.advance(this.now);
    this.#deliver();
    return this;
  }

  #deliver(): void {
    while ((this.#answers[0]?.atMs ?? Infinity) <= this.#nowMs) {
      const answer = this.#answers.shift();
      if (answer !== undefined) this.engine.hear(answer.packet, this.now);
    }
  }

  states(): string {
    return this.engine
      .lists()
      .map(({ liveness }) => liveness)
      .join();
  }
}

describe('the probes of segment lists', () => {
  it('go out one list after the other, each once in an interval', () => {
    const bench = new Bench().probing(30).run(2_999);
    const times = new Map<string, number[]>();
    for (const { address, atMs } of bench.sent) times.set(address, [...(times.get(address) ?? []), atMs]);
    expect([...times.values()].map(({ length }) => length)).toEqual(Array.from({ length: 30 }, () => 10));
    const gaps = [...times.values()].flatMap((at) => at.slice(1).map((time, index) => time - (at[index] ?? 0)));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(310);
    const together = new Map<number, number>();
    for (const { atMs } of bench.sent) together.set(atMs, (together.get(atMs) ?? 0) + 1);
    expect(Math.max(...together.values())).toBe(1);
  });

  it('are never more than so many in a second, whatever the number of lists', () => {
    const bench = new Bench().probing(5_000).run(10_000);
    expect(bench.engine.intervalMs).toBe(5_000);
    expect(bench.sent.length).toBeLessThanOrEqual(10_010);
    expect(new Set(bench.sent.map(({ address }) => address)).size).toBe(5_000);
    expect(bench.engine.lists().every(({ liveness }) => liveness === 'up')).toBe(true);
  });

  it('find a list that loses them down, and measure the others', () => {
    const bench = new Bench();
    const dead = routes(3)[1];
    bench.roundTripMs = (address) => (address === dead?.address ? null : 20);
    bench.probing(3).run(10_000);
    expect(bench.states().split(',').sort()).toEqual(['down', 'up', 'up']);
    const list = bench.engine.list(dead?.sids ?? []);
    expect(list).toMatchObject({ liveness: 'down', roundTripAvgUs: 0 });
    expect(list?.probesLost).toBe(list?.probesSent);
    const others = bench.engine.lists().filter(({ liveness }) => liveness === 'up');
    for (const { probesLost, roundTripMinUs, roundTripAvgUs, roundTripMaxUs } of others) {
      expect({ probesLost, roundTripMinUs, roundTripAvgUs, roundTripMaxUs }).toEqual({
        probesLost: 0,
        roundTripMinUs: 20_000,
        roundTripAvgUs: 20_000,
        roundTripMaxUs: 20_000,
      });
    }
  });

  it('find a path dead within as many intervals as the multiplier says, and one timeout', () => {
    const bench = new Bench().probing(1).run(3_010);
    bench.roundTripMs = () => null;
    bench.run(TIMING.multiplier * 300 + 300);
    expect(bench.states()).toBe('down');
  });

  it('tell of loss that is not death', () => {
    const bench = new Bench().probing(1);
    let count = 0;
    bench.roundTripMs = () => (++count % 4 === 0 ? null : 10);
    bench.run(60_000);
    expect(bench.states()).toBe('up');
    expect(bench.engine.lists()[0]).toMatchObject({ probesSent: 100, probesLost: 25 });
  });

  it('wait longer where round trips are long, and know an answer that comes too late', () => {
    const bench = new Bench().probing(1).run(3_000);
    bench.roundTripMs = () => 700;
    bench.run(30_000);
    expect(bench.states()).toBe('up');
    const { lost } = bench.engine.counts;
    expect(lost).toBeLessThan(4);
    expect(bench.engine.lists()[0]?.probesLost).toBe(0);
    bench.run(30_000);
    expect(bench.engine.counts.lost).toBe(lost);
  });

  it('are not held against the lists when this process did not run', () => {
    const bench = new Bench().probing(5).run(3_000);
    for (let time = 0; time < 10; time += 1) bench.freeze(3_000).run(100);
    expect(bench.states()).toBe('up,up,up,up,up');
    expect(bench.engine.counts.lost).toBe(0);
  });

  it('count once, however often an answer comes, and not at all from elsewhere', () => {
    const bench = new Bench().probing(1).run(300);
    const packet = bench.sent[0]?.packet ?? new Uint8Array();
    for (let copy = 0; copy < 5; copy += 1) bench.engine.hear(packet, bench.now);
    bench.engine.hear(packet.with(5, 99), bench.now);
    bench.engine.hear(Uint8Array.of(1, 2, 3), bench.now);
    bench.run(100);
    expect(bench.engine.counts.answered).toBe(bench.sent.length);
  });

  it('are sent only where the probe route is in place, and say nothing of a list without one', () => {
    const bench = new Bench();
    bench.engine.expect(routes(2), bench.now);
    bench.engine.probe(routes(2).slice(0, 1), bench.now);
    bench.run(200);
    bench.engine.advance(bench.now);
    bench.run(300);
    expect(bench.states()).toBe('up,unknown');
    const [, second] = routes(2);
    expect(bench.engine.livenessOf(second?.sids ?? [])).toBe('settling');
    bench.run(6_000);
    expect(bench.engine.livenessOf(second?.sids ?? [])).toBe('unknown');
    expect(new Set(bench.sent.map(({ address }) => address))).toEqual(new Set([routes(2)[0]?.address]));
  });

  it('settle a list by the time that they take to tell, and say so once', () => {
    const bench = new Bench();
    bench.roundTripMs = () => null;
    bench.probing(1);
    expect(bench.engine.livenessOf(routes(1)[0]?.sids ?? [])).toBe('settling');
    bench.run(10_000);
    expect(bench.states()).toBe('down');
    expect(bench.engine.takeChanges()).toEqual([{ route: routes(1)[0], liveness: 'down' }]);
    expect(bench.engine.takeChanges()).toBeNull();
  });

  it('forget a list that is wanted no more, and begin anew when it comes back', () => {
    const bench = new Bench().probing(2).run(1_000).probing(1);
    expect(bench.engine.lists()).toHaveLength(1);
    bench.probing(2);
    expect(bench.states().split(',').sort()).toEqual(['unknown', 'up']);
  });

  it('keep the time of a list while others come and go', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 20 }), (counts) => {
        const bench = new Bench();
        for (const count of counts) bench.probing(count).run(450);
        const [first] = routes(1);
        const times = bench.sent.filter(({ address }) => address === first?.address).map(({ atMs }) => atMs);
        const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
        expect(Math.max(0, ...gaps)).toBeLessThanOrEqual(2 * TIMING.intervalMs);
        expect(bench.engine.lists().every(({ liveness }) => liveness !== 'down')).toBe(true);
      }),
    );
  });
});
