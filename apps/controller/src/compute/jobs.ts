import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { Hypothetical } from '@waymark/topology';
import { Problem } from '../model/errors.js';
import type { JobCounts, JobView } from '../model/jobs.js';
import type { Page, PageRequest } from '../model/ports.js';
import { KeptItems } from './kept-items.js';

/** What a controller takes on, so that jobs nobody reads cannot fill it up. */
export interface JobLimits {
  /** Held at once: waiting, running or over. */
  readonly jobs: number;
  /** Running at once; the others wait. */
  readonly running: number;
  /** What the items of all jobs may take together. */
  readonly bytes: number;
  /** How long a job is kept once it is over. */
  readonly keptMs: number;
}

export const jobLimits: JobLimits = { jobs: 64, running: 4, bytes: 512 * 1024 * 1024, keptMs: 3_600_000 };

/** A long computation. All its items hold for one revision of the TED. */
export interface JobDescription<Item> {
  readonly kind: string;
  /** The client chose it, so that it may ask twice when an answer was lost. */
  readonly id: string;
  /** What was asked for: plain data. */
  readonly request: unknown;
  readonly revision: number;
  /** What all its items hold under; undefined: the topology as it is. */
  readonly hypothetical?: Hypothetical | undefined;
  /** Items it will keep. */
  readonly total: number;
  /** The word under which an item is counted. */
  readonly outcomeOf: (item: Item) => string;
  /**
   * Keeps every item, then resolves. Looks at the signal between pieces of work and ends early when it is aborted; a Problem
   * it throws becomes what the job failed of.
   */
  readonly work: (run: JobRun<Item>) => Promise<void>;
}

export interface JobRun<Item> {
  /** Aborted when the job is deleted, or the controller ends. */
  readonly signal: AbortSignal;
  /** Items from this index on: each index once, in any order. Throws Problem overloaded when there is no room left. */
  readonly keep: (first: number, items: readonly Item[]) => void;
  /** How far the work is, where items are kept only later. */
  readonly progress: (done: number) => void;
}

export interface JobsParts {
  /** Name of this controller. */
  readonly controller: string;
  readonly now: () => Date;
  readonly log: Pick<Logger, 'error'>;
  readonly limits?: JobLimits;
}

interface Job {
  readonly description: JobDescription<unknown>;
  readonly items: KeptItems<unknown>;
  readonly abort: AbortController;
  readonly counts: Map<string, number>;
  readonly createdAt: Date;
  status: JobView['status'];
  done: number;
  startedAt: Date | null;
  finishedAt: Date | null;
  failure: string | null;
}

/** Long computations of this process. They live in its memory: another controller does not know them, nor does its successor. */
export class Jobs {
  readonly #parts: JobsParts;
  readonly #limits: JobLimits;
  /** By kind and id, in the order in which they were made. */
  readonly #jobs = new Map<string, Job>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #finished = new Map<string, JobCounts['finished'][number]>();
  readonly #computed = new Map<string, number>();
  #closed = false;

  constructor(parts: JobsParts) {
    this.#parts = parts;
    this.#limits = parts.limits ?? jobLimits;
  }

