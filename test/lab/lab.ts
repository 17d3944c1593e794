import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bird, BirdControl } from './bird.js';
import { birdConfig, IGP_PROTOCOL } from './bird-config.js';
import { countsBetween, installCounters, readCounters } from './counters.js';
import { ownName, removeLeftovers } from './leftovers.js';
import { parseOspfState, viewOf } from './link-state.js';
import { Namespaces } from './namespaces.js';
import { routesTaken, type ObservedRoute } from './observed-route.js';
import { ProbeStream, type Flow, type ProbeReport } from './probe.js';
import { paperTestbed, type Testbed } from './testbed.js';
import { Wires } from './wires.js';
import { wireUp } from './wiring.js';

/** Programs the lab needs; with root, that is all. */
export const LAB_PROGRAMS = ['ip', 'nft', 'bird', 'setpriv'] as const;

const TRACE_PACKETS = 50;
const TRACE_INTERVAL_US = 1000;
const POLL_MS = 100;
const IGP_LIMIT_MS = 60_000;
/** Longer than the tick of the IGP, on which routes are computed. */
const SETTLED_MS = 1500;

export interface Trace {
  readonly routes: readonly ObservedRoute[];
  /** Directed links on which anything was counted. */
  readonly links: readonly string[];
}

/** The testbed, up and converged. */
export class Lab {
  readonly testbed: Testbed;
  readonly namespaces: Namespaces;
  /** For what runs in the lab; removed with it. */
  readonly folder: string;
  readonly wires: Wires;
  readonly #birds = new Map<string, Bird>();

  private constructor(testbed: Testbed, namespaces: Namespaces, folder: string) {
    this.testbed = testbed;
    this.namespaces = namespaces;
    this.folder = folder;
    this.wires = new Wires(namespaces, testbed);
  }

  /** Builds everything and waits until every router knows every other. What a failed start built is removed. */
  static async start(): Promise<Lab> {
    await removeLeftovers();
    const lab = new Lab(paperTestbed(), new Namespaces(), await mkdtemp(join(tmpdir(), ownName(''))));
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

  /** Until every router's database and SPF hold every router and every link. */
  async converged(): Promise<void> {
    const complete = (state: string): boolean =>
      [...viewOf(parseOspfState(state), this.testbed).links].every(([, metric]) => metric !== null);
    await this.#untilRouters(
      () => 'the IGP did not converge',
      `show ospf state all ${IGP_PROTOCOL}`,
      (states) => states.every(complete),
    );
  }

  /**
   * Until no router has changed a route for longer than a tick of the IGP. What one router knows of a change, another
   * may still not, and its routes follow what it knows up to a tick later.
   */
  async settled(): Promise<void> {
    let before = new Set<string>();
    const startedAt = performance.now();
    /** What changed, and when, in milliseconds from here on. */
    const changes: string[] = [];
    let since = startedAt;
    const describe = (): string => `the IGP does not settle; what changed:\n${changes.slice(-20).join('\n')}`;
    await this.#untilRouters(describe, `show route protocol ${IGP_PROTOCOL}`, (tables) => {
      const routers = [...this.#birds.keys()];
      const now = new Set(
        tables.flatMap((table, i) => withoutTimes(table).map((line) => `${routers[i] ?? ''}: ${line}`)),
      );
      const differences = [
        ...[...now].filter((line) => !before.has(line)).map((line) => `+ ${line}`),
        ...[...before].filter((line) => !now.has(line)).map((line) => `- ${line}`),
      ];
      if (differences.length > 0) {
        since = performance.now();
        if (before.size > 0) changes.push(`after ${Math.round(since - startedAt)} ms`, ...differences);
      }
      before = now;
      return performance.now() - since > SETTLED_MS;
    });
  }

  /** Asks all routing daemons until their answers satisfy; the limit only ends a test that would hang. */
  async #untilRouters(
    otherwise: () => string,
    command: string,
    satisfied: (answers: readonly string[]) => boolean,
  ): Promise<void> {
    const deadline = performance.now() + IGP_LIMIT_MS;
    const controls = await Promise.all(
      [...this.#birds.values()].map((bird) => BirdControl.connect(bird.controlSocket)),
    );
    try {
      while (!satisfied(await Promise.all(controls.map((control) => control.ask(command))))) {
        if (performance.now() > deadline) throw new Error(otherwise());
        await sleep(POLL_MS);
      }
    } finally {
      for (const control of controls) control.close();
    }
  }

  /**
   * Reads from the counters of every router and host which way the headend's packets go while `work` is under way. One
   * packet is enough to show a way.
   */
  async observe<T>(headend: string, work: () => Promise<T>): Promise<Trace & { readonly result: T }> {
    const before = await readCounters(this.namespaces, this.testbed, headend);
    const result = await work();
    const counts = countsBetween(before, await readCounters(this.namespaces, this.testbed, headend));
    return { routes: routesTaken(counts, this.testbed, headend), links: [...counts.keys()], result };
  }

  /** Sends a few packets and observes them. No other traffic of the headend may flow. */
  async trace(flow: Flow): Promise<Trace & { readonly report: ProbeReport }> {
    const { routes, links, result } = await this.observe(flow.from.host, async () => {
      const stream = await ProbeStream.start(this.namespaces, flow, TRACE_INTERVAL_US, TRACE_PACKETS);
      return stream.stop();
    });
    return { routes, links, report: result };
  }
}

/** Lines of a routing table. BIRD works out anew at each answer when a route came, and may be a millisecond off the last. */
function withoutTimes(table: string): readonly string[] {
  return table.split('\n').map((line) => line.replace(/\d\d:\d\d:\d\d\.\d+/, ''));
}

function bird(birds: ReadonlyMap<string, Bird>, router: string): Bird {
  const found = birds.get(router);
  if (found === undefined) throw new Error(`no BIRD runs on ${router}`);
  return found;
}
