import type { NoPath } from './path-answer.js';
import type { PathRequest } from './path-request.js';
import type { NodeId } from './ted.js';

/** The same request from one source to many destinations. All pairs are one such computation per source. */
export interface MeshRequest extends Pick<PathRequest, 'metric' | 'constraints' | 'families' | 'maxSegments'> {
  /** Sources among them have no path to themselves: status `same`. */
  readonly destinations: readonly NodeId[];
}

/** `status` of a destination. `computed` is optimal, `feasible` within `lowerBound`; why there is no path, `sourceAnswer` says. */
export const MeshStatus = { same: 0, computed: 1, feasible: 2, noPath: 3 } as const;

/**
 * Paths from one source, each with its proved segment list, in flat arrays by position in the request's `destinations`: plain
 * data, cheap to post between threads and to keep by the thousand. `sourceAnswer` makes the usual answer of one of them.
 */
export interface SourcePaths {
  readonly revision: number;
  readonly source: NodeId;
  /** Values of `MeshStatus`. */
  readonly status: Uint8Array<ArrayBuffer>;
  /** The optimised metric in its own unit, on the worst branch of the worst list; NaN where there is no path. */
  readonly metric: Float64Array<ArrayBuffer>;
  /** No path has a smaller metric; Infinity where there is none. */
  readonly lowerBound: Float64Array<ArrayBuffer>;
  /** SIDs and containers that the headend pushes, of the longest list; 0 where there is no path. */
  readonly entries: Uint16Array<ArrayBuffer>;
  /** `MeshMetrics.length` values per destination, on the worst branch, as its proof measured them. NaN: a link's is unknown. */
  readonly worst: Float64Array<ArrayBuffer>;
  /** 1: packets take no other way than one. */
  readonly singlePath: Uint8Array<ArrayBuffer>;
  /**
   * Numbers of the SIDs (in the snapshot) in front of the service SIDs, or with the final End SID where no family was asked for:
   * those of destination i are `sids[start[i]]` up to, not including, `sids[start[i + 1]]`.
   */
  readonly start: Uint32Array<ArrayBuffer>;
  readonly sids: Uint32Array<ArrayBuffer>;
  /** Destinations whose path was computed by itself, because what all share could not tell the best. */
  readonly computedAlone: number;
  /** By position, why there is no path, where one was sought by itself: without the constraints that conflict. */
  readonly noPaths: ReadonlyMap<number, NoPath>;
}

/** The order of `SourcePaths.worst`: igp, te, delay and delay variation in microseconds, loss in ppm, hops. */
export const MeshMetrics = ['igp', 'te', 'delay', 'delay-variation', 'loss', 'hop'] as const;
