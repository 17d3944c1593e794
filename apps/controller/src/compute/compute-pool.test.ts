import { readFileSync } from 'node:fs';
import { computePaths, freezeSnapshot, type PathRequest, type Ted } from '@waymark/topology';
import { parseTopology, tedFromDocument } from '@waymark/topology-formats';
import { afterEach, describe, expect, it } from 'vitest';
import { Problem } from '../model/errors.js';
import { ComputePool } from './compute-pool.js';

const testbed = tedFromDocument(
  parseTopology(readFileSync(new URL('../../../../examples/paper-testbed.yaml', import.meta.url), 'utf8'), 'native'),
  7,
);
const request: PathRequest = { source: 'worker1', destination: 'worker2', metric: 'delay', constraints: {} };
const withoutBookings = { request, unreservedBps: undefined };

/** The testbed with a link down. */
function withoutLink(ted: Ted, id: string): Ted {
  return {
    ...ted,
    links: ted.links.map((link) => (link.id === id ? { ...link, operationalState: 'down' as const } : link)),
  };
}

let pool: ComputePool | undefined;
const start = (maxWaiting?: number): ComputePool =>
  (pool = new ComputePool({ threads: 1, ...(maxWaiting !== undefined && { maxWaiting }) }));

afterEach(async () => {
  await pool?.close();
  pool = undefined;
});

