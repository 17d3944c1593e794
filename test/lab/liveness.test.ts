import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeAgentStatus } from '@waymark/node-agent';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CandidatePathIntent } from '../../apps/controller/src/model/sr-policy.js';
import { missingNeeds } from '../require-program.js';
import { eventually } from './eventually.js';
import { LAB_PROGRAMS } from './lab.js';
import { byDelay, FAMILIES, FASTEST, OVER_R2_R7, Stage } from './stage.js';

const missing = missingNeeds({ programs: [...LAB_PROGRAMS, 'openssl', 'redis-server', 'nft', 'curl'], root: true });
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

  it('sends traffic over the standby while the active path loses it, tells the controller, and returns', async () => {
    const { rest } = stage.waymark;
    const id = 'worker1:100:worker2';
    // The fastest way from R3 to R8 passes R5; without R4 there is the one over R2 and R7.
    const withoutR4: CandidatePathIntent = {
      discriminator: 2,
      preference: 50,
      path: { kind: 'dynamic', metric: 'delay', constraints: { exclude: { nodes: ['R4'] } } },
    };
    const mesh = stage.mesh(byDelay);
    await rest.replaceMesh({ ...mesh, template: { ...mesh.template, candidatePaths: [byDelay, withoutR4] } });
    const policyWith = (liveness: string) =>
      eventually(
        `${id} is ${liveness}`,
        () => rest.policy(id),
        ({ state }) => state?.liveness === liveness && state.standby?.candidatePath === withoutR4.discriminator,
      );
    const healthy = await policyWith('up');
    expect(healthy.state?.lists[0]?.nodes.slice(1, -1)).toEqual(FASTEST);
    expect(healthy.state?.standby?.lists[0]?.nodes.slice(1, -1)).toEqual(OVER_R2_R7);

    await stage.lab.namespaces.run('R5', ['nft', '-f', '-'], SILENT_LOSS);
    const switched = await policyWith('standby');
    // What the controller wants has not changed, and is installed.
    expect(switched.state?.lists[0]?.nodes.slice(1, -1)).toEqual(FASTEST);
    expect(switched.state?.install).toBe('installed');
    expect(switched.state?.candidatePaths.map(({ liveness: found }) => found)).toEqual(['down', 'up']);
    const flows = FAMILIES.map((family) => stage.flow('worker1', 'worker2', family));
    const lost = (await stage.underProbes(flows, () => sleep(500))).map((report) => report.lost);
    expect(lost).toEqual([0, 0]);

    await stage.lab.namespaces.run('R5', ['nft', 'delete', 'table', 'inet', 'loss']);
    await policyWith('up');
  });
});
