import { setTimeout as sleep } from 'node:timers/promises';
import type { ControllerName } from '../plan.js';
import { CONTROLLERS } from '../plan.js';
import type { Report } from '../report.js';
import type { ChaosSystem } from '../system/system.js';
import type { Client } from '../workload/client.js';
import { readStatus } from './agent-status.js';

export const NEVER_BACK = 'what an agent has accepted, and what a controller shows, never goes back';

const PERIOD_MS = 400;

/** Asks agents and controllers all the time, whatever happens to them, and remembers what they said before. */
export class Watch {
  readonly #system: ChaosSystem;
  readonly #client: Client;
  readonly #report: Report;
  readonly #accepted = new Map<string, { readonly epoch: number; readonly generation: number }>();
  readonly #heads = new Map<ControllerName, { readonly revision: number; readonly computedThrough: number }>();

  constructor(system: ChaosSystem, client: Client, report: Report) {
    this.#system = system;
    this.#client = client;
    this.#report = report;
  }

  async run(signal: AbortSignal): Promise<void> {
    const all = [
      ...this.#system.agents.map((agent) => () => this.#askAgent(agent)),
      ...CONTROLLERS.map((name) => () => this.#askController(name)),
    ];
    await Promise.all(
      all.map(async (ask) => {
        while (!signal.aborted) {
          await ask();
          await sleep(PERIOD_MS);
        }
      }),
    );
  }

  async #askAgent(agent: string): Promise<void> {
    // It may be killed or stopped at this moment, which is no news.
    const status = await readStatus(this.#system.statusUrl(agent)).catch(() => undefined);
    if (status === undefined) return;
    const { epoch, generation } = status.session;
    const before = this.#accepted.get(agent);
    // Of a life that has not read its state file yet nothing is known.
    if (generation === 0) return;
    this.#accepted.set(agent, { epoch, generation });
    const isBack = before !== undefined && (epoch < before.epoch || generation < before.generation);
    this.#report.check(
      NEVER_BACK,
      1,
      isBack
        ? [`${agent} had generation ${before.generation} (epoch ${before.epoch}), has ${generation} (${epoch})`]
        : [],
    );
  }

  async #askController(name: ControllerName): Promise<void> {
    const answer = await this.#client.send(this.#system.url(name), { method: 'GET', path: '/v1/topology' });
    if (answer.kind === 'unknown' || answer.status !== 200) return;
    const { revision, computedThrough } = answer.body as {
      readonly revision: number;
      readonly computedThrough: number;
    };
    const before = this.#heads.get(name);
    this.#heads.set(name, { revision, computedThrough });
    const isBack = before !== undefined && (revision < before.revision || computedThrough < before.computedThrough);
    this.#report.check(
      NEVER_BACK,
      1,
      isBack ? [`${name} showed ${JSON.stringify(before)}, shows revision ${revision}, ${computedThrough}`] : [],
    );
  }
}
