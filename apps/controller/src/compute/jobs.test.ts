import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { Problem } from '../model/errors.js';
import { Jobs, jobLimits, type JobDescription, type JobLimits, type JobRun } from './jobs.js';

const logged: unknown[] = [];

function registry(limits: Partial<JobLimits> = {}) {
  let now = 0;
  const jobs = new Jobs({
    controller: 'c1',
    now: () => new Date(now),
    log: { error: (entry: unknown) => logged.push(entry) },
    limits: { ...jobLimits, ...limits },
  });
  return { jobs, pass: (ms: number) => (now += ms) };
}

/** A job whose work the test does itself. */
function held(total = 3, id = 'a') {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const end = new Promise<void>((res, rej) => ([resolve, reject] = [res, rej]));
  const runs: JobRun<string>[] = [];
  const description: JobDescription<string> = {
    kind: 'test-job',
    id,
    request: { total },
    revision: 7,
    total,
    outcomeOf: (item) => item,
    work: (run) => {
      runs.push(run);
      return end;
    },
  };
  return { description, run: () => runs[0] as JobRun<string>, resolve, reject };
}

/** Lets what is resolved go on. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a job', () => {
  it('says how far it is, and what of it can be read', async () => {
    const { jobs, pass } = registry();
    const job = held();
    const { id } = jobs.start(job.description);
    job.run().keep(1, ['no']);
    expect(jobs.job('test-job', id)).toMatchObject({
      status: 'running',
      progress: { done: 1, total: 3 },
      available: 0,
    });
    job.run().keep(0, ['yes']);
    expect(jobs.items('test-job', id, { limit: 10 })).toEqual({ items: ['yes', 'no'], next: '2' });
    expect(jobs.items('test-job', id, { limit: 10, after: '2' })).toEqual({ items: [], next: '2' });
    job.run().keep(2, ['yes']);
    pass(5);
    job.resolve();
    await settled();
    expect(jobs.job('test-job', id)).toEqual({
      id,
      controller: 'c1',
      status: 'done',
      revision: 7,
      progress: { done: 3, total: 3 },
      available: 3,
      counts: { no: 1, yes: 2 },
      createdAt: '1970-01-01T00:00:00.000Z',
      startedAt: '1970-01-01T00:00:00.000Z',
      finishedAt: '1970-01-01T00:00:00.005Z',
      failure: null,
    });
    expect(jobs.items('test-job', id, { limit: 2, after: '1' })).toEqual({ items: ['no', 'yes'], next: null });
  });

  it('has shorter pages where its items are large', () => {
    const { jobs } = registry();
    const job = held(4);
    const { id } = jobs.start(job.description);
    for (let i = 0; i < 4; i++) job.run().keep(i, [String(i).repeat(3_000_000)]);
    expect(jobs.items('test-job', id, { limit: 10 })).toMatchObject({ items: { length: 2 }, next: '2' });
    const second = jobs.items<string>('test-job', id, { limit: 10, after: '2' });
    expect([second.items.map(([first]) => first), second.next]).toEqual([['2', '3'], '4']);
  });

  it('may be ahead of the items it keeps', () => {
    const { jobs } = registry();
    const job = held();
    const { id } = jobs.start(job.description);
    job.run().progress(2);
    expect(jobs.job('test-job', id).progress).toEqual({ done: 2, total: 3 });
  });

  it('is cancelled and forgotten when it is deleted', async () => {
    const { jobs } = registry();
    const job = held();
    const { id } = jobs.start(job.description);
    jobs.delete('test-job', id);
    expect(job.run().signal.aborted).toBe(true);
    expect(() => jobs.job('test-job', id)).toThrow(/Controller c1 has no test-job/);
    job.run().keep(0, ['late']);
    job.resolve();
    await settled();
    expect(jobs.counts()).toMatchObject({ held: [], bytes: 0, finished: [{ outcome: 'cancelled', jobs: 1 }] });
  });

  it('is the same when it is asked for again, and another one needs another id', () => {
    const { jobs } = registry();
    const job = held(3);
    const first = jobs.start(job.description);
    job.run().keep(0, ['yes']);
    expect(jobs.start(held(3).description)).toEqual({
      ...first,
      progress: { done: 1, total: 3 },
      available: 1,
      counts: { yes: 1 },
    });
    expect(() => jobs.start(held(4).description)).toThrow(/There is a test-job "a" that asks for something else/);
    expect(jobs.counts().held).toHaveLength(1);
  });

  it('is not found under another kind', () => {
    const { jobs } = registry();
    const { id } = jobs.start(held().description);
    expect(() => jobs.job('other-job', id)).toThrow(Problem);
  });

  it('says what it failed of', async () => {
    const { jobs } = registry();
    const job = held();
    const { id } = jobs.start(job.description);
    job.run().keep(0, ['yes']);
    job.reject(new Problem('revision-pruned', { detail: 'revision 7 is gone' }));
    await settled();
    expect(jobs.job('test-job', id)).toMatchObject({
      status: 'failed',
      failure: expect.stringContaining('7 is gone') as string,
    });
    expect(jobs.items('test-job', id, { limit: 10 })).toEqual({ items: ['yes'], next: null });
  });

  it('stops all its work when a part of it fails', async () => {
    const { jobs } = registry();
    const job = held();
    const { id } = jobs.start(job.description);
    job.reject(new Problem('revision-pruned', { detail: 'revision 7 is gone' }));
    await settled();
    expect(job.run().signal.aborted).toBe(true);
    job.run().keep(0, ['late']);
    expect(jobs.job('test-job', id)).toMatchObject({ status: 'failed', available: 0, counts: {} });
    expect(jobs.counts().finished).toEqual([{ kind: 'test-job', outcome: 'failed', jobs: 1 }]);
  });

  it('does not keep what it was computed on once it is over', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const { jobs } = registry();
    const startOne = () => {
      const snapshot = new Uint8Array(1000);
      const work = async ({ keep }: JobRun<string>) => {
        await settled();
        keep(0, [`${snapshot.length}`]);
      };
      jobs.start({ ...held(1).description, work, outcomeOf: (item) => item });
      return new WeakRef(snapshot);
    };
    const snapshot = startOne();
    await expect.poll(() => jobs.job('test-job', 'a').status).toBe('done');
    await settled();
    collectGarbage();
    expect(snapshot.deref()).toBeUndefined();
  });

  it('keeps a fault of Waymark out of its answer, and in the log', async () => {
    const { jobs } = registry();
    const job = held();
    const { id } = jobs.start(job.description);
    job.reject(new Error('secret'));
    await settled();
    expect(jobs.job('test-job', id).failure).toMatch(/^a fault in Waymark: the log of controller c1/);
    expect(logged.at(-1)).toMatchObject({ job: id, err: new Error('secret') });
  });

  it('has failed when it ends without all its items', async () => {
    const { jobs } = registry();
    const job = held();
    const { id } = jobs.start(job.description);
    job.resolve();
    await settled();
    expect(jobs.job('test-job', id).status).toBe('failed');
  });
});

describe('the jobs of a controller', () => {
  it('wait for each other beyond a number', async () => {
    const { jobs } = registry({ running: 1 });
    const [first, second] = [held(0, 'a'), held(0, 'b')];
    jobs.start(first.description);
    const { id } = jobs.start(second.description);
    expect(jobs.job('test-job', id)).toMatchObject({ status: 'queued', startedAt: null });
    first.resolve();
    await settled();
    expect(jobs.job('test-job', id).status).toBe('running');
  });

  it('are refused when too many are held, until one is deleted', () => {
    const { jobs } = registry({ jobs: 1 });
    const { id } = jobs.start(held().description);
    expect(() => jobs.start(held(3, 'b').description)).toThrow(/delete those that nobody reads/);
    jobs.delete('test-job', id);
    jobs.start(held(3, 'b').description);
  });

  it('fail when what they computed takes too much', async () => {
    const { jobs } = registry({ bytes: 20 });
    const { description } = held(2);
    const { id } = jobs.start<string>({
      ...description,
      work: (run) => Promise.resolve().then(() => run.keep(0, ['a long item', 'another one'])),
    });
    await settled();
    expect(jobs.job('test-job', id)).toMatchObject({
      status: 'failed',
      failure: expect.stringContaining('ask for less') as string,
    });
    expect(() => jobs.start(held(3, 'b').description)).toThrow(Problem);
  });

  it('are refused when what was asked for takes too much', () => {
    const { jobs } = registry({ bytes: 20 });
    jobs.start(held(3, 'a').description);
    jobs.start({ ...held(3, 'b').description, request: 'what a long request' });
    expect(jobs.counts().bytes).toBe('{"total":3}"what a long request"'.length);
    expect(() => jobs.start(held(3, 'c').description)).toThrow(/ask for less/);
  });

  it('are forgotten a while after their end', async () => {
    const { jobs, pass } = registry({ keptMs: 1000 });
    const [over, running] = [held(0, 'a'), held(0, 'b')];
    const { id } = jobs.start(over.description);
    const stays = jobs.start(running.description);
    over.resolve();
    await settled();
    pass(999);
    expect(jobs.job('test-job', id).status).toBe('done');
    pass(1);
    expect(() => jobs.job('test-job', id)).toThrow(Problem);
    expect(jobs.job('test-job', stays.id).status).toBe('running');
  });

  it('are cancelled when the controller ends', async () => {
    const { jobs } = registry({ running: 1 });
    const [running, waiting] = [held(3, 'a'), held(3, 'b')];
    jobs.start(running.description);
    jobs.start(waiting.description);
    const closed = jobs.close();
    expect(running.run().signal.aborted).toBe(true);
    running.resolve();
    await closed;
    expect(waiting.run()).toBeUndefined();
    expect(jobs.counts().finished).toEqual([{ kind: 'test-job', outcome: 'cancelled', jobs: 2 }]);
    expect(() => jobs.start(held().description)).toThrow(/shutting down/);
  });
});

describe('whoever follows a job', () => {
  const alive = new AbortController().signal;

  it('is told how it is, then the newest whenever it has moved on, until it is over', async () => {
    const { jobs } = registry();
    const job = held();
    jobs.start(job.description);
    const told: unknown[] = [];
    const following = (async () => {
      for await (const change of jobs.follow('test-job', 'a', alive)) {
        told.push(change.kind === 'view' ? [change.job.status, change.job.progress.done] : change.kind);
      }
    })();
    await settled();
    job.run().progress(1);
    job.run().progress(2);
    await settled();
    job.run().keep(0, ['yes', 'yes', 'no']);
    job.resolve();
    await following;
    expect(told[0]).toEqual(['running', 0]);
    expect(told[1]).toEqual(['running', 2]);
    expect(told.at(-1)).toEqual(['done', 3]);
  });

  it('is told when it is deleted, also where another has its id by then', async () => {
    const { jobs } = registry();
    jobs.start(held().description);
    const changes = jobs.follow('test-job', 'a', alive)[Symbol.asyncIterator]();
    await expect(changes.next()).resolves.toMatchObject({ value: { kind: 'view' } });
    jobs.delete('test-job', 'a');
    jobs.start(held(5).description);
    await expect(changes.next()).resolves.toEqual({ done: false, value: { kind: 'deleted' } });
    await expect(changes.next()).resolves.toMatchObject({ done: true });
  });

  it('may leave while it waits', async () => {
    const { jobs } = registry();
    jobs.start(held().description);
    const leaving = new AbortController();
    const changes = jobs.follow('test-job', 'a', leaving.signal)[Symbol.asyncIterator]();
    await changes.next();
    const next = changes.next();
    leaving.abort();
    await expect(next).resolves.toMatchObject({ done: true });
  });

  it('learns at once that there is none', () => {
    expect(() => registry().jobs.follow('test-job', 'a', alive)).toThrow(Problem);
  });
});
