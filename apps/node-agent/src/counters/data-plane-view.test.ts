import { AgentMessage } from '@waymark/agent-protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InterfaceCounters, Reading } from '../dataplane/port.js';
import { bitRate, MAX_INTERFACES, reportOf, unreachableView, viewOf, type TimedReading } from './data-plane-view.js';

const ETH0: InterfaceCounters = {
  name: 'eth0',
  up: true,
  rxBytes: 1_000,
  rxPackets: 10,
  txBytes: 500,
  txPackets: 5,
  drops: 0,
};
const SID = { sid: 'fc00::d6', behavior: 'End.DT6', goodPackets: 3, goodBytes: 300, badPackets: 0, badBytes: 0 };

function reading(changes: Partial<Reading>, monotonicMs: number): TimedReading {
  return { reading: { version: 'v', interfaces: [ETH0], localSids: [], notices: [], ...changes }, monotonicMs };
}

describe('rates', () => {
  it('are bits a second between two readings', () => {
    expect(bitRate(1_000, 2_000, 1_000)).toBe(8_000);
    expect(bitRate(0, 3_750_000_000, 30_000)).toBe(1_000_000_000);
    expect(bitRate(5, 5, 30_000)).toBe(0);
  });

  it('are not known of a first reading, a counter that began anew, or no time at all', () => {
    expect(bitRate(undefined, 2_000, 1_000)).toBeNull();
    expect(bitRate(2_000, 1_999, 1_000)).toBeNull();
    expect(bitRate(2 ** 32 - 1, 0, 1_000)).toBeNull();
    expect(bitRate(1_000, 2_000, 0)).toBeNull();
  });

  it('add up to what was counted, however often one looks', () => {
    const increments = fc.array(fc.tuple(fc.nat(1e9), fc.integer({ min: 1, max: 1e5 })), { minLength: 1 });
    fc.assert(
      fc.property(increments, (steps) => {
        let [bytes, bits] = [0, 0];
        for (const [more, elapsedMs] of steps) {
          bits += ((bitRate(bytes, bytes + more, elapsedMs) ?? NaN) * elapsedMs) / 1_000;
          bytes += more;
        }
        // Each rate is rounded to a bit per second.
        const slack = steps.reduce((sum, [, elapsedMs]) => sum + elapsedMs / 2_000, 1);
        expect(Math.abs(bits - bytes * 8)).toBeLessThanOrEqual(slack);
      }),
    );
  });

  it('are of each interface by its name, and of a new one not known', () => {
    const before = reading({}, 1_000);
    const eth1 = { ...ETH0, name: 'eth1' };
    const now = reading({ interfaces: [eth1, { ...ETH0, rxBytes: 2_000, txBytes: 400 }] }, 3_000);
    expect(viewOf(now, before, 7).interfaces).toEqual([
      { ...eth1, rxBps: null, txBps: null },
      { ...ETH0, rxBytes: 2_000, txBytes: 400, rxBps: 4_000, txBps: null },
    ]);
    expect(viewOf(before, null, 7).interfaces).toEqual([{ ...ETH0, rxBps: null, txBps: null }]);
  });
});

describe('what is told of a data plane', () => {
  it('is bounded, and says what is left out', () => {
    const interfaces = Array.from({ length: MAX_INTERFACES + 72 }, (_, index) => ({ ...ETH0, name: `veth${index}` }));
    const notices = Array.from({ length: 100 }, () => 'x'.repeat(1_000));
    const view = viewOf(reading({ interfaces, notices }, 1), null, 7);
    expect(view.interfaces.map(({ name }) => name)).toEqual(interfaces.slice(0, 128).map(({ name }) => name));
    expect(view.notices[0]).toBe('72 of 200 interfaces are not told');
    expect(view.notices).toHaveLength(32);
    expect(view.notices[1]).toHaveLength(300);
  });

  it('has the local SIDs of before when they are not read every time', () => {
    const before = reading({ localSids: [SID] }, 1);
    expect(viewOf(reading({ localSids: null }, 2), before, 7).localSids).toEqual([SID]);
    expect(viewOf(reading({ localSids: [] }, 2), before, 7).localSids).toEqual([]);
  });

  it('is what the controller hears, drops at the edge in a sentence', () => {
    const edgeDrops = [
      { reason: 'sid_destination', packets: 7, bytes: 700 },
      { reason: 'segment_routing_header', packets: 0, bytes: 0 },
    ];
    const now = reading({ interfaces: [{ ...ETH0, rxBytes: 2_000 }], localSids: [SID], edgeDrops, notices: ['n'] }, 2);
    const report = reportOf(viewOf(now, reading({}, 1), 1_700_000_000_000));
    expect(report).toMatchObject({
      version: 'v',
      reachable: true,
      atMs: 1_700_000_000_000,
      interfaces: [{ name: 'eth0', up: true, rxBytes: 2_000, rxBps: 8_000_000, txBps: 0 }],
      localSids: [{ behavior: 'End.DT6', goodPackets: 3 }],
      notices: ['n', 'the edge of the SR domain dropped 7 packets so far (sid_destination 7)'],
    });
    expect(Buffer.from(report.localSids[0]?.sid ?? []).toString('hex')).toBe('fc0000000000000000000000000000d6');
    const quiet = reading({ edgeDrops: edgeDrops.slice(1) }, 2);
    expect(reportOf(viewOf(quiet, null, 7)).notices).toEqual([]);
  });

  it('fits the wire whatever a data plane says', () => {
    const odd = { ...ETH0, rxBytes: 2 ** 63, txBytes: NaN, drops: -1, rxPackets: 0.5 };
    const localSids = [
      { ...SID, sid: 'fc00:1::/48', goodBytes: 2 ** 64 },
      { ...SID, sid: 'no address' },
    ];
    const report = reportOf(viewOf(reading({ interfaces: [odd], localSids }, 1), null, 7));
    const bytes = AgentMessage.encode({ message: { $case: 'dataPlane', value: report } }).finish();
    const back = AgentMessage.decode(bytes).message;
    expect(back?.$case === 'dataPlane' && back.value).toMatchObject({
      interfaces: [{ rxBytes: Number.MAX_SAFE_INTEGER, txBytes: 0, drops: 0 }],
      localSids: [{ goodBytes: Number.MAX_SAFE_INTEGER }],
    });
  });

  it('is nothing but the reason when it does not answer', () => {
    expect(reportOf(unreachableView('ip cannot be run', 7))).toEqual({
      version: '',
      reachable: false,
      atMs: 7,
      interfaces: [],
      localSids: [],
      notices: ['ip cannot be run'],
    });
  });
});
