import { setTimeout as sleep } from 'node:timers/promises';
import { CONTROLLERS, planOf, type ControllerName, type Round } from '../../chaos/plan.js';
import { ObservedSystem } from '../../chaos/observed-system.js';
import type { Report } from '../../chaos/report.js';
import { AGENTS } from '../../chaos/workload/operation.js';
import { root } from '../../started-system.js';
import { migrationsOf, promisesToRefuse, REFUSES_NEWER } from './older-build.js';
import { Served, SERVED } from './served.js';
import { createSteady, NEVER_WITHDRAWN, withdrawals } from './steady.js';

export const MIGRATED = 'the first newer controller migrates the database';
export const EITHER_LEADS = 'whichever version leads, the others serve';
export const REFUSES = 'an older controller that is started on a database that was migrated refuses';

/** Clients work as long before and after each replacement. */
const WORK_MS = 3_000;
/** More of it than any step takes. */
const PLANNED_MS = 600_000;
const MOST_STEPS = 20;
const POLL_MS = 100;
/** What a controller prints when it does. */
const SERVES = /^API: /m;
/** Ends a run that would otherwise hang. */
const PATIENCE_MS = 120_000;

export interface UpgradeOptions {
  /** Folder of the older build. */
  readonly older: string;
  readonly seed: number;
  readonly report: Report;
}

/**
 * Two controllers and three agents of the older build, and a mesh; then docs/operating.md#upgrade step by step, with clients
 * at work. After each step all must settle, and is held against every invariant of the chaos suite and those of this one.
 */
export async function rollingUpgrade({ older, seed, report }: UpgradeOptions): Promise<void> {
  const agents = AGENTS.slice(0, 3);
  const observed = await ObservedSystem.start({ seed, agents, report, build: older });
  try {
    const steady = await createSteady(observed, agents);
    const rounds = planOf(seed, { rounds: MOST_STEPS, roundMs: PLANNED_MS, agents });
    await new RollingUpgrade(observed, older, agents, steady, rounds).run();
  } finally {
    await observed.stop();
  }
}

class RollingUpgrade {
  readonly #served: Served;
  #steps = 0;

  constructor(
    private readonly observed: ObservedSystem,
    private readonly older: string,
    private readonly agents: readonly string[],
    private readonly steady: ReadonlySet<string>,
    private readonly rounds: readonly Round[],
  ) {
    this.#served = new Served(observed, root);
  }

  async run(): Promise<void> {
    const { agents, older } = this;
    const [canary = ''] = agents.map(partOfAgent);
    await this.#step('everything is of the older build', () => Promise.resolve());
    await this.#step(`${canary} is replaced first`, () => this.#replace(canary, root));
    await this.#step(`${canary} goes back`, () => this.#replace(canary, older));

    const last = await this.#leader();
    const first = CONTROLLERS.find((name) => name !== last) ?? CONTROLLERS[0];
    await this.#step(`${first}, which follows, is replaced`, () => this.#replaceFirst(first));
    await this.#step(`${last}, of the older build, leads no longer`, () => this.#moveLeadership(last));
    await this.#step(`${last} is replaced`, async () => {
      await this.#stop(last);
      await this.#restartOlder(last);
      await this.#start(last, root);
    });
    for (const agent of agents.map(partOfAgent)) {
      await this.#step(`${agent} is replaced`, () => this.#replace(agent, root));
    }
    await this.#step(`${canary} goes back`, () => this.#replace(canary, older));
    await this.#step(`${canary} is replaced again`, () => this.#replace(canary, root));
    this.observed.report.check(SERVED, 1, this.#served.neverTried());
  }

  async #step(what: string, happens: () => Promise<void>): Promise<void> {
    const { report, ledger } = this.observed;
    const { operations = [] } = this.rounds[this.#steps] ?? {};
    this.#steps += 1;
    report.say(`step      ${String(this.#steps)}: ${what}`);
    await this.observed.underWork(operations, async (at) => {
      await at(WORK_MS);
      await happens();
      await sleep(WORK_MS);
    });
    await this.observed.look();
    report.check(NEVER_WITHDRAWN, this.steady.size, await withdrawals(this.observed.observer, this.steady));
    const sessions = await this.#served.look();
    report.say(
      `settled   ${await this.#leader()} leads; ${String(ledger.accepted.length)} changes accepted so far; ${sessions}`,
    );
  }

  async #replace(name: string, build: string): Promise<void> {
    await this.#stop(name);
    await this.#start(name, build);
  }

  /** How an older build ends cannot be changed any more. */
  async #stop(name: string): Promise<void> {
    const part = this.observed.system.part(name);
    const status = await part.stop();
    if (part.build === root) this.observed.checkEnd(name, status);
    else this.observed.report.say(`stopped   ${name} of the older build: ${status}`);
  }

  async #start(name: string, build: string): Promise<void> {
    const part = this.observed.system.part(name);
    part.build = build;
    part.start();
    await part.ready();
  }

  async #replaceFirst(name: ControllerName): Promise<void> {
    await this.#replace(name, root);
    const rows = await this.observed.observer.ask<{ name: string }>('select name from migration');
    const there = new Set(rows.map((row) => row.name));
    const missing = migrationsOf(root).filter((migration) => !there.has(migration));
    const details = missing.map((migration) => `${migration} is missing`);
    this.observed.report.check(MIGRATED, 1, details);
    this.observed.report.say(`migrated  by ${this.#newMigrations().join(', ') || 'nothing: the schema is the same'}`);
  }

  /** An older leader stands still until the newer controller leads, and follows it from then on. */
  async #moveLeadership(name: ControllerName): Promise<void> {
    const part = this.observed.system.part(name);
    this.observed.report.fault('freeze', `freeze ${name} until another leads`);
    part.freeze();
    try {
      await until(async () => (await this.#leader()) !== name);
      this.observed.report.check(EITHER_LEADS, 1, []);
    } catch (error) {
      this.observed.report.check(EITHER_LEADS, 1, [`${name} stands still, and nobody else leads: ${String(error)}`]);
    } finally {
      part.thaw();
    }
  }

  /** A service manager starts the older build once more. */
  async #restartOlder(name: ControllerName): Promise<void> {
    const { report, system } = this.observed;
    if (this.#newMigrations().length === 0 || !promisesToRefuse(this.older)) {
      const why =
        this.#newMigrations().length === 0 ? 'the schema is the same' : 'nor does its guide say that it refuses';
      report.say(`left out  ${name} of the older build is not started on the migrated database: ${why}`);
      return;
    }
    const part = system.part(name);
    const lives = part.outputs.length;
    part.start();
    let output = '';
    await until(() => {
      output = part.outputs
        .slice(lives)
        .map((one) => one())
        .join('');
      return output.includes(REFUSES_NEWER) || SERVES.test(output);
    });
    report.check(REFUSES, 1, SERVES.test(output) ? [`${name} serves`] : []);
    const said = /the database of DATABASE_URL[^"]*/.exec(output)?.[0] ?? 'it serves';
    report.say(`started   ${name} of the older build on the migrated database: ${said}`);
    await part.stop();
  }

  #newMigrations(): readonly string[] {
    const before = new Set(migrationsOf(this.older));
    return migrationsOf(root).filter((name) => !before.has(name));
  }

  async #leader(): Promise<ControllerName> {
    const [row] = await this.observed.observer.ask<{ holder: ControllerName }>('select holder from leader');
    if (row === undefined) throw new Error('nobody has ever led');
    return row.holder;
  }
}

function partOfAgent(agent: string): string {
  return `agent-${agent}`;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('it has not come about in two minutes');
    await sleep(POLL_MS);
  }
}
