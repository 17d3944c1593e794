import type { Conflict, ConflictingConstraint } from '../model/path-answer.js';
import type { ConstraintPointer } from './constraint-set.js';

/** What matters of an answer to a variant of a request; null when the work budget does not suffice to know. */
export type Outcome =
  { readonly status: 'computed'; readonly lowerBound: number } | { readonly status: 'no-path' } | null;

export interface ConflictTask {
  /** What the request demands, but for what nobody insists on. */
  readonly constraints: readonly ConstraintPointer[];
  /** The constraint that the explanation blames: looked for in the conflict, if it is in any. */
  readonly blamed: ConstraintPointer | null;
  /** The request without some of its constraints. */
  readonly without: (dropped: ReadonlySet<ConstraintPointer>) => Outcome;
  /** The value of a constraint nearest to what was asked for with which there is a path; null: none, or none was found. */
  readonly nearestValue: (pointer: ConstraintPointer) => number | null;
  /** The request with such a value. */
  readonly withValue: (pointer: ConstraintPointer, value: number) => Outcome;
}

/**
 * A minimal set of constraints that leave no path, by deletion: each constraint is dropped for good when there is no path
 * without it either. What stays has no path, and any one of it less has one.
 */
export function minimalConflict(task: ConflictTask): Conflict {
  const { constraints: all, blamed, without } = task;
  const bare = without(new Set(all));
  if (bare?.status === 'no-path') return { constraints: [], isMinimal: true };
  const isBlamed = (pointer: string) => blamed !== null && (pointer === blamed || pointer.startsWith(`${blamed}/`));
  const inOrder = [...all.filter((pointer) => !isBlamed(pointer)), ...all.filter(isBlamed)];
  const dropped = new Set<ConstraintPointer>();
  let isMinimal = bare !== null;
  for (const pointer of inOrder) {
    const answer = without(new Set([...dropped, pointer]));
    if (answer === null) isMinimal = false;
    else if (answer.status === 'no-path') dropped.add(pointer);
  }
  const members = all.filter((pointer) => !dropped.has(pointer));
  return { constraints: members.map((pointer) => relaxation(task, pointer)), isMinimal };
}

/** What it takes to relax one constraint, all else as asked. */
function relaxation(task: ConflictTask, pointer: ConstraintPointer): ConflictingConstraint {
  const nearestFeasible = task.nearestValue(pointer);
  const answer = nearestFeasible === null ? task.without(new Set([pointer])) : task.withValue(pointer, nearestFeasible);
  return { constraint: pointer, nearestFeasible, metric: answer?.status === 'computed' ? answer.lowerBound : null };
}

/** The first of 0 to count - 1 that has what all after it have too; count when none has. */
export function firstWhere(count: number, holds: (i: number) => boolean): number {
  let low = 0;
  let high = Math.max(0, count);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