describe('a compute pool', () => {
  it('answers as the engine does in this thread', async () => {
    const snapshot = freezeSnapshot(testbed);
    const answer = await start().run('compute-path', snapshot, withoutBookings);
    expect(answer).toEqual(computePaths(snapshot, request));
  });

  it('takes the bandwidth that is left from the caller', async () => {
    const snapshot = freezeSnapshot(testbed);
    const wanting: PathRequest = { ...request, constraints: { bandwidthBps: 1 } };
    const unreservedBps = new Float64Array(snapshot.arcCount);
    const answer = await start().run('compute-path', snapshot, { request: wanting, unreservedBps });
    expect(answer).toMatchObject({ status: 'no-path', reason: 'insufficient-bandwidth' });
  });

  it('proves segment lists', async () => {
    const snapshot = freezeSnapshot(testbed);
    const requirement = { headend: 'worker1', destination: 'worker2' };
    const sids = ['fcff:6::1', 'fcff:8::1', 'fcdd:0:3::4'];
    const proof = await start().run('prove', snapshot, { sids, requirement, unreservedBps: undefined });
    expect(proof).toMatchObject({ ok: true, revision: 7, singlePath: true });
  });

  it('never confuses two snapshots of the same revision', async () => {
    const running = start();
    const [whole, broken] = [freezeSnapshot(testbed), freezeSnapshot(withoutLink(testbed, 'R4:R5'))];
    const ask = (snapshot: typeof whole) => running.run('compute-path', snapshot, withoutBookings);
    const answers = await Promise.all([ask(whole), ask(broken), ask(whole), ask(broken)]);
    expect(answers[0]).toEqual(computePaths(whole, request));
    expect(answers[1]).toEqual(computePaths(broken, request));
    expect(answers[0]).not.toEqual(answers[1]);
    expect(answers.slice(2)).toEqual(answers.slice(0, 2));
  });

  it('sends a worker anew the snapshot that it has forgotten', async () => {
    const running = start();
    const snapshots = Array.from({ length: 10 }, () => freezeSnapshot(testbed));
    const expected = computePaths(freezeSnapshot(testbed), request);
    for (const snapshot of [...snapshots, ...snapshots]) {
      expect(await running.run('compute-path', snapshot, withoutBookings)).toEqual(expected);
    }
  });

  it('refuses what would only wait, with the time to come back, and recovers', async () => {
    const running = start(2);
    const snapshot = freezeSnapshot(testbed);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, () => running.run('compute-path', snapshot, withoutBookings)),
    );
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).toHaveLength(7);
    for (const { reason } of refused as { reason: Problem }[]) {
      expect(reason).toBeInstanceOf(Problem);
      expect(reason).toMatchObject({ code: 'overloaded', info: { retryAfterSeconds: 1 } });
    }
    expect(running.underWay).toBe(0);
    await expect(running.run('compute-path', snapshot, withoutBookings)).resolves.toMatchObject({ status: 'computed' });
  });

  it('lets what is only tried out wait for each other, and refuses too many', async () => {
    const running = start(0);
    const snapshot = freezeSnapshot(testbed);
    const task = { policies: [], booked: [], heldLinks: [] };
    const tried = running.evaluateAside(snapshot, task);
    await expect(running.evaluateAside(snapshot, task)).rejects.toMatchObject({ code: 'overloaded' });
    expect(await tried).toEqual([]);
    expect(await running.evaluateAside(snapshot, task)).toEqual([]);
  });

  it('holds up the leader by one of those that are only tried out', async () => {
    const running = start(10);
    const snapshot = freezeSnapshot(testbed);
    const task = { policies: [], booked: [], heldLinks: [] };
    const ended: string[] = [];
    const tried = Array.from({ length: 5 }, async () => {
      await running.evaluateAside(snapshot, task);
      ended.push('tried');
    });
    await running.run('evaluate-policies', snapshot, task);
    expect(ended.length).toBeLessThanOrEqual(1);
    await Promise.all(tried);
  });

  it('evaluates policies however many others wait', async () => {
    const running = start(0);
    const snapshot = freezeSnapshot(testbed);
    const path = running.run('compute-path', snapshot, withoutBookings);
    const evaluation = running.run('evaluate-policies', snapshot, { policies: [], booked: [], heldLinks: [] });
    expect(await evaluation).toEqual([]);
    expect(await path).toMatchObject({ status: 'computed' });
  });

  it('lets a path overtake the pieces of jobs that wait', async () => {
    const running = start();
    const snapshot = freezeSnapshot(testbed);
    const { signal } = new AbortController();
    const order: string[] = [];
    const piece = (name: string) =>
      running.runPiece('compute-path', snapshot, withoutBookings, signal).then(() => order.push(name));
    const pieces = ['first', 'second', 'third'].map(piece);
    const path = running.run('compute-path', snapshot, withoutBookings).then(() => order.push('path'));
    await Promise.all([...pieces, path]);
    // The first is under way when the path comes; on another thread, either of them may be done before.
    expect(order.filter((name) => name !== 'first')).toEqual(['path', 'second', 'third']);
  });

  it('does not begin pieces of a job that was cancelled', async () => {
    const running = start();
    const snapshot = freezeSnapshot(testbed);
    const abort = new AbortController();
    const pieces = [1, 2].map(() => running.runPiece('compute-path', snapshot, withoutBookings, abort.signal));
    abort.abort(new Error('cancelled'));
    // whether a worker has begun with the first is not to be known
    const [, second] = await Promise.allSettled(pieces);
    expect(second).toMatchObject({ status: 'rejected', reason: new Error('cancelled') });
    await expect(running.run('compute-path', snapshot, withoutBookings)).resolves.toMatchObject({ status: 'computed' });
  });

  it('leaves out a computation for which nobody waits any more', async () => {
    const running = start();
    const snapshot = freezeSnapshot(testbed);
    const gone = new AbortController();
    const before = running.run('compute-path', snapshot, withoutBookings);
    const waiting = running.run('compute-path', snapshot, withoutBookings, gone.signal);
    gone.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    expect(await before).toMatchObject({ status: 'computed' });
    await expect(running.run('compute-path', snapshot, withoutBookings, gone.signal)).rejects.toThrow('gone');
    expect(running.underWay).toBe(0);
  });

  it('gives up a source of a mesh that is under way when its job is cancelled', async () => {
    const running = start();
    const snapshot = freezeSnapshot(testbed);
    const abort = new AbortController();
    const mesh = { metric: 'delay', constraints: {}, destinations: ['worker2'] } as const;
    const input = { source: 'worker1', request: mesh, unreservedBps: undefined };
    const piece = running.runPiece('compute-from-source', snapshot, input, abort.signal);
    expect(running.underWay).toBe(1);
    abort.abort(new Error('cancelled'));
    await expect(piece).rejects.toThrow('cancelled');
    const { signal } = new AbortController();
    await expect(running.runPiece('compute-from-source', snapshot, input, signal)).resolves.toHaveLength(1);
  });

  it('finishes what is under way when it closes, and refuses the rest', async () => {
    const closing = start();
    const snapshot = freezeSnapshot(testbed);
    const underWay = closing.run('compute-path', snapshot, withoutBookings);
    const closed = closing.close();
    await expect(closing.run('compute-path', snapshot, withoutBookings)).rejects.toMatchObject({ code: 'overloaded' });
    await expect(underWay).resolves.toMatchObject({ status: 'computed' });
    await closed;
  });
});
