import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from './devices/random.js';
import { checkAudit } from './invariants/audit.js';
import { checkLeadership } from './invariants/leadership.js';
import { unhandledLines } from './invariants/logs.js';
import { Observer } from './invariants/observer.js';
import type { Plane } from './invariants/plane.js';
import { settled } from './invariants/settled.js';
import { publishedOf, Trace } from './invariants/trace.js';
import { Watch } from './invariants/watch.js';
import type { PlannedOperation } from './plan.js';
import type { Report } from './report.js';
import { ChaosSystem } from './system/system.js';
import { Client, type Answer, type Request } from './workload/client.js';
import { Ledger } from './workload/ledger.js';
import { ACCEPTED_OR_REFUSED, Worker } from './workload/worker.js';

export const MADE_BEFORE_BROKEN = 'no list and no steering goes before what replaces it is there';
export const NOBODY_DIES = 'no process ends that was not killed, and each stops in order';
export const LOGS_ARE_CLEAN = 'no log has an error that nothing has dealt with';

/** How long a system that was left in peace may take; it only ends a run that would otherwise hang. */
const SETTLE_MS = 300_000;
/** Of what a process has printed, where it ended as it should not. */
const LAST_CHARACTERS = 1_500;

export interface ObservedOptions {
  readonly seed: number;
  readonly agents: readonly string[];
  readonly report: Report;
  /** Folder of the build that everything is started from. Default: this one. */
  readonly build?: string;
}

/** The whole system, those who work with it, and everything that it is held against. What does not hold is in the report. */
export class ObservedSystem {
  readonly system: ChaosSystem;
  readonly observer: Observer;
  readonly ledger = new Ledger();
  readonly client: Client;
  readonly report: Report;
  readonly #worker: Worker;
  readonly #watch: Watch;
  /** By path: of each life of each agent. */
  readonly #traces = new Map<string, Trace>();

  private constructor(system: ChaosSystem, observer: Observer, { agents, report }: ObservedOptions) {
    this.system = system;
    this.observer = observer;
    this.report = report;
    this.client = new Client(system.headers, (request, answer) => this.#answered(request, answer));
    this.#worker = new Worker({
      client: this.client,
      ledger: this.ledger,
      report,
      agents,
      url: (controller) => system.url(controller),
    });
    this.#watch = new Watch(system, this.client, report);
  }

  static async start(options: ObservedOptions): Promise<ObservedSystem> {
    const { seed, agents, report, build } = options;
    const onDeath = (process: string, why: string): void => report.check(NOBODY_DIES, 1, [`${process}: ${why}`]);
    const system = await ChaosSystem.start({ agents, random: seeded(seed), onDeath, ...(build && { build }) });
    report.say('system    runs');
    return new ObservedSystem(system, await Observer.begin(system.postgres.url), options);
  }

  /** Clients work, and everybody is asked all the time, while this happens to the system; `at` waits for a time of the work. */
  async underWork(
    operations: readonly PlannedOperation[],
    happens: (at: (ms: number) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const begunAt = performance.now();
    const over = new AbortController();
    const watching = this.#watch.run(over.signal);
    const working = this.#worker.run(operations, begunAt, over.signal);
    try {
      await happens((ms) => sleep(Math.max(0, begunAt + ms - performance.now())));
    } finally {
      over.abort();
      await Promise.all([watching, working]);
    }
    await this.#worker.settleSource();
  }

  /** Waits until all has settled, and holds it against every invariant. */
  async look(forMs = SETTLE_MS): Promise<void> {
    const { findings, shown } = await settled(
      {
        system: this.system,
        observer: this.observer,
        client: this.client,
        ledger: this.ledger,
        planeOf: (agent) => this.#planeOf(agent),
      },
      forMs,
    );
    for (const { invariant, times, details } of findings) this.report.check(invariant, times, details);
    checkLeadership(this.report, await this.observer.leaders(), await this.observer.headendsWritten());
    await checkAudit(this.report, this.observer, this.ledger);
    this.ledger.endRound(shown);
  }

  async stop(): Promise<void> {
    const { system, report } = this;
    const statuses = await system.stop();
    for (const [name, status] of statuses) this.checkEnd(name, status);
    const unhandled = [...system.parts].flatMap(([name, { outputs }]) =>
      outputs.flatMap((output) => unhandledLines(output())).map((line) => `${name}: ${line}`),
    );
    report.check(LOGS_ARE_CLEAN, system.parts.size, unhandled);
  }

  /** A process was stopped as an operator does it, and ended so. */
  checkEnd(name: string, status: string): void {
    const output = this.system.part(name).outputs.at(-1)?.() ?? '';
    const why = `${name} was stopped and ended with ${status}: ${output.slice(-LAST_CHARACTERS)}`;
    this.report.check(NOBODY_DIES, 1, status === 'exit 0' ? [] : [why]);
  }

  /** Follows the traces of all lives of the agent; the plane is that of the present one. */
  async #planeOf(agent: string): Promise<Plane> {
    const published = async () => publishedOf(await this.observer.desiredWritten(agent));
    const { life } = this.system.part(`agent-${agent}`);
    let trace = this.#trace(agent, life);
    for (let one = 1; one <= life; one++) {
      trace = this.#trace(agent, one);
      const stepsBefore = trace.steps;
      const broken = await trace.follow(published);
      this.report.check(MADE_BEFORE_BROKEN, trace.steps - stepsBefore, broken);
    }
    return trace.plane;
  }

  #trace(agent: string, life: number): Trace {
    const path = this.system.tracePath(agent, life);
    const trace = this.#traces.get(path) ?? new Trace(path);
    this.#traces.set(path, trace);
    return trace;
  }

  #answered({ method, path }: Request, answer: Answer): void {
    if (answer.kind === 'unknown' || answer.status < 500) return;
    const isDocumented = answer.status === 503 && answer.retryAfter !== null;
    const details = isDocumented
      ? []
      : [`${method} ${path} is answered ${answer.status}: ${JSON.stringify(answer.body)}`];
    this.report.check(ACCEPTED_OR_REFUSED, 1, details);
  }
}
