/** From `from` (EVERYWHERE: from wherever the headend's links lead) by an algorithm to `via`, then over `arc` (-1: none). */
export interface SegmentStop {
  readonly from: number;
  readonly via: number;
  readonly algorithm: number;
  readonly arc: number;
  /** `via` is a host to which `from` delivers over its own links, whatever the IGP has. */
  readonly isAttached: boolean;
}
