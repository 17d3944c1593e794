import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Family, Liveness, type ListLiveness } from '@waymark/agent-protocol';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { formatAddress } from '../dataplane/address.js';
import type { Diamond } from './diamond.js';
import { desiredState, type PolicySketch } from './policies.js';
import { StubController } from './stub-controller.js';

const patience = { timeout: 60_000, interval: 20 };

const R1 = 'fc00:a::1';
const R2 = 'fc00:b::1';

/** Through `r1`; through `r2` when that does not deliver. */
const WITH_STANDBY: PolicySketch = {
  id: 'h1:10:h2',
  ipv4: { lists: [[1, R1, 'fc00:2::d4']], standby: [[1, R2, 'fc00:2::d4']], prefixes: ['10.2.0.0/24'] },
  ipv6: { lists: [[1, R1, 'fc00:2::d6']], standby: [[1, R2, 'fc00:2::d6']], prefixes: ['fd02::/64'] },
};

/** Through both. */
const WEIGHTED: PolicySketch = {
  id: 'h1:10:h2',
  ipv4: {
    lists: [
      [1, R1, 'fc00:2::d4'],
      [3, R2, 'fc00:2::d4'],
    ],
    prefixes: ['10.2.0.0/24'],
  },
  ipv6: {
    lists: [
      [1, R1, 'fc00:2::d6'],
      [3, R2, 'fc00:2::d6'],
    ],
    prefixes: ['fd02::/64'],
  },
};

/** Where an agent with a data plane of some kind is put to the test. */
export interface DeadPathStage {
  readonly diamond: Diamond;
  /** Network namespace to run the agent in. */
  readonly namespace: string;
  /** Settings of its data plane. */
  readonly environment: Readonly<Record<string, string>>;
  /** Fails when the data plane changes meanwhile, where that can be observed. */
  readonly unchangedDuring?: (work: () => Promise<void>) => Promise<void>;
  remove(): Promise<void>;
}

export interface DeadPathSubject {
  readonly name: string;
  readonly skip: string | undefined;
  create(): Promise<DeadPathStage>;
}

