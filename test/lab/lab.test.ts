import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CandidatePathIntent, MeshIntent, SrPolicyView } from '../../apps/controller/src/model/sr-policy.js';
import type { SourceEvent } from '../../apps/controller/src/model/topology.js';
import { createTestDatabase, type TestDatabase } from '../../apps/controller/src/testing/test-database.js';
import { missingNeeds } from '../require-program.js';
import { eventually } from './eventually.js';
import { IgpReader, type Sighting } from './igp-reader.js';
import { Lab, LAB_PROGRAMS } from './lab.js';
import { connectManagement } from './management-network.js';
import { ping, ProbeStream, type Flow } from './probe.js';
import { RouteMonitor } from './route-monitor.js';
import { routeTable, type RouteRow } from './route-table.js';
import type { Family, Host } from './testbed.js';
import { topologyDocument } from './topology-document.js';
import { Waymark } from './waymark.js';

const missing = missingNeeds({ programs: [...LAB_PROGRAMS, 'redis-server'], root: true });
const FAMILIES = ['ipv4', 'ipv6'] as const satisfies readonly Family[];
const HOLD_MS = 1000;
const PROBE_INTERVAL_US = 1000;

/** The controller batches while change follows change (RFC 8405); after this long without one, a failure is the first. */
const QUIET_MS = 3500;

/** By delay, by hops over the north and without R7: the ways from R3 to R8 that the scenarios tell apart. */
const FASTEST = ['R3', 'R4', 'R5', 'R6', 'R7', 'R8'];
const OVER_R2_R7 = ['R3', 'R2', 'R7', 'R8'];
const WITHOUT_R7 = ['R3', 'R4', 'R5', 'R6', 'R8'];

const byDelay: CandidatePathIntent = {
  discriminator: 1,
  preference: 100,
  path: { kind: 'dynamic', metric: 'delay', constraints: {} },
};

const title = `packet lab${missing === undefined ? '' : ` (${missing})`}`;

