import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { CandidatePathIntent, MeshIntent, SrPolicyView } from '../../apps/controller/src/model/sr-policy.js';
import type { SourceEvent } from '../../apps/controller/src/model/topology.js';
import { createTestDatabase } from '../../apps/controller/src/testing/test-database.js';
import { eventually } from './eventually.js';
import { IgpReader, type Sighting } from './igp-reader.js';
import { Lab } from './lab.js';
import { connectManagement } from './management-network.js';
import { ProbeStream, type Flow, type ProbeReport } from './probe.js';
import type { Random } from '../chaos/devices/random.js';
import { Report } from './report.js';
import { ShakenParts } from './shaken-parts.js';
import { writeKubernetesConfig, type DataCentre } from './data-centre.js';
import { underlayOf, type Family, type Host, type Testbed } from './testbed.js';
import { topologyDocument } from './topology-document.js';
import { Waymark } from './waymark.js';

export const FAMILIES = ['ipv4', 'ipv6'] as const satisfies readonly Family[];
/** A policy that minimises delay; with delays measured. */
export const byDelay: CandidatePathIntent = {
  discriminator: 1,
  preference: 100,
  path: { kind: 'dynamic', metric: 'delay', constraints: {} },
};
/** From R3 to R8: the way of least delay (11 ms) and those that are left when a part of it is missing. */
export const FASTEST = ['R3', 'R4', 'R5', 'R6', 'R7', 'R8'];
export const OVER_R2_R7 = ['R3', 'R2', 'R7', 'R8'];
export const WITHOUT_R7 = ['R3', 'R4', 'R5', 'R6', 'R8'];

const PROBE_INTERVAL_US = 1000;
/** What a stream still carries after the last change under it. */
const TAIL_MS = 300;
const OBSERVED_MS = 200;

/** The lab with Waymark in it, and what the suites do and expect there. */
export class Stage {
  readonly lab: Lab;
  readonly waymark: Waymark;
  readonly reader: IgpReader;
  readonly report: Report;
  readonly #parts: ShakenParts | undefined;
  /** What is told to Waymark from a file and by the IGP. */
  readonly #declared: Testbed;
  readonly #closing: (() => Promise<void>)[];
  #measurements = 0;

  private constructor(
    parts: {
      readonly lab: Lab;
      readonly waymark: Waymark;
      readonly reader: IgpReader;
      readonly report: Report;
      readonly declared: Testbed;
      readonly shaken: ShakenParts | undefined;
    },
    closing: (() => Promise<void>)[],
  ) {
    this.lab = parts.lab;
    this.waymark = parts.waymark;
    this.reader = parts.reader;
    this.report = parts.report;
    this.#parts = parts.shaken;
    this.#declared = parts.declared;
    this.#closing = closing;
  }

  /**
   * Builds the testbed and starts Waymark, which knows nothing yet. With data centres, it hears of hosts from their clusters
   * only. To be shaken, it gets several controllers, and everything that can be broken in it. What a failed start built is
   * removed.
   */
  static async start(options: {
    readonly holdMs: number;
    readonly probing?: boolean;
    readonly dataCentres?: readonly DataCentre[];
    readonly shaken?: { readonly random: Random; readonly controllers: number };
  }): Promise<Stage> {
    const { holdMs, probing = false, dataCentres = [], shaken } = options;
    const closing: (() => Promise<void>)[] = [];
    try {
      const lab = await Lab.start();
      closing.push(() => lab.stop());
      const { controllerAddress } = await connectManagement(lab.namespaces, lab.testbed);
      const parts =
        shaken && (await ShakenParts.start({ address: controllerAddress, folder: lab.folder, random: shaken.random }));
      if (parts !== undefined) closing.push(() => parts.stop());
      const waymark = await Waymark.start({
        namespaces: lab.namespaces,
        controllerAddress,
        ...(parts?.options() ?? { databaseUrl: await testDatabase(closing) }),
        ...(shaken !== undefined && { controllers: shaken.controllers }),
        hosts: lab.testbed.hosts,
        folder: lab.folder,
        ...{ holdMs, probing },
        ...(dataCentres.length > 0 && { kubernetes: await writeKubernetesConfig(dataCentres, lab.folder) }),
      });
      closing.push(() => waymark.stop());
      const report = new Report();
      const declared = dataCentres.length > 0 ? underlayOf(lab.testbed) : lab.testbed;
      const reader = new IgpReader({
        testbed: declared,
        controlSockets: ['R1', 'R5'].map((router) => lab.controlSocket(router)),
        post: async (batch) => {
          const { outcome } = await waymark.rest.postEvents('igp', batch);
          if (outcome === 'held') report.note('the IGP source was held');
        },
        intervalMs: 50,
      });
      closing.push(() => reader.stop());
      return new Stage({ lab, waymark, reader, report, declared, shaken: parts }, closing);
    } catch (error) {
      await closeAll(closing);
      throw error;
    }
  }

