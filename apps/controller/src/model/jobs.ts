import type { Hypothetical } from '@waymark/topology';

/** A long computation of one controller, as far as it is. */
export interface JobView {
  readonly id: string;
  /** The controller that holds it: no other knows it. */
  readonly controller: string;
  readonly status: 'queued' | 'running' | 'done' | 'failed';
  /** TED revision that all its items hold for. */
  readonly revision: number;
  readonly progress: { readonly done: number; readonly total: number };
  /** Items that can be read: the first so many. */
  readonly available: number;
  /** Items so far, by outcome. */
  readonly counts: Readonly<Record<string, number>>;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** What it failed of; null unless it did. */
  readonly failure: string | null;
  /** What all its items hold under. */
  readonly hypothetical?: Hypothetical;
}

/** What the jobs of a controller do, in numbers. */
export interface JobCounts {
  readonly held: readonly { readonly kind: string; readonly status: JobView['status'] }[];
  /** What their items take. */
  readonly bytes: number;
  /** Since the process started. */
  readonly finished: readonly {
    readonly kind: string;
    readonly outcome: 'done' | 'failed' | 'cancelled';
    readonly jobs: number;
  }[];
  readonly computed: readonly { readonly kind: string; readonly items: number }[];
}
