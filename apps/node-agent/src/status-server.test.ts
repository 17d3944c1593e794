import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unreachableView } from './counters/data-plane-view.js';
import type { LivenessStatus } from './liveness/path-liveness.js';
import type { NodeAgentStatus } from './node-agent.js';
import { StatusServer } from './status-server.js';

const STATUS: NodeAgentStatus = {
  nodeId: 'h1',
  dataPlane: 'linux',
  session: {
    connected: false,
    epoch: 3,
    generation: 12,
    stateHash: Uint8Array.of(0xab, 1),
    bus: 'none',
    badMessages: 0,
    snapshotRequests: 2,
  },
  health: { error: null, driftRepairs: 4 },
  reconciler: {
    rounds: 9,
    steps: 5,
    driftRepairs: 4,
    policies: { installed: 6, simulated: 0, failed: 1 },
    serviceClasses: { installed: 2, simulated: 0, failed: 0 },
  },
  counters: {
    reachable: true,
    version: 'Linux 6.1.0, iproute2-6.1.0',
    atMs: 1_700_000_000_000,
    interfaces: [
      {
        name: 'eth0',
        up: true,
        rxBytes: 1_500,
        rxPackets: 3,
        txBytes: 60,
        txPackets: 1,
        drops: 2,
        rxBps: 400,
        txBps: null,
      },
    ],
    localSids: [{ sid: 'fc00:1::d6', behavior: 'End.DT6', goodPackets: 5, goodBytes: 500, badPackets: 1, badBytes: 0 }],
    edgeDrops: [{ reason: 'sid_destination', packets: 7, bytes: 700 }],
    notices: ['underlay interface eth1 does not exist'],
  },
  liveness: null,
  failed: [{ policyId: 'h1:10:h2', reason: 'held by another' }],
};

const LIVENESS: LivenessStatus = {
  probePrefix: 'fc00:1::/64',
  intervalMs: 300,
  lists: { unknown: 0, up: 4, down: 1 },
  tunnelsOnStandby: 2,
  probes: { sent: 100, answered: 90, lost: 9, roundTripUs: 90_000 },
  roundTripMaxUs: 2_000,
  error: null,
  perList: [
    {
      sids: ['fc00:2::d6'],
      probeAddress: 'fc00:1::9',
      liveness: 'down',
      sinceMs: 1,
      probesSent: 9,
      probesLost: 9,
      roundTripAvgUs: 0,
      roundTripMaxUs: 0,
    },
  ],
};

describe('the status endpoint', () => {
  let status: NodeAgentStatus;
  let server: StatusServer;
  let url: string;

  beforeEach(async () => {
    status = STATUS;
    server = new StatusServer(() => status);
    url = `http://127.0.0.1:${await server.listen(0)}`;
  });
  afterEach(async () => {
    await server.close();
  });

  it('is healthy without a controller, and not without a data plane', async () => {
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    status = { ...STATUS, health: { error: 'ip cannot be run', driftRepairs: 4 } };
    const response = await fetch(`${url}/healthz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: 'failed', error: 'ip cannot be run' });
  });

  it('tells what the agent holds', async () => {
    const body: unknown = await (await fetch(`${url}/status`)).json();
    expect(body).toMatchObject({ nodeId: 'h1', session: { generation: 12, stateHash: 'ab01' }, failed: STATUS.failed });
  });

  it('counts for Prometheus', async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toContain('waymark_agent_policies{outcome="failed"} 1');
    expect(text).toContain('waymark_agent_service_classes{outcome="installed"} 2');
    expect(text).toContain('waymark_agent_drift_repairs 4');
    expect(text).toContain('waymark_agent_connected 0');
  });

  it('tells what the data plane counts, and no longer what is gone', async () => {
    const metrics = async () => (await fetch(`${url}/metrics`)).text();
    const text = await metrics();
    for (const line of [
      'waymark_agent_dataplane_info{version="Linux 6.1.0, iproute2-6.1.0"} 1',
      'waymark_agent_interface_up{interface="eth0"} 1',
      'waymark_agent_interface_rx_bytes{interface="eth0"} 1500',
      'waymark_agent_interface_drops{interface="eth0"} 2',
      'waymark_agent_local_sid_good_packets{sid="fc00:1::d6",behavior="End.DT6"} 5',
      'waymark_agent_local_sid_bad_packets{sid="fc00:1::d6",behavior="End.DT6"} 1',
      'waymark_agent_edge_dropped_packets{reason="sid_destination"} 7',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    status = { ...STATUS, counters: unreachableView('no answer', 0) };
    expect(await metrics()).not.toMatch(/dataplane_info\{|interface_rx_bytes\{|local_sid_good_packets\{/);
    status = { ...STATUS, counters: null };
    expect((await fetch(`${url}/metrics`)).status).toBe(200);
  });

  it('tells which lists deliver only where lists are probed', async () => {
    expect(await (await fetch(`${url}/metrics`)).text()).not.toMatch(/^waymark_agent_probe/m);
    status = { ...STATUS, liveness: LIVENESS };
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toContain('waymark_agent_segment_lists{state="down"} 1');
    expect(text).toContain('waymark_agent_tunnels_on_standby 2');
    expect(text).toContain('waymark_agent_probes_lost 9');
    expect(text).toContain('waymark_agent_probe_interval_seconds 0.3');
    const body: unknown = await (await fetch(`${url}/status`)).json();
    expect(body).toMatchObject({ liveness: { perList: [{ sids: ['fc00:2::d6'], liveness: 'down' }] } });
  });

  it('answers 404 elsewhere and refuses a port that is taken', async () => {
    expect((await fetch(`${url}/`)).status).toBe(404);
    const port = Number(new URL(url).port);
    await expect(new StatusServer(() => status).listen(port)).rejects.toThrow('EADDRINUSE');
  });

  it('goes on when what it was asked for cannot be told', async () => {
    // a getter that fails, as one of a data plane that goes away in the middle could
    status = Object.defineProperty({ ...STATUS }, 'session', {
      enumerable: true,
      get: () => {
        throw new Error('not now');
      },
    });
    for (const path of ['status', 'metrics']) {
      const response = await fetch(`${url}/${path}`);
      expect(response.status, path).toBe(500);
      expect(await response.json()).toEqual({ error: 'not now' });
    }
    status = STATUS;
    expect((await fetch(`${url}/status`)).status).toBe(200);
  });
});
