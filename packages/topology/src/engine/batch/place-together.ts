import type { PathAnswer } from '../../model/path-answer.js';
import type { PathRequest } from '../../model/path-request.js';
import type { Placement, PlacementStep } from '../../model/placement.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import { bookedLoad, take } from './booked-load.js';
import { otherOrders } from './other-orders.js';

const LOWEST_PRIORITY = 7;

/**
 * Places requests that share the bandwidth that is left, so that together they never book a link beyond what is unreserved at
 * their setup priorities: a higher priority (a smaller number) comes before all lower ones, whatever those lose by it; within
 * a priority the order is that of the list, and when some have no path because of the others, other orders are tried, and the
 * first of those that place most is taken (`otherOrders`). What is placed is never placed elsewhere for the sake of a lower
 * priority.
 *
 * A generator, so that its caller decides where and when requests are answered (`placeInOrder` does it), and may stop: it is
 * given the answers to the first requests of each step, at least one. For one path, or one demand over several lists, per
 * request: no `k`, `disjoint` or `coRouted`. `unreservedAt`: per arc in bit/s, as a setup priority sees it.
 */
export function* placeTogether(
  snapshot: Snapshot,
  requests: readonly PathRequest[],
  unreservedAt: (setupPriority: number) => Float64Array,
): Generator<PlacementStep<PathRequest>, Placement[], readonly PathAnswer[]> {
  const placed: Attempt[] = [];
  for (const [priority, members] of byPriority(requests)) {
    const free = unreservedAt(priority).slice();
    for (const { load } of placed) take(free, load);
    placed.push(...(yield* placeClass({ snapshot, requests, members, free, before: placed.length })));
  }
  const placements: Placement[] = [];
  for (const [turn, { index, answer }] of placed.entries()) {
    placements[index] = { answer, turn, becauseOf: [] };
  }
  for (const [turn, { index, answer }] of placed.entries()) {
    if (answer.status === 'computed') continue;
    const before = placed.slice(0, turn);
    if (before.every(({ load }) => load.size === 0)) continue;
    const request = requests[index] as PathRequest;
    const unreservedBps = unreservedAt(priorityOf(request));
    const [alone] = yield { requests: [request], unreservedBps, answered: requests.length };
    if (alone === undefined) throw new Error('a step was given no answer');
    const wants = bookedLoad(snapshot, request, alone);
    placements[index] = { answer, turn, becauseOf: holdersOf(lacking(wants, unreservedBps, before), before) };
  }
  return placements;
}

/** A request that had its turn. */
interface Attempt {
  readonly index: number;
  readonly answer: PathAnswer;
  readonly load: ReadonlyMap<number, number>;
}

/** Requests of one priority, and what those of higher ones leave them. */
interface PriorityClass {
  readonly snapshot: Snapshot;
  readonly requests: readonly PathRequest[];
  readonly members: readonly number[];
  readonly free: Float64Array;
  /** Requests of higher priorities. */
  readonly before: number;
}

type Steps<Result> = Generator<PlacementStep<PathRequest>, Result, readonly PathAnswer[]>;

function* placeClass(group: PriorityClass): Steps<Attempt[]> {
  const first = yield* pass(group, group.members, true);
  const failed = first.filter(isFailed).map(({ index }) => index);
  if (failed.length === 0 || first.every(({ load }) => load.size === 0)) return first;
  // Whoever has no path with all that the class has has none in any order.
  const hopeless = new Set<number>();
  for (const index of failed) {
    const [alone] = yield* pass(group, [index], false);
    if (alone !== undefined && isFailed(alone)) hopeless.add(index);
  }
  if (failed.length === hopeless.size) return first;
  const competes = (index: number) =>
    !hopeless.has(index) && group.requests[index]?.constraints.bandwidthBps !== undefined;
  const nextOrder = otherOrders(group.members.filter(competes));
  let fewest = failed.length - hopeless.size;
  let best: readonly Attempt[] | undefined;
  let order = nextOrder(failed.filter(competes));
  while (order !== undefined && fewest > 0) {
    const attempts = yield* pass(group, order, false);
    const missing = attempts.filter(isFailed).map(({ index }) => index);
    if (missing.length < fewest) {
      fewest = missing.length;
      best = attempts;
    }
    order = nextOrder(missing);
  }
  if (best === undefined) return first;
  const left = group.free.slice();
  for (const { load } of best) take(left, load);
  const others = group.members.filter((index) => !competes(index));
  return [...best, ...(yield* pass({ ...group, free: left }, others, false))];
}

/** Answers these in their order. */
function* pass(group: PriorityClass, order: readonly number[], isFirst: boolean): Steps<Attempt[]> {
  const { snapshot, requests, members, before } = group;
  const left = group.free.slice();
  const attempts: Attempt[] = [];
  while (attempts.length < order.length) {
    const asked = order.slice(attempts.length);
    const answers = yield {
      requests: asked.map((index) => requests[index] as PathRequest),
      unreservedBps: left.slice(),
      answered: before + (isFirst ? attempts.length : members.length),
    };
    if (answers.length === 0) throw new Error('a step was given no answer');
    for (const [i, answer] of answers.entries()) {
      const index = asked[i] as number;
      const load = bookedLoad(snapshot, requests[index] as PathRequest, answer);
      take(left, load);
      attempts.push({ index, answer, load });
    }
  }
  return attempts;
}

function isFailed({ answer }: Attempt): boolean {
  return answer.status === 'no-path';
}

/** Arcs on which there is not enough for what a request wants. */
function lacking(
  wants: ReadonlyMap<number, number>,
  unreservedBps: Float64Array,
  before: readonly Attempt[],
): ReadonlySet<number> {
  const left = new Map([...wants.keys()].map((arc) => [arc, unreservedBps[arc] as number]));
  for (const { load } of before) {
    for (const [arc, bps] of load) {
      const free = left.get(arc);
      if (free !== undefined) left.set(arc, free - bps);
    }
  }
  return new Set([...wants].filter(([arc, bps]) => bps > (left.get(arc) as number)).map(([arc]) => arc));
}

function holdersOf(arcs: ReadonlySet<number>, attempts: readonly Attempt[]): number[] {
  return attempts
    .filter(({ load }) => [...load.keys()].some((arc) => arcs.has(arc)))
    .map(({ index }) => index)
    .sort((a, b) => a - b);
}

function priorityOf({ setupPriority = LOWEST_PRIORITY }: PathRequest): number {
  return setupPriority;
}

/** Positions of the requests of each priority, the highest first. */
function byPriority(requests: readonly PathRequest[]): [number, number[]][] {
  const classes = new Map<number, number[]>();
  for (const [index, request] of requests.entries()) {
    const priority = priorityOf(request);
    classes.set(priority, [...(classes.get(priority) ?? []), index]);
  }
  return [...classes].sort(([a], [b]) => a - b);
}
