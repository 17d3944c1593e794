import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Outcome, stateHashOf } from '@waymark/agent-protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { missingNeeds } from '../../../test/require-program.js';
import { LinuxDataPlane } from './dataplane/linux/linux-data-plane.js';
import { LINUX_DEFAULTS } from './dataplane/linux/settings.js';
import type { Shell } from './dataplane/linux/shell.js';
import { NodeAgent, type NodeAgentOptions } from './node-agent.js';
import { StateFile } from './session/state-file.js';
import { countingShell, NetworkNamespace } from './testing/network-namespace.js';
import { desiredState } from './testing/policies.js';
import { silentLog } from './testing/reconciled-agent.js';
import { StubController } from './testing/stub-controller.js';

const skip = missingNeeds({ programs: ['ip', 'sysctl'], root: true });

const DESIRED = desiredState(4, [
  {
    id: 'h1:10:h2',
    ipv4: { lists: [[1, 'fc00:1::1', 'fc00:2::d4']], prefixes: ['10.2.0.0/24'] },
    ipv6: { lists: [[1, 'fc00:1::1', 'fc00:2::d6']], prefixes: ['fd02::/64'] },
  },
]);

describe.skipIf(skip !== undefined)(`a node agent on Linux${skip ? ` (${skip})` : ''}`, () => {
  let namespace: NetworkNamespace;
  let stateDirectory: string;

  beforeEach(async () => {
    namespace = await NetworkNamespace.create();
    stateDirectory = await mkdtemp(join(tmpdir(), 'waymark-agent-'));
  });
  afterEach(async () => {
    await namespace.remove();
    await rm(stateDirectory, { recursive: true });
  });

  function options(controllers: readonly string[], shell: Shell): NodeAgentOptions {
    const dataPlane = new LinuxDataPlane({ ...LINUX_DEFAULTS, manageSysctls: true, ownsLocalSids: true }, shell);
    const localSids = [{ sid: 'fc00:1::d6', behavior: 'End.DT6' }];
    const common = { nodeId: 'h1', bus: null, localSids, rereadIntervalMs: 3_600_000, log: silentLog };
    return { ...common, controllers, dataPlane, stateDirectory };
  }
  const ourRoutes = async () =>
    (await namespace.ip('-4 route show proto 200')) + (await namespace.ip('-6 route show proto 200'));

  it('installs what the controller wants and keeps it when the controller, then the agent, is gone', async () => {
    const controller = new StubController(DESIRED);
    const address = await controller.listen();
    const agent = new NodeAgent(options([address], namespace.shell));
    await agent.start();
    await vi.waitFor(() => expect(controller.acks).not.toHaveLength(0), { timeout: 10_000 });
    expect(controller.hello).toMatchObject({ dataplane: 'linux', msdHEncaps: 55, encapMode: 'reduced' });
    expect(controller.hello?.ownedSids).toMatchObject([{ behavior: 'End.DT6' }]);
    const [ack] = controller.acks;
    expect(ack?.outcomes).toMatchObject([{ policyId: 'h1:10:h2', generation: 4, outcome: Outcome.INSTALLED }]);
    expect(Buffer.from(ack?.readBackHash ?? [])).toEqual(Buffer.from(controller.stateHash));
    const installed = await ourRoutes();
    expect(installed).toContain('10.2.0.0/24');

    controller.close();
    await vi.waitFor(() => expect(agent.status().session.connected).toBe(false), { timeout: 10_000 });
    expect(agent.status().health.error).toBeNull();
    await agent.stop();
    expect(await ourRoutes()).toBe(installed);

    const { shell, writes } = countingShell(namespace.shell);
    const restarted = new NodeAgent(options(['127.0.0.1:1'], shell));
    await restarted.start();
    await vi.waitFor(() => expect(restarted.status().reconciler.policies.installed).toBe(1), { timeout: 10_000 });
    await restarted.stop();
    expect(writes()).toBe(0);
    expect(await ourRoutes()).toBe(installed);
  });

  it('leaves what is there alone while it knows neither a stored state nor a controller', async () => {
    await namespace.ip('-4 route add blackhole 10.9.0.0/24 proto 200 metric 90');
    const agent = new NodeAgent(options(['127.0.0.1:1'], namespace.shell));
    await agent.start();
    await vi.waitFor(() => expect(agent.status().session.connected).toBe(false));
    await agent.stop();
    expect(await ourRoutes()).toContain('blackhole 10.9.0.0/24');
  });

  it('as a process: installs from its stored state, keeps it after SIGTERM, withdraws on request', async () => {
    const stateHash = stateHashOf([...DESIRED.policies].map(([policyId, { body }]) => ({ policyId, body })));
    await new StateFile(join(stateDirectory, 'h1'), 'h1').store({ instance: 'stub', ...DESIRED, stateHash });
    const agent = start();
    await vi.waitFor(async () => expect(await ourRoutes()).toContain('fd02::/64'), { timeout: 20_000, interval: 100 });
    const installed = await ourRoutes();
    agent.kill('SIGTERM');
    expect(await once(agent, 'exit')).toEqual([0, null]);
    expect(await ourRoutes()).toBe(installed);
    expect(await once(start('--withdraw'), 'exit')).toEqual([0, null]);
    expect(await ourRoutes()).toBe('');
  });

  /** The built agent, in the namespace. */
  function start(...args: readonly string[]) {
    const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
    return spawn('ip', ['netns', 'exec', namespace.name, process.execPath, main, ...args], {
      env: {
        ...process.env,
        WAYMARK_NODE_ID: 'h1',
        WAYMARK_CONTROLLER: '127.0.0.1:1',
        WAYMARK_DATAPLANE: 'linux',
        WAYMARK_DATA_DIR: stateDirectory,
        WAYMARK_LINUX_MANAGE_SYSCTLS: 'true',
        WAYMARK_LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  }
});
