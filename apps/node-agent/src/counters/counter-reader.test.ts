import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DryRunDataPlane } from '../dataplane/dry-run.js';
import { DataPlaneError, type DataPlane, type Reading } from '../dataplane/port.js';
import { NodeAgent } from '../node-agent.js';
import { desiredState } from '../testing/policies.js';
import { silentLog } from '../testing/reconciled-agent.js';
import { StubController } from '../testing/stub-controller.js';
import { CounterReader } from './counter-reader.js';

function readingOf(rxBytes: number, localSids: Reading['localSids'] = []): Reading {
  const eth0 = { name: 'eth0', up: true, rxBytes, rxPackets: 1, txBytes: 0, txPackets: 0, drops: 0 };
  return { version: 'v1', interfaces: [eth0], localSids, notices: [] };
}

describe('the counters of a data plane', () => {
  const SIDS = [{ sid: 'fc00::1', behavior: 'End', goodPackets: 1, goodBytes: 80, badPackets: 0, badBytes: 0 }];

  /** Reads what `answers` holds, one a reading, 10 s apart. */
  function reader(...answers: (Reading | Error)[]) {
    let clock = 0;
    const readCounters = () => {
      const answer = answers.shift() ?? new Error('no more answers');
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    };
    return new CounterReader({
      dataPlane: { readCounters },
      intervalMs: 3_600_000,
      log: silentLog,
      unixMs: () => 1_000 + clock,
      monotonicMs: () => (clock += 10_000),
    });
  }

  it('become rates from the second reading on', async () => {
    const counters = reader(readingOf(0), readingOf(10_000));
    expect(counters.report).toBeNull();
    await counters.read();
    expect(counters.view?.interfaces[0]?.rxBps).toBeNull();
    await counters.read();
    expect(counters.view?.interfaces[0]?.rxBps).toBe(8_000);
  });

  it('begin anew with a data plane that was restarted', async () => {
    const counters = reader(readingOf(10_000), readingOf(0), readingOf(5_000));
    await counters.read();
    await counters.read();
    expect(counters.view?.interfaces[0]?.rxBps).toBeNull();
    await counters.read();
    expect(counters.view?.interfaces[0]?.rxBps).toBe(4_000);
  });

  it('are out of reach when it does not answer, and rates are over that time when it does again', async () => {
    const counters = reader(readingOf(0), new DataPlaneError('no socket'), readingOf(20_000));
    await counters.read();
    await counters.read();
    expect(counters.report).toMatchObject({
      reachable: false,
      version: '',
      notices: ['the data plane does not answer: no socket'],
    });
    await counters.read();
    // The reading that failed took no time by this clock.
    expect(counters.view).toMatchObject({ reachable: true, interfaces: [{ rxBps: 16_000 }] });
  });

  it('keep the local SIDs of the last time that they were read', async () => {
    const counters = reader(readingOf(0, SIDS), readingOf(1, null), new Error('crash'), readingOf(2, null));
    for (let look = 0; look < 4; look += 1) await counters.read();
    expect(counters.view?.localSids).toEqual(SIDS);
  });
});

describe('a report on the data plane', () => {
  let stateDirectory: string;
  const controllers: StubController[] = [];
  let agent: NodeAgent | undefined;

  beforeEach(async () => {
    stateDirectory = await mkdtemp(join(tmpdir(), 'waymark-agent-'));
  });
  afterEach(async () => {
    await agent?.stop();
    for (const controller of controllers.splice(0)) controller.close();
    await rm(stateDirectory, { recursive: true });
  });

  async function listening(): Promise<{ readonly controller: StubController; readonly address: string }> {
    const controller = new StubController(desiredState(1, []));
    controllers.push(controller);
    return { controller, address: await controller.listen() };
  }

  function start(addresses: readonly string[], countersIntervalMs: number, readCounters: DataPlane['readCounters']) {
    const dataPlane = new DryRunDataPlane({ log: silentLog, encapMode: 'reduced', msdHEncaps: 0 });
    dataPlane.readCounters = readCounters;
    const common = { nodeId: 'h1', bus: null, localSids: [], rereadIntervalMs: 3_600_000, log: silentLog };
    agent = new NodeAgent({ ...common, controllers: addresses, dataPlane, stateDirectory, countersIntervalMs });
    return agent.start();
  }

  const eventually = (check: () => void) => vi.waitFor(check, { timeout: 20_000 });

  it('reaches the controller when a session begins, with what was last read', async () => {
    const { controller, address } = await listening();
    await start([address], 3_600_000, () => Promise.resolve(readingOf(5)));
    await eventually(() => expect(controller.dataPlaneReports).toHaveLength(1));
    expect(controller.dataPlaneReports[0]).toMatchObject({
      version: 'v1',
      reachable: true,
      interfaces: [{ name: 'eth0', rxBytes: 5, rxBps: 0 }],
    });
    expect(agent?.status().counters?.interfaces).toMatchObject([{ rxBytes: 5, rxBps: null }]);
  });

  it('follows at every further reading', async () => {
    const { controller, address } = await listening();
    let rxBytes = 0;
    await start([address], 10, () => Promise.resolve(readingOf((rxBytes += 100))));
    await eventually(() => expect(controller.dataPlaneReports.length).toBeGreaterThan(3));
    const seen = controller.dataPlaneReports.map(({ interfaces }) => interfaces[0]?.rxBytes ?? 0);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
  });

  it('says that the data plane does not answer', async () => {
    const { controller, address } = await listening();
    await start([address], 3_600_000, () => Promise.reject(new DataPlaneError('no socket')));
    await eventually(() => expect(controller.dataPlaneReports).toHaveLength(1));
    expect(controller.dataPlaneReports[0]).toMatchObject({ reachable: false, version: '' });
  });

  it('is not kept for later while there is no session: the next one begins with the newest', async () => {
    const { controller: first, address } = await listening();
    const { controller: second, address: other } = await listening();
    let rxBytes = 0;
    await start([address, other], 5, () => Promise.resolve(readingOf((rxBytes += 1))));
    await eventually(() => expect(first.dataPlaneReports).not.toHaveLength(0));
    first.close();
    await eventually(() => expect(agent?.status().session.connected).toBe(false));
    const lost = rxBytes;
    await eventually(() => expect(second.dataPlaneReports).not.toHaveLength(0));
    expect(second.dataPlaneReports[0]?.interfaces[0]?.rxBytes).toBeGreaterThanOrEqual(lost);
  });
});
