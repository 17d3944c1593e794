import type { DataPlaneReport, Prefix } from '@waymark/agent-protocol';

/**
 * Between the session, which knows what the controller wants, and the reconciler, which makes the data plane equal to
 * it. The session only ever hands over states that it has verified and stored durably.
 */

/** What the controller wants this node to hold: whole, not a change. Immutable; a new object per generation. */
export interface DesiredState {
  readonly epoch: number;
  readonly generation: number;
  /** Where the binding SIDs of this node lie; left out: the controller does not say. */
  readonly bsidBlock?: Prefix | undefined;
  /** By policy id. `generation` is the headend generation that wrote the policy, `body` a serialized DesiredPolicy. */
  readonly policies: ReadonlyMap<string, { readonly generation: number; readonly body: Uint8Array }>;
}

/**
 * What became of one policy in the data plane, as read back. `generation` is the one of the policy that was applied;
 * for a policy that is no longer desired (`removed`, or `failed` when it could not be removed) it is the generation of
 * the state that no longer held it. `reason` is empty unless `failed`.
 */
export interface PolicyOutcome {
  readonly policyId: string;
  readonly generation: number;
  readonly outcome: 'installed' | 'simulated' | 'failed' | 'removed';
  readonly reason: string;
}

/** Result of one reconciliation. */
export interface ReconcileReport {
  /** Of the desired state that was reconciled. */
  readonly epoch: number;
  readonly generation: number;
  /** What changed since the last report; a first report after `setDesired(…, 'all')` names every policy. */
  readonly outcomes: readonly PolicyOutcome[];
  /**
   * `stateHashOf` the bodies that were read back as installed (or simulated): equal to the desired state's hash when
   * the data plane holds exactly what is wanted. 32 bytes.
   */
  readonly readBackHash: Uint8Array;
}

export interface Reconciler {
  /**
   * Take over a new desired state. `changed` names the policies that differ from the state before (added, changed and
   * removed ones), or `all` when the session cannot tell: after a start or a resync. Returns at once; the work and its
   * report come later, and a newer state may overtake an older one that was not yet reconciled.
   */
  setDesired(state: DesiredState, changed: ReadonlySet<string> | 'all'): void;
  onReport(listener: (report: ReconcileReport) => void): void;
}

/** What the session tells the controller about the data plane with each heartbeat. */
export interface DataPlaneHealth {
  /** null: healthy */
  readonly error: string | null;
  /** Repairs of drift since the agent started. */
  readonly driftRepairs: number;
}

/** What the controller hears of how the data plane fares, when a session begins and at every new report. */
export interface DataPlaneReports {
  /** The newest; null: none yet. */
  readonly report: DataPlaneReport | null;
  /** Called when there is a new one. */
  onReport(listener: () => void): void;
}
