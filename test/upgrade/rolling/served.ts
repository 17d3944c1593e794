import { setTimeout as sleep } from 'node:timers/promises';
import { NEWEST_VERSION } from '@waymark/agent-protocol';
import type { AgentView } from '../../../apps/controller/src/model/agents.js';
import { CONTROLLERS } from '../../chaos/plan.js';
import type { ObservedSystem } from '../../chaos/observed-system.js';

export const SERVED = 'agents of either build are served by controllers of either build';
export const SHOWN = 'each controller shows each agent in sync, a newer one with the version that it speaks';

/** A controller reads what agents tell within seconds; the time only ends a run that would otherwise hang. */
const PATIENCE_MS = 60_000;
const POLL_MS = 200;

/** An older controller knows nothing of versions. */
type ShownAgent = Omit<AgentView, 'protocolVersion' | 'lacks'> & Partial<AgentView>;

/** Who serves whom, by what the controllers show. */
export class Served {
  readonly #observed: ObservedSystem;
  readonly #newest: string;
  /** Builds of agents and controllers that had sessions with each other. */
  readonly #tried = new Set<string>();
  /** The version that agents of the older build speak with newer controllers. */
  #olderSpeaks: number | undefined;

  /** @param newest folder of the newer build */
  constructor(observed: ObservedSystem, newest: string) {
    this.#observed = observed;
    this.#newest = newest;
  }

  /** Holds what every controller shows against what runs. Returns who serves whom, in words. */
  async look(): Promise<string> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const { details, served } = await this.#compare();
      if (details.length === 0 || performance.now() > deadline) {
        this.#observed.report.check(SHOWN, CONTROLLERS.length * this.#observed.system.agents.length, details);
        this.#observed.report.check(SERVED, served.length, []);
        for (const one of served) this.#tried.add(one);
        return [...new Set(served)].map((one) => `${String(served.filter((s) => s === one).length)} ${one}`).join(', ');
      }
      await sleep(POLL_MS);
    }
  }

  /** What the upgrade should have shown and has not: there was no such session when everything had settled. */
  *neverTried(): Generator<string> {
    for (const agent of ['older', 'newer'] as const) {
      for (const controller of ['older', 'newer'] as const) {
        const one = `${agent} on ${controller}`;
        if (!this.#tried.has(one)) yield `no session of an agent with a controller was ${one}`;
      }
    }
  }

  async #compare(): Promise<{ readonly details: readonly string[]; readonly served: readonly string[] }> {
    const { client, system } = this.#observed;
    const details: string[] = [];
    let served: string[] = [];
    for (const name of CONTROLLERS) {
      const answer = await client.send(system.url(name), { method: 'GET', path: '/v1/agents' });
      if (answer.kind === 'unknown' || answer.status !== 200) {
        details.push(`${name} does not tell its agents: ${JSON.stringify(answer)}`);
        continue;
      }
      const { items } = answer.body as { readonly items: readonly ShownAgent[] };
      served = [];
      for (const agent of system.agents) {
        const shown = items.find(({ node }) => node === agent);
        if (shown?.state !== 'connected' || !shown.inSync) {
          details.push(`${name} shows ${agent} as ${JSON.stringify(shown)}`);
          continue;
        }
        const builds = [this.#ageOf(`agent-${agent}`), this.#ageOf(shown.controller)] as const;
        served.push(builds.join(' on '));
        details.push(...this.#wrongVersion(name, shown, builds));
      }
    }
    return { details, served };
  }

  *#wrongVersion(
    name: string,
    { node, protocolVersion, lacks = [] }: ShownAgent,
    [agent, controller]: readonly [Age, Age],
  ): Generator<string> {
    if (this.#ageOf(name) === 'older' || controller === 'older') return;
    if (agent === 'older') this.#olderSpeaks ??= protocolVersion;
    const speaks = agent === 'newer' ? NEWEST_VERSION : this.#olderSpeaks;
    if (protocolVersion === speaks && (agent === 'older' || lacks.length === 0)) return;
    yield `${name} shows ${node}, which is ${agent}, with version ${String(protocolVersion)}, without ${lacks.join(', ')}`;
  }

  #ageOf(part: string): Age {
    return this.#observed.system.part(part).build === this.#newest ? 'newer' : 'older';
  }
}

type Age = 'older' | 'newer';
