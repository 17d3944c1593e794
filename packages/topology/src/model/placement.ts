import type { PathAnswer } from './path-answer.js';

/** What became of one request of those that share the bandwidth that is left (RFC 5440 section 7.13: synchronised). */
export interface Placement {
  /** On what those with an earlier turn leave. */
  readonly answer: PathAnswer;
  /** Its place in the order of computation, from 0. */
  readonly turn: number;
  /**
   * No path, though there is one when none of the others takes anything: positions of those who hold what it lacks on the path
   * that it would have. Ascending. Empty: there is none even so, or it has a path.
   */
  readonly becauseOf: readonly number[];
}

/** Requests to answer in their order, each on what the ones before it leave of the bandwidth. */
export interface PlacementStep<Request> {
  readonly requests: readonly Request[];
  /** Per arc of the snapshot, in bit/s. */
  readonly unreservedBps: Float64Array;
  /** Requests of all that have an answer, which a later attempt may replace. */
  readonly answered: number;
}
