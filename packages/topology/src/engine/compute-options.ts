export interface ComputeOptions {
  /** Bandwidth left per arc in bit/s at the request's setup priority; without it the reservable bandwidth. */
  readonly unreservedBps?: Float64Array;
  /** Relaxations and labels this request may cost. */
  readonly workBudget?: number;
  /** When there is no path: do not look for the constraints that conflict. */
  readonly skipConflict?: boolean;
}