/** What an agent must do when a path dies in silence: the real process, real packets, every link staying up. */
export function deadPathContract(subject: DeadPathSubject): void {
  const { name, skip } = subject;
  describe.skipIf(skip !== undefined)(`${name}: a path that dies in silence${skip ? ` (${skip})` : ''}`, () => {
    let stage: DeadPathStage;
    let diamond: Diamond;
    let folder: string;
    let controller: StubController;
    let address: string;
    let agent: ChildProcess | undefined;
    let generation = 0;

    beforeAll(async () => {
      stage = await subject.create();
      diamond = stage.diamond;
      folder = await mkdtemp(join(tmpdir(), 'waymark-dead-path-'));
      await mkdir(join(folder, 'h1'));
      controller = new StubController(desiredState(0, []));
      address = await controller.listen(`unix:${join(folder, 'controller:1')}`);
    });
    afterEach(async () => {
      await stop();
      await diamond.heal('r1').catch(() => undefined);
    });
    afterAll(async () => {
      await stop();
      controller.close();
      await stage.remove();
      await rm(folder, { recursive: true });
    });

    function start(): void {
      const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
      agent = spawn('ip', ['netns', 'exec', stage.namespace, process.execPath, main], {
        env: {
          ...process.env,
          WAYMARK_NODE_ID: 'h1',
          WAYMARK_CONTROLLER: address,
          WAYMARK_DATA_DIR: folder,
          WAYMARK_REREAD_SECONDS: '3600',
          WAYMARK_PROBE_PREFIX: 'fc00:1::/64',
          WAYMARK_PROBE_INTERVAL_MS: '100',
          WAYMARK_PROBE_HOLD_DOWN_SECONDS: '1',
          WAYMARK_STATUS_PORT: '0',
          WAYMARK_LOG_LEVEL: 'error',
          ...stage.environment,
        },
        stdio: ['ignore', 'inherit', 'inherit'],
      });
    }

    async function stop(): Promise<void> {
      const running = agent;
      agent = undefined;
      if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
      const exited = once(running, 'exit');
      running.kill('SIGTERM');
      await exited;
    }

    function want(sketch: PolicySketch): void {
      generation += 1;
      controller.want(desiredState(generation, [sketch]));
    }

    /** What the controller knows of the lists, put together from the reports since the last complete one. */
    function told(): Map<string, ListLiveness> {
      const lists = new Map<string, ListLiveness>();
      for (const report of controller.liveness) {
        if (report.complete) lists.clear();
        for (const list of report.lists) {
          const family = list.family === Family.IPV4 ? 'IPv4' : 'IPv6';
          lists.set(`${family} ${list.sids[0] === undefined ? '' : formatAddress(list.sids[0])}`, list);
        }
      }
      return lists;
    }

    /** Until the controller was told that the lists of both families are so: state of `r1` and `r2`, and which are used. */
    async function untilTold(r1: Liveness, r2: Liveness, used: readonly string[]): Promise<void> {
      await vi.waitFor(() => {
        const lists = told();
        const facts = ['IPv4', 'IPv6'].map((family) => {
          const [a, b] = [lists.get(`${family} ${R1}`), lists.get(`${family} ${R2}`)];
          return [a?.state, b?.state, ...(a?.inUse === true ? ['r1'] : []), ...(b?.inUse === true ? ['r2'] : [])];
        });
        const wanted = [r1, r2, ...used];
        expect(facts).toEqual([wanted, wanted]);
      }, patience);
    }

    /** Whether a stream gets through whole, over which router. */
    async function flow(destination: string) {
      const before = [await diamond.sentTowards('r1'), await diamond.sentTowards('r2')] as const;
      const { sent, arrived } = await diamond.stream(destination, 10, () => new Promise((go) => setTimeout(go, 200)));
      const r1 = (await diamond.sentTowards('r1')) - before[0];
      const r2 = (await diamond.sentTowards('r2')) - before[1];
      return { lost: sent - arrived, over: r1 > r2 ? 'r1' : 'r2' };
    }

    it('takes the standby path by itself, and comes back when the path is healed', async () => {
      want(WITH_STANDBY);
      start();
      await untilTold(Liveness.UP, Liveness.UP, ['r1']);
      for (const destination of ['10.2.0.1', 'fd02::1']) {
        expect(await flow(destination)).toEqual({ lost: 0, over: 'r1' });
      }

      await diamond.cut('r1');
      await untilTold(Liveness.DOWN, Liveness.UP, ['r2']);
      for (const destination of ['10.2.0.1', 'fd02::1']) {
        expect(await flow(destination)).toEqual({ lost: 0, over: 'r2' });
      }
      const dead = told().get(`IPv6 ${R1}`);
      expect(dead?.probesLost).toBeGreaterThanOrEqual(3);
      expect(dead?.probesSent).toBeGreaterThan(dead?.probesLost ?? 0);
      expect(dead?.roundTripMinUs).toBeGreaterThan(0);
      expect(dead?.roundTripMaxUs).toBeGreaterThanOrEqual(dead?.roundTripAvgUs ?? 0);
      // What is installed is what the agent is to hold, wherever packets go.
      const last = controller.acks.at(-1);
      expect(Buffer.from(last?.readBackHash ?? [])).toEqual(Buffer.from(controller.stateHash));

      await diamond.heal('r1');
      await untilTold(Liveness.UP, Liveness.UP, ['r1']);
      expect(await flow('10.2.0.1')).toEqual({ lost: 0, over: 'r1' });
    }, 150_000);

    it('finds a stream its way again while it flows', async () => {
      want(WITH_STANDBY);
      start();
      await untilTold(Liveness.UP, Liveness.UP, ['r1']);
      const { sent, arrived } = await diamond.stream('fd02::1', 10, async () => {
        await diamond.cut('r1');
        await untilTold(Liveness.DOWN, Liveness.UP, ['r2']);
        const before = await diamond.arrivedSoFar();
        await vi.waitFor(async () => expect(await diamond.arrivedSoFar()).toBeGreaterThan(before + 500), patience);
      });
      expect(arrived).toBeLessThan(sent);
    }, 150_000);

    it('takes a dead list out of the weighted set, and in again', async () => {
      want(WEIGHTED);
      start();
      await untilTold(Liveness.UP, Liveness.UP, ['r1', 'r2']);
      await diamond.cut('r1');
      await untilTold(Liveness.DOWN, Liveness.UP, ['r2']);
      for (const destination of ['10.2.0.1', 'fd02::1']) {
        expect(await flow(destination)).toEqual({ lost: 0, over: 'r2' });
      }
      await diamond.heal('r1');
      await untilTold(Liveness.UP, Liveness.UP, ['r1', 'r2']);
      expect((await flow('fd02::1')).lost).toBe(0);
    }, 150_000);

    it('started again, stays off the dead path', async () => {
      want(WITH_STANDBY);
      start();
      await untilTold(Liveness.UP, Liveness.UP, ['r1']);
      await diamond.cut('r1');
      await untilTold(Liveness.DOWN, Liveness.UP, ['r2']);
      await stop();
      controller.liveness.length = 0;
      const restart = async () => {
        start();
        await untilTold(Liveness.DOWN, Liveness.UP, ['r2']);
      };
      await (stage.unchangedDuring === undefined ? restart() : stage.unchangedDuring(restart));
      expect(await flow('fd02::1')).toEqual({ lost: 0, over: 'r2' });
    }, 150_000);

    it('keeps the path that the controller wants when there is no better', async () => {
      want({ id: WITH_STANDBY.id, ipv6: { lists: [[1, R1, 'fc00:2::d6']], prefixes: ['fd02::/64'] } });
      start();
      const state = () => told().get(`IPv6 ${R1}`);
      await vi.waitFor(() => expect(state()?.state).toBe(Liveness.UP), patience);
      await diamond.cut('r1');
      await vi.waitFor(() => expect(state()?.state).toBe(Liveness.DOWN), patience);
      expect(state()?.inUse).toBe(true);
      await diamond.heal('r1');
      expect(await flow('fd02::1')).toEqual({ lost: 0, over: 'r1' });
    }, 150_000);
  });
}
