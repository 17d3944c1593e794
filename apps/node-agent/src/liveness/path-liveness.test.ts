import { afterEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../testing/reconciled-agent.js';
import { PathLiveness, type ListUse } from './path-liveness.js';
import { UdpProbeSocket, type ProbeSocketListener } from './probe-socket.js';

const TIMING = { intervalMs: 20, multiplier: 3, holdDownMs: 0 };
/** Probes to it come back without a data plane. */
const LOOPBACK = { address: '::1', sids: ['fc00:a::1', 'fc00:2::d6'] };
const DISCARD = { address: '100::1', sids: ['fc00:b::1', 'fc00:2::d6'] };

function use(sids: readonly string[], standby: boolean, inUse: boolean): ListUse {
  return { policyId: 'h1:10:h2', family: 'ipv6', sids, standby, inUse, judgedBy: sids };
}

describe('the probing of segment lists', () => {
  let liveness: PathLiveness;

  afterEach(() => {
    liveness.stop();
  });

  it('sends by UDP, hears its own probes, and tells who listens', async () => {
    let changes = 0;
    liveness = new PathLiveness({ probePrefix: 'fc00:9::/64', timing: TIMING, log: silentLog });
    liveness.onChange(() => (changes += 1));
    liveness.start();
    liveness.expect([LOOPBACK, DISCARD]);
    liveness.conclude([LOOPBACK, DISCARD], [use(LOOPBACK.sids, true, true), use(DISCARD.sids, false, false)]);
    await vi.waitFor(() => expect(liveness.status().lists).toEqual({ up: 1, down: 1, unknown: 0 }), {
      timeout: 20_000,
    });
    expect(changes).toBeGreaterThanOrEqual(2);
    expect(liveness.livenessOf(LOOPBACK.sids)).toBe('up');
    expect(liveness.livenessOf(DISCARD.sids)).toBe('down');
    const status = liveness.status();
    expect(status.tunnelsOnStandby).toBe(1);
    expect(status.probes.answered).toBeGreaterThan(0);
    expect(status.perList.map(({ probeAddress }) => probeAddress)).toEqual(['::1', '100::1']);
    expect(liveness.reports().map(({ standby, probed }) => [standby, probed?.liveness])).toEqual([
      [true, 'up'],
      [false, 'down'],
    ]);
  });

  it('says why probes cannot be sent, and holds nothing against the lists meanwhile', () => {
    let hear: ProbeSocketListener | undefined;
    liveness = new PathLiveness({
      probePrefix: 'fc00:9::/64',
      timing: TIMING,
      log: silentLog,
      socket: (listener) => {
        hear = listener;
        return { send: () => undefined, close: () => undefined };
      },
    });
    liveness.start();
    hear?.onError('the socket for probes failed: no IPv6');
    liveness.expect([LOOPBACK]);
    liveness.conclude([LOOPBACK], []);
    expect(liveness.status()).toMatchObject({ error: 'the socket for probes failed: no IPv6', probes: { sent: 0 } });
    hear?.onOpen(true);
    hear?.onError(null);
    expect(liveness.status()).toMatchObject({ error: null, probes: { sent: 1 } });
  });

  it('takes a port of its own', async () => {
    const heard: Uint8Array[] = [];
    liveness = new PathLiveness({ probePrefix: 'fc00:9::/64', timing: TIMING, log: silentLog });
    let open = false;
    const socket = new UdpProbeSocket({
      onPacket: (packet) => heard.push(packet),
      onOpen: (isOpen) => (open = isOpen),
      onError: () => undefined,
    });
    await vi.waitFor(() => expect(open).toBe(true));
    socket.send('::1', Uint8Array.of(1, 2, 3));
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    socket.close();
    expect([...(heard[0] ?? [])]).toEqual([1, 2, 3]);
  });
});
