import type { Demand, NodeId, Snapshot, Ted } from '@waymark/topology';
import type { Transaction } from 'kysely';
import type { EvaluationTask, PolicyEvaluation } from '../compute/evaluate-policies-model.js';
import type { DemandBookings } from '../compute/overlaid.js';
import type { PolicyDetoursInput } from '../compute/policy-detours.js';
import type { Journal } from '../model/journal.js';
import type { ListDetours } from '../model/sr-policy.js';
import type { Database, Tables } from '../storage/database.js';
import type { ReadDatabaseTime } from '../storage/database-time.js';
import type { AnnounceEvents } from '../storage/event-channel.js';
import type { RevisionNumbers } from '../storage/revision.js';
import type { StartTimer } from './delay-machine.js';

/** What distribution says it wrote for one headend; only as much of it as policies need. */
export interface WrittenDelta {
  readonly headend: NodeId;
  readonly generation: number;
  readonly changes: readonly { readonly policyId: string }[];
}

export interface DesiredChange {
  readonly headend: NodeId;
  readonly policies: readonly { readonly policyId: string; readonly body: Uint8Array | null }[];
}

export type Evaluate = (
  snapshot: Snapshot,
  task: EvaluationTask,
  signal?: AbortSignal,
) => Promise<readonly PolicyEvaluation[]>;

/** What demands would book on a snapshot. */
export type BookDemands = (snapshot: Snapshot, demands: readonly Demand[]) => Promise<DemandBookings>;
export type PredictDetours = (
  snapshot: Snapshot,
  input: PolicyDetoursInput,
  signal?: AbortSignal,
) => Promise<readonly ListDetours[]>;

/** What the steps of the leader need of other rooms. `Delta` is theirs: it is only handed from one to the other. */
export interface StepDependencies<Delta extends WrittenDelta> {
  readonly db: Database;
  /** The newest TED, or what it was at a past revision of the head row (not a TED revision). */
  readonly ted: (revision?: number) => Promise<Ted>;
  /** The TED of the head row that `tx` has locked, read through `tx` alone: writers that wait may hold every other session. */
  readonly tedAtHead: (tx: Transaction<Tables>, head: RevisionNumbers) => Promise<Ted>;
  /** A transaction that commits only while the epoch is the newest. */
  readonly fenced: <T>(epoch: number, work: (tx: Transaction<Tables>) => Promise<T>) => Promise<T>;
  readonly writeDesired: (
    tx: Transaction<Tables>,
    epoch: number,
    changes: readonly DesiredChange[],
  ) => Promise<readonly Delta[]>;
  readonly evaluate: Evaluate;
  readonly announceEvents: AnnounceEvents;
  /** Its `now` tells how long links are held. */
  readonly journal: Journal;
  readonly readDatabaseTime: ReadDatabaseTime;
}

/** What the loop needs besides, which takes each step as an entry of the journal. */
export interface ReactionDependencies<Delta extends WrittenDelta> extends StepDependencies<Delta> {
  /** Calls back after each revision that was committed anywhere; returns the function that ends this. */
  readonly onRevision: (listener: (numbers: RevisionNumbers) => void) => () => void;
  /** After COMMIT. */
  readonly publish: (deltas: readonly Delta[]) => Promise<void>;
  readonly log: ReactionLog;
  readonly startTimer: StartTimer;
}

export interface ReactionLog {
  info(detail: object, message: string): void;
  warn(detail: object, message: string): void;
  error(detail: object, message: string): void;
}

export interface ReactionSettings {
  /** Each headend draws its BSIDs from a /64 of this prefix. */
  readonly bsidPool: string;
  readonly holdMs: number;
  readonly maxHoldMs: number;
  /** Evaluations that may run at the same time. */
  readonly parallelism: number;
}
