import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VppStandIn, type InterfaceSpec } from '@waymark/vpp-stand-in';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { VppDataPlane } from './dataplane/vpp/vpp-data-plane.js';
import { VppLink } from './dataplane/vpp/vpp-link.js';
import { NodeAgent } from './node-agent.js';
import { desiredState, type PolicySketch } from './testing/policies.js';
import { silentLog } from './testing/reconciled-agent.js';
import { StubController } from './testing/stub-controller.js';
import { standInOnly, TABLES_AT_START, TEST_SETTINGS, TEST_TABLE } from './testing/vpp-harness.js';

const FIVE_DEEP: PolicySketch = {
  id: 'h1:10:h2',
  ipv4: { lists: [[1, 'fc00:1::1', 'fc00:2::1', 'fc00:3::1', 'fc00:4::1', 'fc00:5::d4']], prefixes: ['10.2.0.0/24'] },
};
const WAIT = { timeout: 20_000 };

const title = `a node agent on VPP${standInOnly ? ` (${standInOnly})` : ''}`;
describe.skipIf(standInOnly !== undefined)(title, () => {
  /** Those that VPP has when it starts the next time. */
  let interfaces: InterfaceSpec[];
  let standIn: VppStandIn;
  let controller: StubController;
  let agent: NodeAgent;
  let stateDirectory: string;

  beforeEach(async () => {
    interfaces = [{ name: 'eth0', mac: '02:fe:00:00:00:01' }];
    standIn = new VppStandIn({ interfaces, tables: TABLES_AT_START });
    controller = new StubController(desiredState(1, [FIVE_DEEP]));
    stateDirectory = await mkdtemp(join(tmpdir(), 'waymark-agent-'));
    const settings = { ...TEST_SETTINGS, msd: 'auto' as const, socketPath: standIn.socketPath };
    agent = new NodeAgent({
      nodeId: 'h1',
      controllers: [await controller.listen()],
      bus: null,
      dataPlane: new VppDataPlane(settings, new VppLink(standIn.socketPath, { minBackoffMs: 10 })),
      localSids: [],
      stateDirectory,
      rereadIntervalMs: 3_600_000,
      log: silentLog,
    });
  });
  afterEach(async () => {
    await agent.stop();
    controller.close();
    await standIn.stop();
    await rm(stateDirectory, { recursive: true });
  });

  it('tells the MSD that its interfaces leave, and tells it anew when that changes', async () => {
    await standIn.start();
    await agent.start();
    await vi.waitFor(() => expect(controller.hello).toMatchObject({ dataplane: 'vpp', msdHEncaps: 5 }), WAIT);
    expect(controller.hello).toMatchObject({ encapMode: 'full' });
    await vi.waitFor(() => expect(standIn.route(TEST_TABLE, '10.2.0.1')).toMatchObject({ kind: 'policy' }), WAIT);

    interfaces.push({ name: 'tun0', deviceType: 'TUN' });
    await standIn.restart();
    await vi.waitFor(() => expect(controller.hello).toMatchObject({ msdHEncaps: 4 }), WAIT);
    await vi.waitFor(() => expect(agent.status().failed).toMatchObject([{ policyId: FIVE_DEEP.id }]), WAIT);
    expect(agent.status().failed[0]?.reason).toContain('at most 4');
    expect(standIn.policies).toEqual([]);
  });

  it('begins while VPP is away, says so, and installs and tells its MSD once VPP is there', async () => {
    await agent.start();
    await vi.waitFor(() => expect(controller.hello).toMatchObject({ dataplane: 'vpp', msdHEncaps: 0 }), WAIT);
    await vi.waitFor(() => expect(agent.status().health.error).toContain('VPP cannot be reached'), WAIT);
    await standIn.start();
    await vi.waitFor(() => expect(standIn.route(TEST_TABLE, '10.2.0.1')).toMatchObject({ kind: 'policy' }), WAIT);
    await vi.waitFor(() => expect(controller.hello).toMatchObject({ msdHEncaps: 5 }), WAIT);
    await vi.waitFor(() => expect(agent.status().health.error).toBeNull(), WAIT);
    await vi.waitFor(() => expect(controller.connected).toBe(1), WAIT);
  });

  it('leaves VPP as it is when it stops', async () => {
    await standIn.start();
    await agent.start();
    await vi.waitFor(() => expect(standIn.route(TEST_TABLE, '10.2.0.1')).toMatchObject({ kind: 'policy' }), WAIT);
    await agent.stop();
    expect(standIn.route(TEST_TABLE, '10.2.0.1')).toMatchObject({ kind: 'policy' });
    await vi.waitFor(() => expect(standIn.clients).toEqual([]), WAIT);
  });
});
