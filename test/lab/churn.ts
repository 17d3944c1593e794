import { setTimeout as sleep } from 'node:timers/promises';
import type { CandidatePathIntent } from '../../apps/controller/src/model/sr-policy.js';
import type { Random } from '../chaos/devices/random.js';
import { RestError, type RestClient } from './rest-client.js';
import type { Stage } from './stage.js';

const RETRY_MS = 100;
const PAUSE_MS = 100;
/** Policies besides the mesh, by color. */
const COLORS = [201, 202, 203, 204];

const METRICS = ['delay', 'igp', 'te', 'hop'] as const;
const DRAINED_LINKS = ['R2:R7', 'R6:R8', 'R5:R6', 'R4:R6'];
const SLOWED_LINKS = ['R6:R7', 'R4:R5', 'R2:R7', 'R4:R6'];

/**
 * Operators who never rest: policies come and go, the mesh changes its mind, links are drained and slow down. Each change is
 * tried at any controller until one has an answer to it, so what was asked for is what there is in the end.
 */
export class Churn {
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #stopped = new AbortController();
  readonly #done = new Map<string, number>();
  readonly #existing = new Set<number>();
  #running: Promise<void> | undefined;
  #drained: string | undefined;
  #sequence = 0;

  constructor(stage: Stage, random: Random) {
    this.#stage = stage;
    this.#random = random;
  }

  start(): void {
    this.#running = this.#run();
    // Whoever stops it hears of its failure.
    this.#running.catch(() => undefined);
  }

  /** Ends when the change that is under way has its answer. Returns how many there were of each kind. */
  async stop(): Promise<ReadonlyMap<string, number>> {
    this.#stopped.abort();
    await this.#running;
    return this.#done;
  }

  async #run(): Promise<void> {
    const kinds = {
      'mesh replaced': () => this.#replaceMesh(),
      'link drained or taken back': () => this.#drain(),
      'delay measured': () => this.#measure(),
      'policy created or deleted': () => this.#toggle(),
    };
    while (!this.#stopped.signal.aborted) {
      const [kind, change] = this.#pick(Object.entries(kinds));
      await change();
      this.#done.set(kind, (this.#done.get(kind) ?? 0) + 1);
      await sleep(PAUSE_MS);
    }
  }

  #replaceMesh(): Promise<void> {
    const mesh = this.#stage.mesh(dynamic(this.#pick(METRICS)));
    return this.#untilAnswered((rest) => rest.replaceMesh(mesh));
  }

  /** One at a time: there is always a way around. */
  async #drain(): Promise<void> {
    const link = this.#drained ?? this.#pick(DRAINED_LINKS);
    const adminState = this.#drained === undefined ? 'drained' : null;
    await this.#untilAnswered((rest) => rest.constrainLink(link, { adminState }));
    this.#drained = adminState === null ? undefined : link;
  }

  #measure(): Promise<void> {
    const link = this.#pick(SLOWED_LINKS);
    const delayUs = 1000 + Math.floor(this.#random() * 20_000);
    const batch = {
      sequence: ++this.#sequence,
      full: false,
      events: [{ kind: 'link-measurement', link, delayUs }],
    } as const;
    return this.#untilAnswered((rest) => rest.postEvents('churn', batch));
  }

  /** A policy for one pod's address alone, whose packets move into its tunnel and back into the mesh's. */
  async #toggle(): Promise<void> {
    const color = this.#pick(COLORS);
    const [headend, endpoint] = color % 2 === 0 ? ['worker1', 'worker2'] : ['worker2', 'master'];
    if (this.#existing.delete(color)) {
      await this.#untilAnswered((rest) => rest.deletePolicy(`${headend}:${color}:${endpoint}`));
      return;
    }
    const { address } = this.#stage.host(endpoint).pods[color > 202 ? 1 : 0];
    const intent = {
      ...{ headend, color, endpoint, fallback: 'shortest-path' as const },
      steeredPrefixes: [`${address.ipv4}/32`, `${address.ipv6}/128`],
      candidatePaths: [dynamic(this.#pick(METRICS))],
    };
    await this.#untilAnswered((rest) => rest.createPolicy(intent));
    this.#existing.add(color);
  }

  /**
   * A change without an answer, or with the one that it cannot be done now (503), may have been made or not: it is asked for again, and
   * may turn out to have been made (409 of a creation, 404 of a deletion).
   */
  async #untilAnswered(ask: (rest: RestClient) => Promise<unknown>): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await ask(this.#pick(this.#stage.waymark.rests));
        return;
      } catch (error) {
        if (error instanceof RestError && error.status !== 503) {
          if (attempt > 0 && [404, 409].includes(error.status)) return;
          throw error;
        }
        await sleep(RETRY_MS);
      }
    }
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.#random() * items.length)];
    if (item === undefined) throw new RangeError('there is nothing to pick from');
    return item;
  }
}

function dynamic(metric: (typeof METRICS)[number]): CandidatePathIntent {
  return { discriminator: 1, preference: 100, path: { kind: 'dynamic', metric, constraints: {} } };
}
