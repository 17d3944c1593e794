import type { NodeAgentStatus } from '@waymark/node-agent';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { missingNeeds } from '../require-program.js';
import { eventually } from './eventually.js';
import { LAB_PROGRAMS } from './lab.js';
import { byDelay, Stage } from './stage.js';

const missing = missingNeeds({ programs: [...LAB_PROGRAMS, 'redis-server', 'nft', 'curl'], root: true });
const title = `packet lab: liveness${missing === undefined ? '' : ` (${missing})`}`;

/** A router that forwards as before, but loses what carries an SRH or goes to a host's service SID: no link goes down. */
const SILENT_LOSS = `
add table inet loss
add chain inet loss forward { type filter hook prerouting priority 0; }
add rule inet loss forward ip6 daddr fcdd::/16 drop
add rule inet loss forward exthdr rt exists drop
`;

describe.skipIf(missing !== undefined)(title, { timeout: 240_000 }, () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.start({ holdMs: 1000, probing: true });
  }, 240_000);

  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.log(stage.waymark.logs());
  });

  afterAll(async () => {
    // A start that failed half-way has removed what it built.
    const started = stage as Stage | undefined;
    await started?.stop();
  }, 60_000);

  async function liveness(host: string): Promise<NonNullable<NodeAgentStatus['liveness']>> {
    const text = await stage.lab.namespaces.run(host, ['curl', '-s', 'http://127.0.0.1:9850/status']);
    const status = JSON.parse(text) as NodeAgentStatus;
    if (status.liveness === null) throw new Error(`the agent of ${host} does not probe`);
    return status.liveness;
  }

  it('finds that every list of every host delivers', async () => {
    await stage.learn();
    await stage.waymark.rest.createMesh(stage.mesh(byDelay));
    expect(await stage.waymark.settled()).toHaveLength(6);
    for (const { id } of stage.lab.testbed.hosts) {
      const { lists, perList } = await eventually(
        `all lists of ${id} up`,
        () => liveness(id),
        (found) => found.lists.up === 2 && found.perList.every(({ probesSent }) => probesSent >= 10),
      );
      expect(lists).toEqual({ up: 2, down: 0, unknown: 0 });
      for (const { roundTripAvgUs } of perList) expect(roundTripAvgUs).toBeGreaterThan(0);
    }
  });

  it('finds the lists that lose everything although no link is down, and leaves the others alone', async () => {
    const [master, worker1, worker2] = ['master', 'worker1', 'worker2'] as const;
    // All of worker2's traffic passes R8.
    await stage.lab.namespaces.run('R8', ['nft', '-f', '-'], SILENT_LOSS);
    for (const host of [master, worker1]) {
      const { perList } = await eventually(
        `one list of ${host} down`,
        () => liveness(host),
        (found) => found.lists.down === 1,
      );
      const dead = perList.filter((list) => list.liveness === 'down');
      const { serviceSid } = stage.lab.testbed.hosts.find(({ id }) => id === worker2) ?? {};
      expect(dead.map(({ sids }) => sids.at(-1))).toEqual([serviceSid?.ipv6]);
    }
    await stage.lab.namespaces.run('R8', ['nft', 'delete', 'table', 'inet', 'loss']);
    for (const host of [master, worker1]) {
      await eventually(
        `all lists of ${host} up again`,
        () => liveness(host),
        (found) => found.lists.up === 2,
      );
    }
    // What was wanted was in force all the time.
    expect((await stage.waymark.rest.policies()).every(({ state }) => state?.install === 'installed')).toBe(true);
  });
});