  /**
   * Asking for the same under the same id again gives the job that there is. Throws Problem already-exists when that asks for
   * something else, overloaded when too many are held.
   */
  start<Item>(description: JobDescription<Item>): JobView {
    if (this.#closed) throw overloaded('this controller is shutting down', 1);
    this.#forgetOld();
    const { kind, id } = description;
    const known = this.#jobs.get(keyOf(kind, id));
    if (known !== undefined) {
      if (isDeepStrictEqual(known.description.request, description.request)) return this.#view(known);
      const detail = `There is a ${kind} "${id}" that asks for something else: delete it, or choose another id.`;
      throw new Problem('already-exists', { detail, field: '/id' });
    }
    if (this.#jobs.size >= this.#limits.jobs) {
      throw overloaded(`this controller holds ${this.#jobs.size} jobs: delete those that nobody reads any more`);
    }
    if (this.#bytes() >= this.#limits.bytes) throw overloaded(this.#noRoom());
    const job: Job = {
      description: description as JobDescription<unknown>,
      items: new KeptItems(),
      abort: new AbortController(),
      counts: new Map(),
      createdAt: this.#parts.now(),
      status: 'queued',
      done: 0,
      startedAt: null,
      finishedAt: null,
      failure: null,
    };
    this.#jobs.set(keyOf(kind, id), job);
    this.#startWaiting();
    return this.#view(job);
  }

  /** Throws Problem not-found. */
  job(kind: string, id: string): JobView {
    return this.#view(this.#find(kind, id));
  }

  /**
   * Items in the order of their index, as far as they are there. `next` is null only when no more will come; while the job
   * runs, a page may be empty. Throws Problem not-found.
   */
  items<Item>(kind: string, id: string, { limit, after }: PageRequest): Page<Item> {
    const job = this.#find(kind, id);
    const start = Number(after ?? 0);
    const items = job.items.slice(start, limit) as Item[];
    const end = start + items.length;
    return { items, next: isOver(job) && end >= job.items.available ? null : String(end) };
  }

  /** Cancels it if it is not over, and forgets it. Throws Problem not-found. */
  delete(kind: string, id: string): void {
    this.#drop(this.#find(kind, id));
    this.#startWaiting();
  }

  counts(): JobCounts {
    this.#forgetOld();
    const held = [...this.#jobs.values()];
    return {
      held: held.map(({ description, status }) => ({ kind: description.kind, status })),
      bytes: this.#bytes(),
      finished: [...this.#finished.values()],
      computed: [...this.#computed].map(([kind, items]) => ({ kind, items })),
    };
  }

  /** Refuses new jobs, cancels those there are, and waits until none works any more. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const job of [...this.#jobs.values()]) this.#drop(job);
    await Promise.all(this.#underWay);
  }

  #find(kind: string, id: string): Job {
    this.#forgetOld();
    const job = this.#jobs.get(keyOf(kind, id));
    if (job !== undefined) return job;
    const where = `Jobs live in the controller that made them, until ${this.#limits.keptMs / 60_000} minutes after their end.`;
    throw new Problem('not-found', {
      detail: `Controller ${this.#parts.controller} has no ${kind} "${id}". ${where}`,
      field: 'id',
    });
  }

  #drop(job: Job): void {
    this.#jobs.delete(keyOf(job.description.kind, job.description.id));
    if (isOver(job)) return;
    job.abort.abort();
    if (job.status === 'queued') this.#count(job, 'cancelled');
  }

  #startWaiting(): void {
    const jobs = [...this.#jobs.values()];
    let room = this.#limits.running - this.#underWay.size;
    for (const job of jobs.filter(({ status }) => status === 'queued')) {
      if (room-- <= 0) return;
      const work = this.#run(job).finally(() => {
        this.#underWay.delete(work);
        this.#startWaiting();
      });
      this.#underWay.add(work);
    }
  }

  async #run(job: Job): Promise<void> {
    job.status = 'running';
    job.startedAt = this.#parts.now();
    try {
      await job.description.work(this.#runOf(job));
      if (job.items.available < job.description.total && !job.abort.signal.aborted) {
        throw new Error(`it kept ${job.items.available} of ${job.description.total} items`);
      }
      job.status = 'done';
    } catch (error) {
      job.status = 'failed';
      job.failure = this.#whyFailed(job, error);
    }
    job.finishedAt = this.#parts.now();
    this.#count(job, job.abort.signal.aborted ? 'cancelled' : job.status);
  }

  #runOf(job: Job): JobRun<unknown> {
    return {
      signal: job.abort.signal,
      keep: (first, items) => {
        if (job.abort.signal.aborted) return;
        job.items.keep(first, items);
        job.done = Math.max(job.done, job.items.count);
        for (const item of items) {
          const outcome = job.description.outcomeOf(item);
          job.counts.set(outcome, 1 + (job.counts.get(outcome) ?? 0));
        }
        const { kind } = job.description;
        this.#computed.set(kind, items.length + (this.#computed.get(kind) ?? 0));
        if (this.#bytes() > this.#limits.bytes) throw overloaded(this.#noRoom());
      },
      progress: (done) => {
        job.done = Math.max(job.done, done);
      },
    };
  }

  #whyFailed(job: Job, error: unknown): string | null {
    if (error instanceof Problem) return error.message;
    if (job.abort.signal.aborted) return null;
    this.#parts.log.error({ err: error, kind: job.description.kind, job: job.description.id }, 'a job failed');
    return `a fault in Waymark: the log of controller ${this.#parts.controller} has the details`;
  }

  #count({ description: { kind } }: Job, outcome: JobCounts['finished'][number]['outcome']): void {
    const key = `${kind} ${outcome}`;
    this.#finished.set(key, { kind, outcome, jobs: 1 + (this.#finished.get(key)?.jobs ?? 0) });
  }

  #forgetOld(): void {
    const oldest = this.#parts.now().getTime() - this.#limits.keptMs;
    for (const job of [...this.#jobs.values()]) {
      if (job.finishedAt !== null && job.finishedAt.getTime() <= oldest) this.#drop(job);
    }
  }

  #bytes(): number {
    return [...this.#jobs.values()].reduce((sum, { items }) => sum + items.bytes, 0);
  }

  #noRoom(): string {
    const limit = `${this.#limits.bytes / (1024 * 1024)} MiB`;
    return `what jobs of this controller have computed takes ${limit}, which is all they may: ask for less, or delete those that nobody reads any more`;
  }

  #view({ description, status, done, items, counts, createdAt, startedAt, finishedAt, failure }: Job): JobView {
    return {
      id: description.id,
      controller: this.#parts.controller,
      status,
      revision: description.revision,
      progress: { done, total: description.total },
      available: items.available,
      counts: Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))),
      createdAt: createdAt.toISOString(),
      startedAt: startedAt?.toISOString() ?? null,
      finishedAt: finishedAt?.toISOString() ?? null,
      failure,
      ...(description.hypothetical && { hypothetical: description.hypothetical }),
    };
  }
}

function keyOf(kind: string, id: string): string {
  return `${kind} ${id}`;
}

function isOver({ status }: Job): boolean {
  return status === 'done' || status === 'failed';
}

function overloaded(detail: string, retryAfterSeconds = 60): Problem {
  return new Problem('overloaded', { detail, retryAfterSeconds });
}