describe.skipIf(missing !== undefined)(title, { timeout: 90_000 }, () => {
  const rows: RouteRow[] = [];
  const notes: string[] = [];
  let lab: Lab;
  let database: TestDatabase;
  let waymark: Waymark;
  let reader: IgpReader;
  let measurements = 0;

  beforeAll(async () => {
    [lab, database] = await Promise.all([Lab.start(), createTestDatabase()]);
    const { controllerAddress } = await connectManagement(lab.namespaces, lab.testbed);
    waymark = await Waymark.start({
      namespaces: lab.namespaces,
      controllerAddress,
      databaseUrl: database.url,
      hosts: lab.testbed.hosts,
      folder: lab.folder,
      holdMs: HOLD_MS,
    });
    reader = new IgpReader({
      testbed: lab.testbed,
      controlSockets: ['R1', 'R5'].map((router) => lab.controlSocket(router)),
      post: async (batch) => {
        const { outcome } = await waymark.rest.postEvents('igp', batch);
        if (outcome === 'held') notes.push('the IGP source was held');
      },
      intervalMs: 50,
    });
  }, 120_000);

  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.log(waymark.logs());
  });

  afterAll(async () => {
    console.log(`\n${routeTable(rows)}\n\n${notes.join('\n')}\n`);
    // A start that failed half-way leaves the rest undefined.
    const started = { reader, waymark, lab, database } as Partial<{
      reader: IgpReader;
      waymark: Waymark;
      lab: Lab;
      database: TestDatabase;
    }>;
    await started.reader?.stop();
    await started.waymark?.stop();
    await started.lab?.stop();
    await started.database?.drop();
  }, 60_000);

  const host = (id: string): Host => {
    const found = lab.testbed.hosts.find((candidate) => candidate.id === id);
    if (found === undefined) throw new Error(`no host ${id}`);
    return found;
  };
  const endSid = (router: string): string => lab.testbed.routers.find(({ id }) => id === router)?.endSid ?? '';
  const flow = (from: string, to: string, family: Family, toPod: 0 | 1 = 0): Flow => ({
    from: host(from).pods[0],
    to: host(to).pods[toPod],
    family,
  });
  const policyId = (headend: string, color: number, endpoint: string): string => `${headend}:${color}:${endpoint}`;

  /** Sends packets, adds a line to the table and holds the observed route against the expected one. */
  const expectRoute = async (scenario: string, traced: Flow, routers: readonly string[]): Promise<void> => {
    const { routes, report } = await lab.trace(traced);
    const expected = [traced.from.host, ...routers, traced.to.host];
    const observed = routes.map(({ nodes }) => nodes.join(' '));
    rows.push({
      scenario,
      flow: `${traced.from.id} > ${traced.to.id} ${traced.family}`,
      expected: expected.join(' '),
      observed: observed.join(' and '),
      packets: `${report.received}/${report.sent}`,
    });
    expect(observed).toEqual([expected.join(' ')]);
    expect(report.lost).toBe(0);
  };

  const measure = async (delays: Readonly<Record<string, number>>): Promise<void> => {
    const events = Object.entries(delays).map(([link, delayUs]): SourceEvent => ({
      kind: 'link-measurement',
      link,
      delayUs,
    }));
    await waymark.rest.postEvents('delay', { sequence: ++measurements, full: false, events });
  };

  const mesh = (candidatePath: CandidatePathIntent, overrides: MeshIntent['overrides'] = []): MeshIntent => ({
    id: 'hosts',
    color: 100,
    selector: { all: true },
    template: { candidatePaths: [candidatePath], fallback: 'shortest-path' },
    overrides,
  });

  const explicit = (routers: readonly string[]): CandidatePathIntent => ({
    discriminator: 1,
    preference: 100,
    path: { kind: 'explicit', segmentLists: [{ weight: 1, sids: routers.map(endSid) }] },
  });

  /** What the IGP has told since then. */
  const sightings = (since: number): readonly Sighting[] => reader.sightings.filter(({ seenAtMs }) => seenAtMs > since);

  const routersOf = (policy: SrPolicyView): readonly string[] => policy.state?.lists[0]?.nodes.slice(1, -1) ?? [];

  /** Until the policy takes these routers, as its agent has read back. */
  const moved = (id: string, routers: readonly string[]): Promise<SrPolicyView> =>
    eventually(
      `${id} over ${routers.join(' ')}`,
      () => waymark.rest.policy(id),
      (policy) => routersOf(policy).join() === routers.join() && policy.state?.install === 'installed',
    );

  it('learns the testbed from a file, its state from the IGP, and lets pods answer each other', async () => {
    const imported = await waymark.rest.importTopology('testbed', topologyDocument(lab.testbed));
    expect(imported).toMatchObject({ changed: true, planned: { locators: 0, sids: 0 } });
    reader.start();
    await eventually(
      'the IGP reported',
      () => Promise.resolve(reader.sightings.length),
      (batches) => batches > 0,
    );
    expect(await waymark.rest.head()).toMatchObject({ routers: 8, hosts: 3, links: lab.testbed.arcs.length });

    await waymark.rest.createMesh(mesh({ ...byDelay, path: { kind: 'dynamic', metric: 'igp', constraints: {} } }));
    expect(await waymark.settled()).toHaveLength(6);
    for (const [from, to] of [
      ['master', 'worker1'],
      ['worker1', 'worker2'],
      ['worker2', 'master'],
    ] as const) {
      for (const family of FAMILIES) expect(await ping(lab.namespaces, flow(from, to, family), 5000)).toBe(true);
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
      override: { candidatePaths: [explicit(transport)] },
    }));
    await waymark.rest.replaceMesh(
      mesh({ ...byDelay, path: { kind: 'dynamic', metric: 'igp', constraints: {} } }, overrides),
    );
    await waymark.settled();
    for (const { headend, endpoint, route } of byHand) {
      for (const family of FAMILIES) await expectRoute('by hand', flow(headend, endpoint, family), route);
    }
  });

  it('sends packets along the path of least delay', async () => {
    await measure(Object.fromEntries(lab.testbed.arcs.map(({ id, delayUs }) => [id, delayUs])));
    await waymark.rest.replaceMesh(mesh(byDelay));
    const policies = await waymark.settled();
    const there = policies.find(({ id }) => id === policyId('worker1', 100, 'worker2'));
    expect(there?.state).toMatchObject({ status: 'up', compliance: 'constraints-met' });
    expect(there?.state?.lists[0]?.metrics.delayUs).toBe(11_200);
    for (const family of FAMILIES) {
      await expectRoute('least delay', flow('worker1', 'worker2', family), FASTEST);
      await expectRoute('least delay', flow('worker2', 'master', family), FASTEST.toReversed());
    }
  });

  it('sends packets along two paths without a common router between the attachment routers', async () => {
    const answer = await waymark.rest.computePaths({
      source: 'worker1',
      destination: 'worker2',
      metric: 'delay',
      constraints: {},
      disjoint: 'node',
    });
    if (answer.status !== 'computed') throw new Error(answer.message);
    const [first, second] = answer.paths;
    if (first === undefined || second === undefined) throw new Error('no pair of paths');
    expect(answer.shared?.nodes).toEqual(expect.arrayContaining(['R3', 'R8']));
    expect(answer.shared?.links).toEqual(expect.arrayContaining(['worker1:R3', 'R8:worker2']));
    notes.push(`disjoint pair shares: ${[...(answer.shared?.nodes ?? []), ...(answer.shared?.links ?? [])].join(' ')}`);
    // The path of least delay is in no disjoint pair: the best pair avoids it.
    expect([first, second].map(({ nodes }) => nodes.slice(1, -1))).toEqual([OVER_R2_R7, WITHOUT_R7]);

    await waymark.rest.replaceMesh(
      mesh(byDelay, [{ headend: 'worker1', endpoint: 'worker2', override: { exclude: true } }]),
    );
    await waymark.settled();
    for (const [index, path] of [first, second].entries()) {
      const { prefix } = host('worker2').pods[index as 0 | 1];
      await waymark.rest.createPolicy({
        headend: 'worker1',
        color: 201 + index,
        endpoint: 'worker2',
        steeredPrefixes: [prefix.ipv4, prefix.ipv6],
        candidatePaths: [
          {
            discriminator: 1,
            preference: 100,
            path: { kind: 'explicit', segmentLists: [{ weight: 1, sids: path.transport.map(({ sid }) => sid) }] },
          },
        ],
        fallback: 'drop',
      });
    }
    await waymark.settled();
    for (const family of FAMILIES) {
      await expectRoute('disjoint, first', flow('worker1', 'worker2', family, 0), OVER_R2_R7);
      await expectRoute('disjoint, second', flow('worker1', 'worker2', family, 1), WITHOUT_R7);
    }
    for (const color of [201, 202]) await waymark.rest.deletePolicy(policyId('worker1', color, 'worker2'));
    await waymark.rest.replaceMesh(mesh(byDelay));
    await waymark.settled();
    await moved(policyId('worker1', 100, 'worker2'), FASTEST);
  });

  it('moves traffic when a wire is cut, and back when it has returned for long enough', async () => {
    const id = policyId('worker1', 100, 'worker2');
    const stream = await ProbeStream.start(lab.namespaces, flow('worker1', 'worker2', 'ipv4'), PROBE_INTERVAL_US);
    await sleep(QUIET_MS);
    const cutAt = performance.now();
    await lab.cut('R6:R7');
    const policy = await moved(id, OVER_R2_R7);
    const movedAt = performance.now();
    await sleep(300);
    const report = await stream.stop();
    notes.push(
      `cut of R6:R7: the IGP told the reader after ${ms((sightings(cutAt)[0]?.seenAtMs ?? NaN) - cutAt)}, ` +
        `installed after ${ms(movedAt - cutAt)} (event to installed ${policy.state?.eventToInstalledMs ?? '?'} ms), ` +
        `lost ${report.lost} of ${report.sent} probes, longest hole ${longestGap(report.gaps)}`,
    );
    // The controller knew from the IGP, and only from there.
    const heardOfCut = sightings(cutAt).flatMap(({ batch }) => batch.events);
    expect(heardOfCut).toContainEqual({ kind: 'link-state', link: 'R6:R7', state: 'down' });
    for (const family of FAMILIES) await expectRoute('R6:R7 cut', flow('worker1', 'worker2', family), OVER_R2_R7);

    const back = await ProbeStream.start(lab.namespaces, flow('worker1', 'worker2', 'ipv4'), PROBE_INTERVAL_US);
    const mendedAt = performance.now();
    await lab.mend('R6:R7');
    await moved(id, FASTEST);
    const usedAt = performance.now();
    await sleep(300);
    const backReport = await back.stop();
    const heardAt = sightings(mendedAt).at(-1)?.seenAtMs ?? NaN;
    notes.push(
      `return of R6:R7: the IGP told the reader after ${ms(heardAt - mendedAt)}, in use after ${ms(usedAt - mendedAt)} ` +
        `(hold ${HOLD_MS} ms), lost ${backReport.lost} of ${backReport.sent} probes`,
    );
    expect(usedAt - heardAt).toBeGreaterThanOrEqual(HOLD_MS);
    for (const family of FAMILIES) await expectRoute('R6:R7 back', flow('worker1', 'worker2', family), FASTEST);
  });

  it('moves traffic around a router that lost power', async () => {
    const id = policyId('worker1', 100, 'worker2');
    const stream = await ProbeStream.start(lab.namespaces, flow('worker1', 'worker2', 'ipv6'), PROBE_INTERVAL_US);
    await sleep(QUIET_MS);
    const isolatedAt = performance.now();
    await lab.isolate('R7');
    await moved(id, WITHOUT_R7);
    const movedAt = performance.now();
    const report = await stream.stop();
    notes.push(
      `R7 without power: installed after ${ms(movedAt - isolatedAt)}, lost ${report.lost} of ${report.sent} probes, ` +
        `longest hole ${longestGap(report.gaps)}`,
    );
    for (const family of FAMILIES) await expectRoute('R7 down', flow('worker1', 'worker2', family), WITHOUT_R7);
    await lab.rejoin('R7');
    await moved(id, FASTEST);
  });

  it('loses no packet by re-optimisation', async () => {
    const id = policyId('worker1', 100, 'worker2');
    const streams = await Promise.all(
      FAMILIES.map((family) =>
        ProbeStream.start(lab.namespaces, flow('worker1', 'worker2', family), PROBE_INTERVAL_US),
      ),
    );
    await sleep(300);
    await measure({ 'R6:R7': 12_000, 'R7:R6': 12_000 });
    await moved(id, OVER_R2_R7);
    await waymark.rest.constrainLink('R2:R7', { adminState: 'drained' });
    await moved(id, WITHOUT_R7);
    await waymark.rest.constrainLink('R2:R7', { adminState: null });
    await measure({ 'R6:R7': 2000, 'R7:R6': 2000 });
    await moved(id, FASTEST);
    await sleep(300);
    const reports = await Promise.all(streams.map((stream) => stream.stop()));
    const sent = reports.reduce((sum, report) => sum + report.sent, 0);
    notes.push(`re-optimisation, three moves: lost ${reports.map(({ lost }) => lost).join(' + ')} of ${sent} probes`);
    expect(reports.map(({ lost, duplicates }) => ({ lost, duplicates }))).toEqual(
      FAMILIES.map(() => ({ lost: 0, duplicates: 0 })),
    );
  });

  it('keeps forwarding without controller, agents and Redis, and converges when they are back', async () => {
    const id = policyId('worker1', 100, 'worker2');
    const stream = await ProbeStream.start(lab.namespaces, flow('worker1', 'worker2', 'ipv4'), PROBE_INTERVAL_US);
    const changes = await RouteMonitor.start(lab.namespaces, 'worker1');
    await waymark.killController();
    await waymark.killAgent('worker1');
    waymark.startAgent('worker1');
    await sleep(1500);
    await waymark.startController();
    await waymark.agentsInSync();
    expect(await changes.stop()).toEqual([]);

    await waymark.redis.stop();
    await measure({ 'R6:R7': 12_000, 'R7:R6': 12_000 });
    await moved(id, OVER_R2_R7);
    await waymark.redis.restart();
    await measure({ 'R6:R7': 2000, 'R7:R6': 2000 });
    await moved(id, FASTEST);
    const report = await stream.stop();
    notes.push(`controller and agent killed, Redis restarted: lost ${report.lost} of ${report.sent} probes`);
    expect(report.lost).toBe(0);
    await expectRoute('after restarts', flow('worker1', 'worker2', 'ipv4'), FASTEST);
  });

  it('removes every route when the policies are withdrawn', async () => {
    await waymark.rest.deleteMesh('hosts');
    await eventually(
      'no encapsulation route on any host',
      () => Promise.all(lab.testbed.hosts.map(({ id }) => lab.encapsulations(id))),
      (routes) => routes.flat().length === 0,
    );
    for (const family of FAMILIES) {
      expect(await ping(lab.namespaces, flow('worker1', 'worker2', family), 300)).toBe(false);
    }
  });
});

function ms(milliseconds: number): string {
  return `${Math.round(milliseconds)} ms`;
}

function longestGap(gaps: readonly { readonly us: number }[]): string {
  return ms(Math.max(0, ...gaps.map(({ us }) => us)) / 1000);
}
