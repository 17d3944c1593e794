import { setTimeout as sleep } from 'node:timers/promises';
import type { SourceBatch } from '../../apps/controller/src/model/topology.js';
import { BirdControl } from './bird.js';
import { IGP_PROTOCOL } from './bird-config.js';
import { eventsBetween, parseOspfState, viewOf, type IgpView } from './link-state.js';
import type { Testbed } from './testbed.js';

/** Delivers one batch; rejects when it was not accepted (it is then sent again: sequences make that harmless). */
export type PostBatch = (batch: SourceBatch) => Promise<void>;

export interface IgpReaderOptions {
  readonly testbed: Testbed;
  /** Control sockets of the routers that may be asked; the first that answers is. */
  readonly controlSockets: readonly string[];
  readonly post: PostBatch;
  readonly intervalMs: number;
}

/** One change as it passed through the reader. Times are of performance.now(). */
export interface Sighting {
  readonly seenAtMs: number;
  readonly postedAtMs: number;
  readonly batch: SourceBatch;
}

const RETRY_MS = 200;

/**
 * Turns a router's link-state database into sequenced source events. It learns of a failure only through the IGP: it
 * looks at nothing but what the routing daemon has flooded and accepted.
 */
export class IgpReader {
  readonly #options: IgpReaderOptions;
  readonly #sightings: Sighting[] = [];
  readonly #stopped = new AbortController();
  #control: BirdControl | undefined;
  #loop: Promise<void> | undefined;
  #failure: unknown;

  constructor(options: IgpReaderOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#control?.close();
    await this.#loop;
  }

  /** Everything posted so far, oldest first. */
  get sightings(): readonly Sighting[] {
    return this.#sightings;
  }

  /** Why the last reading or posting did not succeed; undefined when it did. */
  get failure(): unknown {
    return this.#failure;
  }

  async #run(): Promise<void> {
    let posted: IgpView | undefined;
    while (!this.#stopped.signal.aborted) {
      try {
        const view = viewOf(parseOspfState(await this.#read()), this.#options.testbed);
        const events = eventsBetween(posted, view);
        if (events.length > 0)
          await this.#post({ sequence: this.#sightings.length + 1, full: posted === undefined, events });
        posted = view;
        this.#failure = undefined;
        await this.#pause(this.#options.intervalMs);
      } catch (error) {
        this.#failure = error;
        await this.#pause(RETRY_MS);
      }
    }
  }

  async #post(batch: SourceBatch): Promise<void> {
    const seenAtMs = performance.now();
    for (;;) {
      try {
        await this.#options.post(batch);
        break;
      } catch (error) {
        this.#failure = error;
        if (this.#stopped.signal.aborted) throw error;
        await this.#pause(RETRY_MS);
      }
    }
    this.#sightings.push({ seenAtMs, postedAtMs: performance.now(), batch });
  }

  async #read(): Promise<string> {
    if (this.#control !== undefined) {
      try {
        return await this.#control.ask(`show ospf state all ${IGP_PROTOCOL}`);
      } catch {
        this.#control.close();
        this.#control = undefined;
      }
    }
    this.#control = await this.#connect();
    return this.#control.ask(`show ospf state all ${IGP_PROTOCOL}`);
  }

  async #connect(): Promise<BirdControl> {
    const failures: unknown[] = [];
    for (const path of this.#options.controlSockets) {
      try {
        return await BirdControl.connect(path);
      } catch (error) {
        failures.push(error);
      }
    }
    throw new AggregateError(failures, 'no router answers on its control socket');
  }

  async #pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
  }
}
