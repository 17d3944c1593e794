import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bird, BirdControl } from './bird.js';
import { birdConfig, IGP_PROTOCOL } from './bird-config.js';
import { countsBetween, installCounters, readCounters } from './counters.js';
import { parseOspfState, viewOf } from './link-state.js';
import { Namespaces } from './namespaces.js';
import { routesTaken, type ObservedRoute } from './observed-route.js';
import { ProbeStream, type Flow, type ProbeReport } from './probe.js';
import { paperTestbed, type Arc, type Testbed } from './testbed.js';
import { wireUp } from './wiring.js';

/** Programs the lab needs; with root, that is all. */
export const LAB_PROGRAMS = ['ip', 'nft', 'bird'] as const;

const TRACE_PACKETS = 50;
const TRACE_INTERVAL_US = 1000;

/** The testbed, up and converged. */
export class Lab {
  readonly testbed: Testbed;
  readonly namespaces: Namespaces;
  /** For what runs in the lab; removed with it. */
  readonly folder: string;
  readonly #birds = new Map<string, Bird>();

  private constructor(testbed: Testbed, namespaces: Namespaces, folder: string) {
    this.testbed = testbed;
    this.namespaces = namespaces;
    this.folder = folder;
  }

  /** Builds everything and waits until every router knows every other. What a failed start built is removed. */
  static async start(): Promise<Lab> {
    const lab = new Lab(paperTestbed(), new Namespaces(), await mkdtemp(join(tmpdir(), 'wmlab-')));
    try {
      await wireUp(lab.namespaces, lab.testbed);
      await installCounters(lab.namespaces, lab.testbed);
      await Promise.all(lab.testbed.routers.map(({ id }) => lab.startBird(id)));
      await lab.converged();
    } catch (error) {
      await lab.stop();
      throw error;
    }
    return lab;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#birds.values()].map((bird) => bird.stop()));
    await this.namespaces.remove();
    await rm(this.folder, { recursive: true });
  }

  controlSocket(router: string): string {
    return bird(this.#birds, router).controlSocket;
  }

  async startBird(router: string): Promise<void> {
    const spec = this.testbed.routers.find(({ id }) => id === router);
    if (spec === undefined) throw new Error(`no router ${router} in the testbed`);
    this.#birds.set(router, await Bird.start(this.namespaces, router, birdConfig(spec, this.testbed), this.folder));
  }

  /** Until every router's database and SPF hold every router and every link that is not cut. */
  async converged(timeoutMs = 30_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (const { id } of this.testbed.routers) {
      const control = await BirdControl.connect(this.controlSocket(id));
      try {
        while (!(await this.#knowsAll(control))) {
          if (performance.now() > deadline) throw new Error(`the IGP of ${id} did not converge`);
          await sleep(50);
        }
      } finally {
        control.close();
      }
    }
  }

  async #knowsAll(control: BirdControl): Promise<boolean> {
    const view = viewOf(parseOspfState(await control.ask(`show ospf state all ${IGP_PROTOCOL}`)), this.testbed);
    return [...view.links].every(([, metric]) => metric !== null);
  }

  /** Takes both ends of a wire down, as when it is cut: nobody is told. */
  cut(linkId: string): Promise<void> {
    return this.#setWires(this.#wire(linkId), 'down');
  }

  mend(linkId: string): Promise<void> {
    return this.#setWires(this.#wire(linkId), 'up');
  }

  /** Cuts every wire of a router, as when it loses power. */
  isolate(router: string): Promise<void> {
    return this.#setWires(this.#wiresOf(router), 'down');
  }

  rejoin(router: string): Promise<void> {
    return this.#setWires(this.#wiresOf(router), 'up');
  }

  #wire(linkId: string): readonly Arc[] {
    const ends = this.testbed.arcs.filter(({ id, reverseId }) => id === linkId || reverseId === linkId);
    if (ends.length !== 2) throw new Error(`no link ${linkId} in the testbed`);
    return ends;
  }

  #wiresOf(router: string): readonly Arc[] {
    return this.testbed.arcs.filter(({ from, to }) => from === router || to === router);
  }

  async #setWires(ends: readonly Arc[], state: 'up' | 'down'): Promise<void> {
    await Promise.all(
      ends.map(({ from, interfaceName }) => this.namespaces.ip(from, [`link set ${interfaceName} ${state}`])),
    );
  }

  /** Routes of a host that put packets into SRv6 tunnels, as the kernel prints them. */
  async encapsulations(host: string): Promise<readonly string[]> {
    const tables = await Promise.all(
      ['-4', '-6'].map((family) => this.namespaces.run(host, ['ip', family, '-d', 'route', 'show', 'table', 'all'])),
    );
    return tables
      .join('\n')
      .split('\n')
      .filter((line) => / encap seg6 /.test(line));
  }

  /** Sends a few packets and reads from the counters which way they went. No other traffic of the headend may flow. */
  async trace(flow: Flow): Promise<{ readonly routes: readonly ObservedRoute[]; readonly report: ProbeReport }> {
    const headend = flow.from.host;
    const before = await readCounters(this.namespaces, this.testbed, headend);
    const stream = await ProbeStream.start(this.namespaces, flow, TRACE_INTERVAL_US, TRACE_PACKETS);
    const report = await stream.stop();
    const counts = countsBetween(before, await readCounters(this.namespaces, this.testbed, headend));
    return { routes: routesTaken(counts, this.testbed, headend, TRACE_PACKETS / 2), report };
  }
}

function bird(birds: ReadonlyMap<string, Bird>, router: string): Bird {
  const found = birds.get(router);
  if (found === undefined) throw new Error(`no BIRD runs on ${router}`);
  return found;
}
