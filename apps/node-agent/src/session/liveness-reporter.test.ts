import { Family, Liveness, MAX_MESSAGE_BYTES, LivenessReport } from '@waymark/agent-protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ListReport } from '../liveness/path-liveness.js';
import { LivenessReporter } from './liveness-reporter.js';

function list(number: number, liveness: 'up' | 'down' | 'unknown', inUse = true, depth = 2): ListReport {
  const sids = Array.from({ length: depth }, (_, index) => `fc00:${number.toString(16)}::${index + 1}`);
  const figures = { probesSent: 100, probesLost: 4, roundTripMinUs: 900, roundTripAvgUs: 1_000, roundTripMaxUs: 1_200 };
  const route = { address: 'fc00:9::1', sids };
  const probed = { route, liveness, sinceMs: 1_700_000_000_000, probing: true, ...figures };
  return { policyId: 'h1:10:h2', family: 'ipv6', sids, standby: false, inUse, judgedBy: sids, probed };
}

describe('the reports on segment lists', () => {
  let lists: ListReport[];
  let changed: () => void;
  let sent: LivenessReport[];
  let reporter: LivenessReporter;

  beforeEach(() => {
    vi.useFakeTimers();
    lists = [list(1, 'up'), list(2, 'up')];
    sent = [];
    const source = {
      reports: () => lists,
      onChange: (call: () => void) => (changed = call),
      onConclusion: () => undefined,
    };
    reporter = new LivenessReporter(source, (report) => sent.push(report));
  });
  afterEach(() => {
    reporter.sessionEnds();
    vi.useRealTimers();
  });

  it('begin a session with all lists, and repeat them every 30 seconds', () => {
    reporter.sessionBegins();
    expect(sent).toHaveLength(1);
    expect(sent[0]?.complete).toBe(true);
    expect(sent[0]?.lists[0]).toMatchObject({
      policyId: 'h1:10:h2',
      family: Family.IPV6,
      standby: false,
      inUse: true,
      state: Liveness.UP,
      sinceMs: 1_700_000_000_000,
      probesSent: 100,
      probesLost: 4,
      roundTripAvgUs: 1_000,
    });
    vi.advanceTimersByTime(90_000);
    expect(sent.map(({ complete, lists: { length } }) => [complete, length])).toEqual([
      [true, 2],
      [true, 2],
      [true, 2],
      [true, 2],
    ]);
  });

  it('tell changes at once, together, and only those', () => {
    reporter.sessionBegins();
    lists = [list(1, 'up'), list(2, 'down', false)];
    for (let storm = 0; storm < 50; storm += 1) changed();
    vi.advanceTimersByTime(100);
    expect(sent).toHaveLength(2);
    expect(sent[1]).toMatchObject({ complete: false, lists: [{ state: Liveness.DOWN, inUse: false }] });
    changed();
    vi.advanceTimersByTime(100);
    expect(sent).toHaveLength(2);
  });

  it('are not sent without a session, and begin anew with the next', () => {
    changed();
    vi.advanceTimersByTime(60_000);
    expect(sent).toEqual([]);
    reporter.sessionBegins();
    changed();
    reporter.sessionEnds();
    vi.advanceTimersByTime(60_000);
    expect(sent).toHaveLength(1);
    reporter.sessionBegins();
    expect(sent[1]?.complete).toBe(true);
  });

  it('say that there is nothing, when there is nothing', () => {
    lists = [];
    reporter.sessionBegins();
    expect(sent).toEqual([{ lists: [], complete: true }]);
  });

  it('stay below the size of a message, however many and long the lists', () => {
    lists = Array.from({ length: 2_500 }, (_, index) => list(index, 'up', true, 56));
    reporter.sessionBegins();
    expect(sent.map(({ complete }) => complete)).toEqual([true, false, false]);
    expect(sent.flatMap((report) => report.lists)).toHaveLength(2_500);
    for (const report of sent) {
      expect(LivenessReport.encode(report).finish().length).toBeLessThan(MAX_MESSAGE_BYTES / 2);
    }
  });
});
