import type { FailedElement } from '../../model/path-protection.js';
import type { Snapshot } from '../../snapshot/snapshot.js';

/** A failure by number. */
export interface Failure {
  readonly element: FailedElement;
  /** Both directions of every link that goes with it. */
  readonly arcs: ReadonlySet<number>;
  /** -1: a link alone. */
  readonly node: number;
}

/** A link fails in both directions: nobody uses an adjacency that only one side sees. */
export function linkFailure(snapshot: Snapshot, arc: number): Failure {
  const reverse = snapshot.reverseOf(arc);
  return {
    element: { kind: 'link', link: snapshot.linkIdOf(arc) },
    arcs: new Set(reverse < 0 ? [arc] : [arc, reverse]),
    node: -1,
  };
}

export function nodeFailure(snapshot: Snapshot, node: number): Failure {
  return {
    element: { kind: 'node', node: snapshot.nodeIdOf(node) },
    arcs: new Set([...snapshot.linksOf(node), ...snapshot.linksInto(node)]),
    node,
  };
}
