import { placeTogether, reservableBps, type PathAnswer, type PathRequest, type Snapshot } from '@waymark/topology';
import type { BatchedAnswer } from '../model/path-batch.js';
import { LOWEST_PRIORITY } from '../model/sr-policy.js';
import type { ComputePool } from './compute-pool.js';
import { inSharedMemory } from './in-shared-memory.js';
import { cut, inLanes } from './job-lanes.js';
import type { JobRun } from './jobs.js';
import { staleOr, type FindHeldSource } from './stale-topology.js';

/** By setup priority, per arc of a snapshot, in bit/s. */
export type Unreserved = (setupPriority: number) => Float64Array;

/** What all answers of a batch are computed on. */
export interface BatchWork {
  readonly pool: ComputePool;
  readonly snapshot: Snapshot;
  /** undefined: nothing is booked. */
  readonly unreservedAt: Unreserved | undefined;
  readonly findHeldSource: FindHeldSource;
}

/** Requests that a worker is sent at a time: it answers as many of them as a piece of a job may take. */
export const REQUESTS_AT_A_TIME = 64;

/** Each request as if it were alone. */
export async function workOnRequests(
  work: BatchWork,
  requests: readonly PathRequest[],
  { signal, keep }: JobRun<BatchedAnswer>,
): Promise<void> {
  const { pool, snapshot } = work;
  const unreservedAt = unreservedOf(work, requests);
  const told = await tellStale(work);
  await inLanes(pool, cut(requests.length, REQUESTS_AT_A_TIME), async ({ first, end }) => {
    for (let next = first; next < end;) {
      const input = { requests: requests.slice(next, end), unreservedAt };
      const answers = await pool.runPiece('compute-each', snapshot, input, signal);
      const items = await told(requests, answers, next);
      keep(
        next,
        items.map((answer, i) => ({ kind: 'request', index: next + i, answer, turn: null, becauseOf: [] })),
      );
      next += answers.length;
    }
  });
}

/** Requests that share what is unreserved. */
export async function workTogether(
  work: BatchWork,
  requests: readonly PathRequest[],
  { signal, keep, progress }: JobRun<BatchedAnswer>,
): Promise<void> {
  const { pool, snapshot } = work;
  const unreservedAt = unreservedOf(work, requests);
  const steps = placeTogether(snapshot, requests, (priority) => unreservedAt?.get(priority) ?? reservableBps(snapshot));
  let step = steps.next();
  while (step.done !== true) {
    const { requests: asked, unreservedBps, answered } = step.value;
    progress(answered);
    const input = { requests: asked.slice(0, REQUESTS_AT_A_TIME), unreservedBps };
    step = steps.next(await pool.runPiece('place-in-order', snapshot, input, signal));
  }
  const placements = step.value;
  const told = await tellStale(work);
  for (const { first, end } of cut(requests.length, REQUESTS_AT_A_TIME)) {
    const part = placements.slice(first, end);
    const answers = await told(
      requests,
      part.map(({ answer }) => answer),
      first,
    );
    keep(
      first,
      part.map(({ turn, becauseOf }, i) => ({
        kind: 'request',
        index: first + i,
        answer: answers[i] as PathAnswer,
        turn,
        becauseOf,
      })),
    );
  }
}

/** In shared memory: it goes to the workers with every piece. */
function unreservedOf(
  { unreservedAt }: BatchWork,
  requests: readonly PathRequest[],
): ReadonlyMap<number, Float64Array> | undefined {
  if (unreservedAt === undefined) return undefined;
  const priorities = new Set(requests.map(({ setupPriority = LOWEST_PRIORITY }) => setupPriority));
  return new Map([...priorities].map((priority) => [priority, inSharedMemory(unreservedAt(priority))]));
}

type Tell = (
  requests: readonly PathRequest[],
  answers: readonly PathAnswer[],
  first: number,
) => Promise<readonly PathAnswer[]>;

/** Says `ted-stale` where it applies; where no source is held, nothing needs to be looked up per answer. */
async function tellStale({ findHeldSource }: BatchWork): Promise<Tell> {
  if ((await findHeldSource({ links: [], nodes: [] })) === undefined) {
    return (_, answers) => Promise.resolve(answers);
  }
  return (requests, answers, first) =>
    Promise.all(
      answers.map(async (answer, i) => {
        const { source, destination } = requests[first + i] as PathRequest;
        return answer.status === 'no-path' ? staleOr(answer, [source, destination], findHeldSource) : answer;
      }),
    );
}
