import { pino } from 'pino';
import type { ActualState, ActualTunnel, DataPlane, LocalSid } from '../dataplane/port.js';
import { steeredText } from '../dataplane/steered-prefix.js';
import type { LivenessPort } from '../liveness/path-liveness.js';
import { PolicyReconciler } from '../reconcile/policy-reconciler.js';
import type { DesiredState, PolicyOutcome, ReconcileReport } from '../session/ports.js';
import { desiredState, type EntrySketch } from './policies.js';

export const silentLog = pino({ level: 'silent' });

/** A reconciler on a data plane, driven by hand: no timer, no wake-up. */
export class ReconciledAgent {
  readonly reconciler: PolicyReconciler;
  readonly reports: ReconcileReport[] = [];
  #state: DesiredState = { epoch: 1, generation: 0, policies: new Map() };

  constructor(
    readonly dataPlane: DataPlane,
    localSids: readonly LocalSid[] = [],
    liveness: LivenessPort | null = null,
  ) {
    const options = { dataPlane, localSids, rereadIntervalMs: 3_600_000, wakeDelayMs: 0, liveness, log: silentLog };
    this.reconciler = new PolicyReconciler(options);
    this.reconciler.onReport((report) => this.reports.push(report));
  }

  /** Wants these entries from now on and waits until that is done. */
  async want(...sketches: readonly EntrySketch[]): Promise<ReconcileReport> {
    this.#state = desiredState(this.#state.generation + 1, sketches, this.#state);
    this.reconciler.setDesired(this.#state, 'all');
    await this.reconciler.reconcile();
    return this.lastReport;
  }

  get desired(): DesiredState {
    return this.#state;
  }

  get lastReport(): ReconcileReport {
    const last = this.reports.at(-1);
    if (last === undefined) throw new Error('there was no report');
    return last;
  }

  /** The last outcome that was reported of a policy. */
  outcome(policyId: string): PolicyOutcome | undefined {
    return this.reports.flatMap(({ outcomes }) => outcomes).findLast((outcome) => outcome.policyId === policyId);
  }

  /** What the data plane does with each steered prefix, by its text and in that order. */
  async forwarding(): Promise<Record<string, ActualTunnel['action']>> {
    return forwardingIn(await this.dataPlane.read());
  }
}

export function forwardingIn({ tunnels }: ActualState): Record<string, ActualTunnel['action']> {
  const pairs = tunnels.flatMap(({ steeredPrefixes, action }) =>
    steeredPrefixes.map((prefix): [string, ActualTunnel['action']] => [steeredText(prefix), action]),
  );
  return Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Colors by address. */
export function classSourcesIn({ classSources }: ActualState): Record<string, number> {
  return Object.fromEntries(classSources.map(({ address, color }) => [address, color]));
}
