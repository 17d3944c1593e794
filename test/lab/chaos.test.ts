import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LINUX_DEFAULTS } from '@waymark/node-agent';
import { seeded, type Random } from '../chaos/devices/random.js';
import { SMALL_DISK_PROGRAMS } from '../chaos/devices/small-disk-postgres.js';
import { missingNeeds } from '../require-program.js';
import { Churn } from './churn.js';
import { processFaults, shuffled, surroundingFaults, type Fault } from './control-plane-faults.js';
import { desiredTunnels, installedTunnels } from './desired-routes.js';
import { eventually } from './eventually.js';
import { foreignState, plantForeign } from './foreign.js';
import { kernelRoutes } from './kernel-routes.js';
import { LAB_PROGRAMS } from './lab.js';
import type { Flow } from './probe.js';
import { RouteMonitor } from './route-monitor.js';
import { byDelay, FAMILIES, nameOf, Stage } from './stage.js';

const programs = [...LAB_PROGRAMS, ...SMALL_DISK_PROGRAMS, 'openssl', 'redis-server', 'faketime'];
const missing = missingNeeds({ programs, root: true });
const title = `packet lab: chaos${missing === undefined ? '' : ` (${missing})`}`;

const SEED = Number(process.env['CHAOS_SEED'] ?? 1);
/** In each round every kind of fault strikes once. */
const ROUNDS = Number(process.env['CHAOS_ROUNDS'] ?? 1);
const OUTAGE_MS = 4000 * ROUNDS;
const CONTROLLERS = 2;
/** How long a fault lasts, and how long the part is well before the next one strikes beside it. */
const LASTS_MS = { least: 400, most: 2000 };
const BREAK_MS = 300;
const PROBE_INTERVAL_US = 5000;
const timeout = 300_000 * (1 + ROUNDS);

