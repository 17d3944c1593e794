import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CandidatePathIntent } from '../../apps/controller/src/model/sr-policy.js';
import { LINUX_DEFAULTS } from '@waymark/node-agent';
import { missingNeeds } from '../require-program.js';
import { eventually } from './eventually.js';
import { kernelRoutes } from './kernel-routes.js';
import { LAB_PROGRAMS } from './lab.js';
import { ping } from './probe.js';
import { RouteMonitor } from './route-monitor.js';
import { byDelay, FAMILIES, FASTEST, nameOf, OVER_R2_R7, Stage, WITHOUT_R7 } from './stage.js';

const missing = missingNeeds({ programs: [...LAB_PROGRAMS, 'openssl', 'redis-server'], root: true });
const POLICY = 'worker1:100:worker2';
const OUTAGE_MS = 1500;
const AGENT = String(LINUX_DEFAULTS.protocol);

const byIgp: CandidatePathIntent = { ...byDelay, path: { kind: 'dynamic', metric: 'igp', constraints: {} } };

const title = `packet lab: paths${missing === undefined ? '' : ` (${missing})`}`;

describe.skipIf(missing !== undefined)(title, { timeout: 240_000 }, () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.start({ holdMs: 1000 });
  }, 240_000);

  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.log(stage.waymark.logs());
  });

  afterAll(async () => {
    // A start that failed half-way has removed what it built.
    const started = stage as Stage | undefined;
    console.log(`\n${String(started?.report)}\n`);
    await started?.stop();
  }, 60_000);

  const endSid = (router: string): string => stage.lab.testbed.routers.find(({ id }) => id === router)?.endSid ?? '';

  const explicit = (sids: readonly string[]): CandidatePathIntent => ({
    discriminator: 1,
    preference: 100,
    path: { kind: 'explicit', segmentLists: [{ weight: 1, sids }] },
  });

  it('learns the testbed from a file, its state from the IGP, and lets pods answer each other', async () => {
    await stage.learn();
    const { rest } = stage.waymark;
    expect(await rest.head()).toMatchObject({ routers: 8, hosts: 3, links: stage.lab.testbed.arcs.length });
    await rest.createMesh(stage.mesh(byIgp));
    expect(await stage.waymark.settled()).toHaveLength(6);
    for (const [from, to] of [
      ['master', 'worker1'],
      ['worker1', 'worker2'],
      ['worker2', 'master'],
    ] as const) {
      for (const family of FAMILIES)
        expect(await ping(stage.lab.namespaces, stage.flow(from, to, family), 5000)).toBe(true);
    }
  });

  it('leaves every route of the underlay to the IGP', async () => {
    const { routers, hosts } = stage.lab.testbed;
    for (const { id, locator } of routers) {
      const routes = await kernelRoutes(stage.lab.namespaces, id);
      expect(routes.filter(({ protocol }) => protocol === AGENT)).toEqual([]);
      const towards = new Map(routes.map(({ prefix, protocol }) => [prefix, protocol]));
      for (const other of routers) expect(towards.get(other.locator)).toBe('bird');
      expect(towards.has(locator)).toBe(true);
    }
    for (const { id } of hosts) {
      const own = (await kernelRoutes(stage.lab.namespaces, id)).filter(({ protocol }) => protocol === AGENT);
      // Two families of two pods on each of two other hosts; its own two service SIDs.
      expect(own.filter(({ encap }) => encap === 'seg6')).toHaveLength(8);
      expect(own.filter(({ encap }) => encap === 'seg6local')).toHaveLength(2);
      expect(own).toHaveLength(10);
    }
  });

  it("sends packets along the paper's hand-written lists", async () => {
    const byHand = [
      { headend: 'worker1', endpoint: 'worker2', transport: ['R6', 'R8'], route: ['R3', 'R4', 'R6', 'R8'] },
      { headend: 'worker2', endpoint: 'worker1', transport: ['R4', 'R3'], route: ['R8', 'R6', 'R4', 'R3'] },
      { headend: 'worker2', endpoint: 'master', transport: ['R2', 'R3'], route: ['R8', 'R7', 'R2', 'R3'] },
    ];
    const overrides = byHand.map(({ headend, endpoint, transport }) => ({
      headend,
      endpoint,
      override: { candidatePaths: [explicit(transport.map(endSid))] },
    }));
    await stage.waymark.rest.replaceMesh(stage.mesh(byIgp, overrides));
    await stage.waymark.settled();
    for (const { headend, endpoint, transport, route } of byHand) {
      const { serviceSid, pods } = stage.host(endpoint);
      const installed = await kernelRoutes(stage.lab.namespaces, headend);
      for (const family of FAMILIES) {
        // In the kernel: the list as the paper writes it, the egress node's SID at its end.
        expect(installed.find(({ prefix }) => prefix === pods[0].prefix[family])?.segmentList).toEqual([
          ...transport.map(endSid),
          serviceSid[family],
        ]);
        await stage.expectRoute('by hand', stage.flow(headend, endpoint, family), route);
      }
    }
  });

  it('sends packets along the path of least delay', async () => {
    await stage.waymark.rest.replaceMesh(stage.mesh(byDelay));
    const policies = await stage.waymark.settled();
    const there = policies.find(({ id }) => id === POLICY);
    expect(there?.state).toMatchObject({ status: 'up', compliance: 'constraints-met' });
    expect(there?.state?.lists[0]?.metrics.delayUs).toBe(11_200);
    for (const family of FAMILIES) {
      await stage.expectRoute('least delay', stage.flow('worker1', 'worker2', family), FASTEST);
      await stage.expectRoute('least delay', stage.flow('worker2', 'master', family), FASTEST.toReversed());
    }
  });

  it('sends packets along the shortest path that keeps a bound on delay', async () => {
    // Of the two shortest by the IGP (three links) one takes 13.2 ms, the other 18.2 ms.
    const bounded = (max: number): CandidatePathIntent => ({
      ...byDelay,
      path: { kind: 'dynamic', metric: 'igp', constraints: { bounds: [{ metric: 'delay', max }] } },
    });
    for (const { max, routers } of [
      { max: 14_000, routers: OVER_R2_R7 },
      { max: 12_000, routers: FASTEST },
    ]) {
      await stage.waymark.rest.replaceMesh(stage.mesh(bounded(max)));
      await stage.waymark.settled();
      for (const family of FAMILIES) {
        await stage.expectRoute(`delay <= ${max / 1000} ms`, stage.flow('worker1', 'worker2', family), routers);
      }
    }
  });

  it('sends packets along two paths without a common router between the attachment routers', async () => {
    const { rest } = stage.waymark;
    const answer = await rest.computePaths({
      source: 'worker1',
      destination: 'worker2',
      metric: 'delay',
      constraints: {},
      disjoint: 'node',
    });
    if (answer.status !== 'computed') throw new Error(answer.message);
    const [first, second] = answer.paths;
    if (first === undefined || second === undefined) throw new Error('no pair of paths');
    // What a host with one attachment router must share, and no more.
    const shared = { nodes: [...(answer.shared?.nodes ?? [])].sort(), links: [...(answer.shared?.links ?? [])].sort() };
    expect(shared).toEqual({ nodes: ['R3', 'R8'], links: ['R8:worker2', 'worker1:R3'] });
    stage.report.note(`the disjoint pair shares ${[...shared.nodes, ...shared.links].join(', ')}`);
    // The path of least delay is in no disjoint pair: the best pair avoids it.
    expect([first, second].map(({ nodes }) => nodes.slice(1, -1))).toEqual([OVER_R2_R7, WITHOUT_R7]);

    await rest.replaceMesh(
      stage.mesh(byDelay, [{ headend: 'worker1', endpoint: 'worker2', override: { exclude: true } }]),
    );
    await stage.waymark.settled();
    for (const [index, path] of [first, second].entries()) {
      const { prefix } = stage.host('worker2').pods[index as 0 | 1];
      await rest.createPolicy({
        headend: 'worker1',
        color: 201 + index,
        endpoint: 'worker2',
        steeredPrefixes: [prefix.ipv4, prefix.ipv6],
        candidatePaths: [explicit(path.transport.map(({ sid }) => sid))],
        fallback: 'drop',
      });
    }
    await stage.waymark.settled();
    for (const family of FAMILIES) {
      await stage.expectRoute('disjoint, first', stage.flow('worker1', 'worker2', family, 0), OVER_R2_R7);
      await stage.expectRoute('disjoint, second', stage.flow('worker1', 'worker2', family, 1), WITHOUT_R7);
    }
    for (const color of [201, 202]) await rest.deletePolicy(`worker1:${color}:worker2`);
    await rest.replaceMesh(stage.mesh(byDelay));
    await stage.waymark.settled();
    await stage.moved(POLICY, FASTEST);
  });

  it('loses no packet by re-optimisation, and none when an operator drains a link or a router', async () => {
    const { rest } = stage.waymark;
    const flows = FAMILIES.map((family) => stage.flow('worker1', 'worker2', family));
    const moves: readonly (readonly [string, () => Promise<void>, readonly string[]])[] = [
      ['R6-R7 slower', () => stage.measure({ 'R6:R7': 12_000, 'R7:R6': 12_000 }), OVER_R2_R7],
      ['R2-R7 drained', () => rest.constrainLink('R2:R7', { adminState: 'drained' }), WITHOUT_R7],
      ['R2-R7 undrained', () => rest.constrainLink('R2:R7', { adminState: null }), OVER_R2_R7],
      ['R6-R7 as before', () => stage.measure({ 'R6:R7': 2000, 'R7:R6': 2000 }), FASTEST],
      ['R7 drained', () => rest.constrainNode('R7', { adminState: 'drained' }), WITHOUT_R7],
      ['R7 undrained', () => rest.constrainNode('R7', { adminState: null }), FASTEST],
    ];
    const reports = await stage.underProbes(flows, async () => {
      for (const [scenario, change, routers] of moves) {
        await change();
        await stage.moved(POLICY, routers);
        await stage.expectRouteOfStreams(scenario, 'worker1', 'worker2', routers);
      }
    });
    for (const [index, report] of reports.entries()) {
      const flow = flows[index];
      if (flow === undefined) throw new Error('a report without a stream');
      stage.report.stream({ scenario: `${moves.length} moves`, flow: nameOf(flow), expected: '0 lost', report });
      expect(report).toMatchObject({ lost: 0, duplicates: 0 });
    }
  });

  it('keeps forwarding without controller, agents and Redis, and converges when they are back', async () => {
    const { waymark } = stage;
    const flow = stage.flow('worker1', 'worker2', 'ipv4');
    const [report] = await stage.underProbes([flow], async () => {
      const changes = await RouteMonitor.start(stage.lab.namespaces, 'worker1');
      await waymark.killController();
      await waymark.killAgent('worker1');
      waymark.startAgent('worker1');
      await sleep(OUTAGE_MS);
      const returnedAt = new Date();
      await waymark.startController();
      await waymark.agentsInSync(returnedAt);
      expect(await changes.stop()).toEqual([]);

      await waymark.redis.stop();
      await stage.measure({ 'R6:R7': 12_000, 'R7:R6': 12_000 });
      await stage.moved(POLICY, OVER_R2_R7);
      await waymark.redis.start();
      await stage.measure({ 'R6:R7': 2000, 'R7:R6': 2000 });
      await stage.moved(POLICY, FASTEST);
    });
    if (report === undefined) throw new Error('no report');
    stage.report.stream({ scenario: 'parts killed, restarted', flow: nameOf(flow), expected: '0 lost', report });
    expect(report).toMatchObject({ lost: 0, duplicates: 0 });
    await stage.expectRoute('after restarts', flow, FASTEST);
  });

  it('removes every route when the policies are withdrawn', async () => {
    await stage.waymark.rest.deleteMesh('hosts');
    await eventually(
      'no route into a tunnel on any host',
      () => Promise.all(stage.lab.testbed.hosts.map(({ id }) => kernelRoutes(stage.lab.namespaces, id))),
      (routes) => routes.flat().every(({ encap }) => encap !== 'seg6'),
    );
    for (const family of FAMILIES) {
      expect(await ping(stage.lab.namespaces, stage.flow('worker1', 'worker2', family), 300)).toBe(false);
    }
  });
});
