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
import { describeFault, partOf, type PlannedFault, type Round } from './plan.js';
import type { Report } from './report.js';
import { inject, type Undo } from './system/inject.js';
import { ChaosSystem } from './system/system.js';
import { Client, type Answer, type Request } from './workload/client.js';
import { Ledger } from './workload/ledger.js';
import { ACCEPTED_OR_REFUSED, Worker } from './workload/worker.js';

export const MADE_BEFORE_BROKEN = 'no list and no steering goes before what replaces it is there';
export const NOBODY_DIES = 'no process ends that was not killed, and each stops in order';
export const LOGS_ARE_CLEAN = 'no log has an error that nothing has dealt with';

/** How long a system that was left in peace may take; it only ends a run that would otherwise hang. */
const SETTLE_MS = 300_000;
/** What has been sabotaged never settles. */
const SABOTAGED_MS = 2_000;

export interface RunOptions {
  readonly seed: number;
  readonly agents: readonly string[];
  readonly rounds: readonly Round[];
  readonly report: Report;
  /** Breaks what is promised, after the last round: then everything is looked at once more. */
  readonly sabotage?: (system: ChaosSystem, observer: Observer) => Promise<void>;
}

/** One run: the system starts, each round breaks it and lets it settle, and it stops. What does not hold is in the report. */
export async function runChaos(options: RunOptions): Promise<void> {
  const { report } = options;
  const random = seeded(options.seed);
  const onDeath = (process: string, why: string): void => report.check(NOBODY_DIES, 1, [`${process}: ${why}`]);
  const system = await ChaosSystem.start({ agents: options.agents, random, onDeath });
  report.say('system    runs');
  const run = new Run(system, await Observer.begin(system.postgres.url), options);
  try {
    for (const round of options.rounds) await run.round(round);
    if (options.sabotage !== undefined) {
      await options.sabotage(system, run.observer);
      await run.look(SABOTAGED_MS);
    }
  } finally {
    const statuses = await system.stop();
    const unhandled = [...system.parts].flatMap(([name, { outputs }]) =>
      outputs.flatMap((output) => unhandledLines(output())).map((line) => `${name}: ${line}`),
    );
    report.check(LOGS_ARE_CLEAN, system.parts.size, unhandled);
    const wrong = [...statuses].filter(([, status]) => status !== 'exit 0');
    report.check(
      NOBODY_DIES,
      statuses.size,
      wrong.map(([name, status]) => `${name} was stopped and ended with ${status}`),
    );
  }
}

class Run {
  readonly observer: Observer;
  readonly #system: ChaosSystem;
  readonly #report: Report;
  readonly #ledger = new Ledger();
  readonly #client: Client;
  readonly #worker: Worker;
  readonly #watch: Watch;
  /** By path: of each life of each agent. */
  readonly #traces = new Map<string, Trace>();

  constructor(system: ChaosSystem, observer: Observer, options: RunOptions) {
    this.observer = observer;
    this.#system = system;
    this.#report = options.report;
    this.#client = new Client(system.headers, (request, answer) => this.#answered(request, answer));
    this.#worker = new Worker({
      client: this.#client,
      ledger: this.#ledger,
      report: options.report,
      agents: options.agents,
      url: (controller) => system.url(controller),
    });
    this.#watch = new Watch(system, this.#client, options.report);
  }

  async round({ number, lengthMs, faults, operations }: Round): Promise<void> {
    this.#report.say(
      `round     ${number}: ${faults.length} faults and ${operations.length} requests in ${lengthMs / 1_000} s`,
    );
    const begunAt = performance.now();
    const over = new AbortController();
    const watching = this.#watch.run(over.signal);
    const working = this.#worker.run(operations, begunAt, over.signal);
    const parts = new Set(faults.map(({ fault }) => partOf(fault)));
    await Promise.all(
      [...parts].map(async (part) => {
        // In turn: what a fault has ended takes its time to come back, and only then can be broken again.
        for (const planned of faults) {
          if (partOf(planned.fault) === part) await this.#inflict(planned, begunAt, lengthMs);
        }
      }),
    );
    await sleep(Math.max(0, begunAt + lengthMs - performance.now()));
    this.#report.say('round     all faults have ended');
    over.abort();
    await Promise.all([watching, working]);
    await this.#worker.settleSource();
    await this.look();
    this.#report.say(`round     ${number} has settled: ${this.#ledger.accepted.length} changes accepted so far`);
  }

  /** Waits until all has settled, and holds it against every invariant. */
  async look(forMs = SETTLE_MS): Promise<void> {
    const { findings, shown } = await settled(
      {
        system: this.#system,
        observer: this.observer,
        client: this.#client,
        ledger: this.#ledger,
        planeOf: (agent) => this.#planeOf(agent),
      },
      forMs,
    );
    for (const { invariant, times, details } of findings) this.#report.check(invariant, times, details);
    checkLeadership(this.#report, await this.observer.leaders(), await this.observer.headendsWritten());
    await checkAudit(this.#report, this.observer, this.#ledger);
    this.#ledger.endRound(shown);
  }

  async #inflict({ atMs, forMs, fault }: PlannedFault, begunAt: number, roundMs: number): Promise<void> {
    await sleep(Math.max(0, begunAt + atMs - performance.now()));
    this.#report.fault(fault.kind, `${describeFault(fault)} for ${forMs} ms`);
    const undo: Undo = await inject(this.#system, fault);
    await sleep(Math.max(0, Math.min(forMs, begunAt + roundMs - performance.now())));
    await undo();
    this.#report.say(`mended    ${describeFault(fault)}`);
  }

  /** Follows the traces of all lives of the agent; the plane is that of the present one. */
  async #planeOf(agent: string): Promise<Plane> {
    const published = publishedOf(await this.observer.desiredWritten(agent));
    const { life } = this.#system.part(`agent-${agent}`);
    let trace = this.#trace(agent, life);
    for (let one = 1; one <= life; one++) {
      trace = this.#trace(agent, one);
      const stepsBefore = trace.steps;
      const broken = await trace.follow(published);
      this.#report.check(MADE_BEFORE_BROKEN, trace.steps - stepsBefore, broken);
    }
    return trace.plane;
  }

  #trace(agent: string, life: number): Trace {
    const path = this.#system.tracePath(agent, life);
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
    this.#report.check(ACCEPTED_OR_REFUSED, 1, details);
  }
}