describe.skipIf(missing !== undefined)(title, { timeout }, () => {
  // What one part draws changes nothing of what another draws, whatever the order in which they come to it.
  const [ofParts, ofChurn, ofProcesses, ofSurroundings] = [1, 2, 3, 4].map((part) => seeded(SEED * 4 + part)) as [
    Random,
    Random,
    Random,
    Random,
  ];
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.start({ holdMs: 1000, shaken: { random: ofParts, controllers: CONTROLLERS } });
    await stage.learn();
    await stage.waymark.rest.createMesh(stage.mesh(byDelay));
    await stage.waymark.settled();
  }, 240_000);

  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.log(stage.waymark.logs());
  });

  afterAll(async () => {
    // A start that failed half-way has removed what it built.
    const started = stage as Stage | undefined;
    console.log(`\nseed ${SEED}, ${ROUNDS} rounds\n${String(started?.report)}\n`);
    await started?.stop();
  }, 120_000);

  /** One fault after the other, each mended before the next. */
  async function suffer(faults: readonly Fault[], random: Random, injected: string[]): Promise<void> {
    for (const { name, strike } of faults) {
      const mend = await strike();
      injected.push(name);
      await sleep(LASTS_MS.least + random() * (LASTS_MS.most - LASTS_MS.least));
      await mend();
      await sleep(BREAK_MS);
    }
  }

  /** Until all is computed and installed, as any controller says; what the kernels hold is what all policies ask for. */
  async function expectDesired(hosts: readonly string[]): Promise<void> {
    const policies = await stage.waymark.settled();
    expect(policies.length).toBeGreaterThanOrEqual(6);
    for (const host of hosts) {
      const wanted = desiredTunnels(policies, host);
      expect(wanted.length).toBeGreaterThanOrEqual(8);
      // What is no longer desired is removed after what replaces it is in place.
      await eventually(
        `the tunnels of ${host}`,
        async () => installedTunnels(await kernelRoutes(stage.lab.namespaces, host)),
        (installed) => installed.join('\n') === wanted.join('\n'),
      );
    }
  }

  /** Between all hosts, in both directions and families, to one pod or the other. */
  function allFlows(hosts: readonly string[]): readonly Flow[] {
    return hosts.flatMap((from, at) =>
      hosts
        .filter((to) => to !== from)
        .flatMap((to) => FAMILIES.map((family, toPod) => stage.flow(from, to, family, ((at + toPod) % 2) as 0 | 1))),
    );
  }

  const monitorAll = (hosts: readonly string[]): Promise<readonly RouteMonitor[]> =>
    Promise.all(hosts.map((host) => RouteMonitor.start(stage.lab.namespaces, host)));

  const changesOf = async (monitors: readonly RouteMonitor[]): Promise<readonly string[]> =>
    (await Promise.all(monitors.map((monitor) => monitor.stop()))).flat();

  /** Everything fails and is mended, one thing after the other on two sides at once, while operators change their minds. */
  async function rounds(hosts: readonly string[]): Promise<void> {
    const { waymark, parts, report } = stage;
    const injected: string[] = [];
    const churn = new Churn(stage, ofChurn);
    churn.start();
    const shaken = { waymark, parts, controllers: CONTROLLERS, hosts };
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all([
        suffer(shuffled(processFaults(shaken, ofProcesses), ofProcesses), ofProcesses, injected),
        suffer(shuffled(surroundingFaults(shaken, ofSurroundings), ofSurroundings), ofSurroundings, injected),
      ]);
    }
    const changes = await churn.stop();
    report.note(`${injected.length} faults: ${injected.join(', ')}`);
    report.note(`changes asked for meanwhile: ${[...changes].map(([kind, count]) => `${count} ${kind}`).join(', ')}`);
  }

  /** Nobody is left but agents, which start anew, one of them with nothing that it knew. */
  async function outage(hosts: readonly string[]): Promise<void> {
    const { waymark, parts, report } = stage;
    // Links that the faults and operators moved are on hold for a time, and policies may move when it ends.
    await eventually(
      'no link on hold',
      () => parts.linksOnHold(),
      (links) => links.length === 0,
    );
    await expectDesired(hosts);
    await waymark.agentsInSync(new Date());
    const monitors = await monitorAll(hosts);
    await Promise.all([waymark.killController(0), waymark.killController(1)]);
    await parts.redis.stop('SIGKILL');
    await parts.postgres.kill();
    await Promise.all(hosts.map((host) => waymark.killAgent(host)));
    await rm(join(waymark.agentFolder, 'worker1'), { recursive: true });
    for (const host of hosts) waymark.startAgent(host);
    await sleep(OUTAGE_MS);
    const changed = await changesOf(monitors);
    expect(changed, changed.join('\n')).toEqual([]);
    report.note(
      `all controllers, Redis and Postgres dead for ${OUTAGE_MS} ms while agents started anew: no route changed`,
    );

    await parts.postgres.restart();
    await parts.redis.start();
    await Promise.all([waymark.startController(0), waymark.startController(1)]);
    await waymark.agentsInSync(new Date());
    await waymark.rest.replaceMesh(stage.mesh(byDelay));
    await expectDesired(hosts);
  }

  it('loses no packet, whatever becomes of the control plane, and has installed all that was asked for', async () => {
    const { lab, report } = stage;
    const hosts = lab.testbed.hosts.map(({ id }) => id);
    for (const host of hosts) await plantForeign(lab.namespaces, host);
    const machines = [...hosts, ...lab.testbed.routers.map(({ id }) => id)];
    const foreign = () => Promise.all(machines.map((node) => foreignState(lab.namespaces, node)));
    const foreignBefore = await foreign();
    const flows = allFlows(hosts);

    const work = async (): Promise<void> => {
      const monitors = await monitorAll(hosts);
      await rounds(hosts);
      const changed = await changesOf(monitors);
      expect(changed.length).toBeGreaterThan(0);
      expect(changed.filter((line) => !line.includes(`proto ${LINUX_DEFAULTS.protocol} `))).toEqual([]);
      await outage(hosts);
    };
    const probed = await stage.underProbes(flows, work, PROBE_INTERVAL_US);

    const sum = (what: 'sent' | 'lost'): number => probed.reduce((total, one) => total + one[what], 0);
    report.note(
      `probes of ${flows.length} flows, one each ${PROBE_INTERVAL_US / 1000} ms: ${sum('sent')} sent, ${sum('lost')} lost`,
    );
    const shown = probed.map(({ lost, duplicates, gaps }, index) => ({
      flow: nameOf(flows[index] as Flow),
      lost,
      duplicates,
      gaps,
    }));
    expect(shown).toEqual(flows.map((flow) => ({ flow: nameOf(flow), lost: 0, duplicates: 0, gaps: [] })));
    expect(await foreign()).toEqual(foreignBefore);
  });
});