  async stop(): Promise<void> {
    await closeAll(this.#closing);
  }

  /** What can be broken. Throws when it was not asked for. */
  get parts(): ShakenParts {
    if (this.#parts === undefined) throw new Error('this stage is not shaken');
    return this.#parts;
  }

  /** Loads the testbed from a file and its state from the IGP, then every delay from measurements. */
  async learn(): Promise<void> {
    const imported = await this.waymark.rest.importTopology('testbed', topologyDocument(this.#declared));
    expect(imported).toMatchObject({ changed: true, planned: { locators: 0, sids: 0 } });
    this.reader.start();
    await eventually(
      'the IGP reported',
      () => Promise.resolve(this.reader.sightings.length),
      (batches) => batches > 0,
    );
    await this.measure(Object.fromEntries(this.#declared.arcs.map(({ id, delayUs }) => [id, delayUs])));
  }

  /** One measurement per directed link, in microseconds, as a probe of the operator would post them. */
  async measure(delays: Readonly<Record<string, number>>): Promise<void> {
    const events = Object.entries(delays).map(([link, delayUs]): SourceEvent => ({
      kind: 'link-measurement',
      link,
      delayUs,
    }));
    await this.waymark.rest.postEvents('delay', { sequence: ++this.#measurements, full: false, events });
  }

  host(id: string): Host {
    const found = this.lab.testbed.hosts.find((candidate) => candidate.id === id);
    if (found === undefined) throw new Error(`no host ${id}`);
    return found;
  }

  flow(from: string, to: string, family: Family, toPod: 0 | 1 = 0): Flow {
    return { from: this.host(from).pods[0], to: this.host(to).pods[toPod], family };
  }

  mesh(candidatePath: CandidatePathIntent, overrides: MeshIntent['overrides'] = []): MeshIntent {
    return {
      id: 'hosts',
      color: 100,
      selector: { all: true },
      template: { candidatePaths: [candidatePath], fallback: 'shortest-path' },
      overrides,
    };
  }

  /** Until the policy takes these routers, as its agent has read back. */
  moved(id: string, routers: readonly string[]): Promise<SrPolicyView> {
    return eventually(
      `${id} over ${routers.join(' ')}`,
      () => this.waymark.rest.policy(id),
      ({ state }) =>
        state?.lists.map(({ nodes }) => nodes.slice(1, -1).join()).join(' and ') === routers.join() &&
        state.install === 'installed',
    );
  }

  /** What the IGP has told since then. */
  sightings(since: number): readonly Sighting[] {
    return this.reader.sightings.filter(({ seenAtMs }) => seenAtMs > since);
  }

  /**
   * Sends packets, adds a line to the table and holds the observed route against the expected one: each link of it
   * counted every packet, and no other link any. Of several ways, equally short, the flow takes any one. Nothing else may flow
   * from that host.
   */
  async expectRoute(scenario: string, flow: Flow, ...ways: readonly (readonly string[])[]): Promise<void> {
    const { routes, links, report } = await this.lab.trace(flow);
    const possible = ways.map((routers) => [flow.from.host, ...routers, flow.to.host]);
    const expected = possible.find((nodes) => nodes.join() === routes[0]?.nodes.join()) ?? possible[0] ?? [];
    this.report.route({
      scenario,
      flow: nameOf(flow),
      expected: [expected],
      observed: routes,
      received: `${report.received}/${report.sent}`,
    });
    expect(routes).toEqual([
      { nodes: expected, links: linksOf(expected), packets: { min: report.sent, max: report.sent } },
    ]);
    expect([...links].sort()).toEqual([...linksOf(expected)].sort());
    expect(report.lost).toBe(0);
  }

  /** The same for what probe streams between two hosts send at this moment: they take all of these ways, and no other. */
  async expectRouteOfStreams(
    scenario: string,
    from: string,
    to: string,
    ...ways: readonly (readonly string[])[]
  ): Promise<void> {
    const { routes, links } = await this.lab.observe(from, () => sleep(OBSERVED_MS));
    const expected = ways.map((routers) => [from, ...routers, to]);
    this.report.route({ scenario, flow: 'the streams', expected, observed: routes, received: '-' });
    expect(routes.map(({ nodes }) => nodes.join(' ')).sort()).toEqual(expected.map((nodes) => nodes.join(' ')).sort());
    expect([...links].sort()).toEqual([...new Set(expected.flatMap(linksOf))].sort());
  }

  /** A datagram per millisecond (or interval) on each flow while `work` is under way and a little longer. */
  async underProbes(
    flows: readonly Flow[],
    work: () => Promise<void>,
    intervalUs = PROBE_INTERVAL_US,
  ): Promise<readonly ProbeReport[]> {
    const streams = await Promise.all(flows.map((flow) => ProbeStream.start(this.lab.namespaces, flow, intervalUs)));
    try {
      await sleep(TAIL_MS);
      await work();
      await sleep(TAIL_MS);
    } catch (error) {
      // No stream may flow into the tests that follow.
      await Promise.all(streams.map((stream) => stream.stop()));
      throw error;
    }
    return Promise.all(streams.map((stream) => stream.stop()));
  }
}

/** A database of this stage's own on the server of the test run. */
async function testDatabase(closing: (() => Promise<void>)[]): Promise<string> {
  const database = await createTestDatabase();
  closing.push(() => database.drop());
  return database.url;
}

/** Directed links along nodes; their ids are made of the nodes'. */
function linksOf(nodes: readonly string[]): readonly string[] {
  return nodes.slice(1).map((node, index) => `${nodes[index] ?? ''}:${node}`);
}

export function nameOf({ from, to, family }: Flow): string {
  return `${from.id} > ${to.id} ${family}`;
}

/** Last opened, first closed, each whatever became of the others. */
async function closeAll(closing: (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (let close = closing.pop(); close !== undefined; close = closing.pop()) {
    await close().catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw new AggregateError(failures, `not everything could be closed: ${String(failures[0])}`);
}
