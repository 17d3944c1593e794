import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { missingNeeds } from '../../../test/require-program.js';
import type { DesiredState } from './session/ports.js';
import { NetworkNamespace } from './testing/network-namespace.js';
import { desiredState } from './testing/policies.js';
import { RouteMonitor } from './testing/route-monitor.js';
import { StubController } from './testing/stub-controller.js';

const skip = missingNeeds({ programs: ['ip', 'sysctl'], root: true });
const patience = { timeout: 60_000, interval: 20 };

/** One policy of both families, whose segment lists begin with a router of that number. */
function via(router: number, generation: number): DesiredState {
  const first = `fc00:${router}::1`;
  return desiredState(generation, [
    {
      id: 'h1:10:h2',
      ipv4: { lists: [[1, first, 'fc00:2::d4']], prefixes: ['10.2.0.0/24'] },
      ipv6: { lists: [[1, first, 'fc00:2::d6']], prefixes: ['fd02::/64'] },
    },
  ]);
}

describe.skipIf(skip !== undefined)(`a node agent's process on Linux${skip ? ` (${skip})` : ''}`, () => {
  let namespace: NetworkNamespace;
  let folder: string;
  let controller: StubController;
  let address: string;
  let monitor: RouteMonitor;
  let agent: ChildProcess | undefined;

  beforeEach(async () => {
    namespace = await NetworkNamespace.create();
    await namespace.ip('link add eth0 type ifb');
    await namespace.ip('link set eth0 up');
    folder = await mkdtemp(join(tmpdir(), 'waymark-killed-'));
    await mkdir(join(folder, 'h1'));
    controller = new StubController(via(3, 1));
    address = await controller.listen(`unix:${join(folder, 'controller:1')}`);
    monitor = await RouteMonitor.start(namespace);
  });
  afterEach(async () => {
    await kill();
    await monitor.stop();
    controller.close();
    // Its `ip monitor` outlives a killed agent until there is something to tell.
    await namespace.ip('link del eth0');
    await namespace.remove();
    await rm(folder, { recursive: true });
  });

  function start(): void {
    const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
    agent = spawn('ip', ['netns', 'exec', namespace.name, process.execPath, main], {
      env: {
        ...process.env,
        WAYMARK_NODE_ID: 'h1',
        WAYMARK_CONTROLLER: address,
        WAYMARK_DATAPLANE: 'linux',
        WAYMARK_DATA_DIR: folder,
        WAYMARK_LINUX_MANAGE_SYSCTLS: 'true',
        WAYMARK_REREAD_SECONDS: '3600',
        WAYMARK_LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  }

  async function kill(): Promise<void> {
    const running = agent;
    agent = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const exited = once(running, 'exit');
    running.kill('SIGKILL');
    await exited;
  }

  /** Until the agent has told that it holds what the controller wants, all of it read back. */
  async function acknowledged(): Promise<void> {
    controller.acks.length = 0;
    await vi.waitFor(() => {
      const last = controller.acks.at(-1);
      expect(Buffer.from(last?.readBackHash ?? [])).toEqual(Buffer.from(controller.stateHash));
    }, patience);
  }

  const routes = async () =>
    (await namespace.ip('-4 route show proto 200')) + (await namespace.ip('-6 route show proto 200'));

  async function expectRoutesVia(router: number): Promise<void> {
    const held = await routes();
    expect(held.match(/segs 2 \[ \S+/g)).toEqual([`segs 2 [ fc00:${router}::1`, `segs 2 [ fc00:${router}::1`]);
  }

  const moments: Readonly<Record<string, () => Promise<void>>> = {
    'its state file is replaced': () =>
      new Promise((resolve) => {
        const watcher = watch(join(folder, 'h1'), (_, name) => {
          if (name !== 'desired-state') return;
          watcher.close();
          resolve();
        });
      }),
    'its first route is replaced': () => monitor.nextChange(),
    'its ack is sent': () => new Promise((resolve) => (controller.onAck = () => resolve())),
  };

  it.each(Object.keys(moments))(
    'killed when %s, it lets go of no prefix and ends right',
    async (moment) => {
      start();
      await acknowledged();
      await monitor.changesUntilNow();
      for (const generation of [2, 3]) {
        const reached = moments[moment]?.();
        controller.want(via(generation + 2, generation));
        await reached;
        await kill();
        expect((await routes()).match(/encap seg6/g)).toHaveLength(2);
        start();
        await acknowledged();
        await expectRoutesVia(generation + 2);
      }
      const changes = await monitor.changesUntilNow();
      expect(changes.filter((line) => line.startsWith('Deleted'))).toEqual([]);
    },
    150_000,
  );

  it('started again, it is not heard of by the kernel where all is right', async () => {
    start();
    await acknowledged();
    expect((await monitor.changesUntilNow()).length).toBeGreaterThan(0);
    await kill();
    start();
    await acknowledged();
    expect(await monitor.changesUntilNow()).toEqual([]);
    await expectRoutesVia(3);
  }, 150_000);

  it('mends by itself what others break, and leaves alone what they add elsewhere', async () => {
    start();
    await acknowledged();
    const right = await routes();
    const mended = () => vi.waitFor(async () => expect(await routes()).toBe(right), patience);

    await namespace.ip('-4 route del 10.2.0.0/24 proto 200');
    await mended();
    await namespace.ip('-6 route replace blackhole fd02::/64 metric 90 proto 200');
    await mended();
    await namespace.ip('link del waymark0');
    await mended();
    await namespace.ip('-4 route add 10.9.0.0/24 dev eth0 proto static');
    await namespace.ip('link set eth0 down');
    await namespace.ip('link set eth0 up');
    expect(await routes()).toBe(right);

    // Someone else takes the prefix, where it goes first: the agent says so, and takes it back once it is free.
    await namespace.ip('-4 route add 10.2.0.0/24 dev eth0 proto static metric 20');
    await vi.waitFor(() => {
      expect(controller.acks.at(-1)?.outcomes[0]?.reason).toContain('10.2.0.0/24 is held by something');
    }, patience);
    await namespace.ip('-4 route del 10.2.0.0/24 dev eth0 proto static metric 20');
    await vi.waitFor(() => expect(controller.acks.at(-1)?.outcomes[0]).toMatchObject({ reason: '' }), patience);
    expect(await routes()).toBe(right);
  }, 150_000);
});
