import type { IncludeEntry } from '../model/path-request.js';
import type { NodeId } from '../model/ted.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import type { WalkState } from './walk.js';

/**
 * How far a branch has come. It may pass a loose entry each time that it comes by, or later, so there are several ways to
 * count: `passed` holds every number of entries that it can have passed while the next one can still be passed in its turn.
 */
interface Progress {
  readonly passed: ReadonlySet<number>;
  /** The most entries that it had ever passed. */
  readonly furthest: number;
}

/** The first entry of an include list that some branch does not pass in its turn; undefined when all branches pass all. */
export function missedEntry(
  snapshot: Snapshot,
  states: readonly WalkState[],
  include: readonly IncludeEntry[],
): IncludeEntry | undefined {
  if (include.length === 0) return undefined;
  const failed = progressAtTheEnd(snapshot, states, include).filter(({ passed }) => !passed.has(include.length));
  return include[Math.min(...failed.map(({ furthest }) => furthest))];
}

function progressAtTheEnd(
  snapshot: Snapshot,
  states: readonly WalkState[],
  include: readonly IncludeEntry[],
): Progress[] {
  const at = new Map<WalkState, Map<string, Progress>>();
  const reach = (state: WalkState, progress: Progress): void => {
    const known = at.get(state) ?? new Map<string, Progress>();
    known.set([...progress.passed, 'of', progress.furthest].join(), progress);
    at.set(state, known);
  };
  const ends: Progress[] = [];
  for (const [i, state] of states.entries()) {
    if (i === 0) reach(state, visit(include, new Set([0]), 0, snapshot.nodeIdOf(state.node)));
    for (const progress of at.get(state)?.values() ?? []) {
      if (state.moves.length === 0) ends.push(progress);
      for (const { arc, to } of state.moves) {
        if (arc === null) reach(to, progress);
        else reach(to, cross(include, progress, snapshot.linkIdOf(arc), snapshot.nodeIdOf(to.node)));
      }
    }
  }
  return ends;
}

/** A strict entry is passed by the very next hop, or not any more. */
function cross(include: readonly IncludeEntry[], { passed, furthest }: Progress, link: string, to: NodeId): Progress {
  const after = new Set<number>();
  for (let count = 0; count <= include.length; count++) {
    if (!passed.has(count)) continue;
    const entry = include[count];
    if (entry === undefined || entry.hop !== 'strict') after.add(count);
    if (entry !== undefined && ('link' in entry ? entry.link === link : entry.node === to)) after.add(count + 1);
  }
  return visit(include, after, furthest, to);
}

function visit(include: readonly IncludeEntry[], passed: Set<number>, furthest: number, node: NodeId): Progress {
  for (const [i, entry] of include.entries()) {
    if (passed.has(i) && 'node' in entry && entry.node === node) passed.add(i + 1);
  }
  const inOrder = [...passed].sort((a, b) => a - b);
  return { passed: new Set(inOrder), furthest: Math.max(furthest, inOrder.at(-1) ?? 0) };
}
