import { equalBytes, isClassId, stateHashOf, type HashedPolicy } from '@waymark/agent-protocol';
import type { BaseLogger } from 'pino';
import type { DataPlane, LocalSid, Step } from '../dataplane/port.js';
import { sourceText, steeredText } from '../dataplane/steered-prefix.js';
import type { DataPlaneHealth, DesiredState, PolicyOutcome, Reconciler, ReconcileReport } from '../session/ports.js';
import type { LivenessPort, ListUse } from '../liveness/path-liveness.js';
import { installedLists, isProbeRouteHeld, type ActualIndex } from './actual-index.js';
import { sourcesOf, tunnelsOf, wantedEntry, type WantedEntry } from './desired-entry.js';
import { judgesOf } from './judged-lists.js';
import { faultOf, prepareNode, runRound, type Round } from './round.js';

export interface PolicyReconcilerOptions {
  readonly dataPlane: DataPlane;
  /** The local SIDs that this agent owns. */
  readonly localSids: readonly LocalSid[];
  /** How often the data plane is read again without any reason to. */
  readonly rereadIntervalMs: number;
  /** How long to gather wake-ups of the data plane before it is read again. */
  readonly wakeDelayMs: number;
  /** Says which lists deliver; null: nothing is known of any. */
  readonly liveness: LivenessPort | null;
  readonly log: Pick<BaseLogger, 'info' | 'warn' | 'error'>;
}

/** Numbers for metrics; all of them since the start. */
export interface ReconcilerCounts {
  readonly rounds: number;
  readonly steps: number;
  readonly driftRepairs: number;
  /** By their last outcome. */
  readonly policies: OutcomeCounts;
  readonly serviceClasses: OutcomeCounts;
}

export type OutcomeCounts = Readonly<Record<'installed' | 'simulated' | 'failed', number>>;

/** How soon to look again at a data plane that does not work. */
const RETRY_MS = 2_000;

/** What one round is about; whatever arrives while it runs belongs to the next. */
interface Task {
  readonly desired: DesiredState;
  readonly wanted: ReadonlyMap<string, WantedEntry>;
  /** Entries that left the desired state, with what they had in it; null: it is not known. */
  readonly leaving: ReadonlyMap<string, WantedEntry | null>;
  /** Entries whose outcome must be reported even if it is the same as before. */
  readonly unreported: ReadonlySet<string>;
}

/** What the last complete round was about and left behind: what differs from it now, and should not, is drift. */
interface Settled {
  readonly desired: DesiredState;
  /** By the id of an entry: as text, what was to be held. Liveness changes tunnels as well as the controller. */
  readonly held: ReadonlyMap<string, string>;
  /** Addresses of the probe routes that were read back. */
  readonly probeRoutes: ReadonlySet<string>;
}

/**
 * Keeps the data plane equal to the desired state: one round at a time, and whatever arrives during a round is done
 * together in the next. Until a desired state is known, only what tunnels stand on is laid.
 *
 *     setDesired ─┐
 *     timer ──────┼─► round: prepare → read → make → read back → break → read back ─► report
 *     wake-up ────┘      ▲ again, when something arrived meanwhile │
 *                        └─────────────────────────────────────────┘
 */
export class PolicyReconciler implements Reconciler {
  readonly #options: PolicyReconcilerOptions;
  #desired: DesiredState | null = null;
  #wanted = new Map<string, WantedEntry>();
  #unreported = new Set<string>();
  readonly #leaving = new Map<string, WantedEntry | null>();
  readonly #outcomes = new Map<string, PolicyOutcome>();
  #listener: (report: ReconcileReport) => void = () => undefined;
  #lastReport: Pick<ReconcileReport, 'epoch' | 'generation' | 'readBackHash'> | null = null;
  #settled: Settled | null = null;
  #error: string | null = null;
  #counts = { rounds: 0, steps: 0, driftRepairs: 0 };

  #requested = 0;
  #running: Promise<void> | null = null;
  #stopped = false;
  #reread: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #started = false;
  #wake: NodeJS.Timeout | undefined;
  #unwatch: () => void = () => undefined;

  constructor(options: PolicyReconcilerOptions) {
    this.#options = options;
  }

  /** From now on the data plane is read again on a timer and when it says that something changed. */
  start(): void {
    this.#started = true;
    this.#reread = setInterval(() => void this.reconcile(), this.#options.rereadIntervalMs);
    this.#unwatch = this.#options.dataPlane.watch(() => {
      this.#wake ??= setTimeout(() => {
        this.#wake = undefined;
        void this.reconcile();
      }, this.#options.wakeDelayMs);
    });
  }

  /** Finishes the round that is under way; the data plane keeps what it has. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#reread);
    clearTimeout(this.#retry);
    clearTimeout(this.#wake);
    this.#unwatch();
    await this.#running;
  }

  onReport(listener: (report: ReconcileReport) => void): void {
    this.#listener = listener;
  }

  setDesired(state: DesiredState, changed: ReadonlySet<string> | 'all'): void {
    const wanted = new Map<string, WantedEntry>();
    for (const [policyId, { generation, body }] of state.policies) {
      const known = this.#wanted.get(policyId);
      const same = known?.generation === generation && equalBytes(known.body, body);
      wanted.set(policyId, same ? known : wantedEntry(policyId, generation, body));
      if (changed === 'all') this.#unreported.add(policyId);
      this.#leaving.delete(policyId);
    }
    for (const [policyId, entry] of this.#wanted) if (!wanted.has(policyId)) this.#leaving.set(policyId, entry);
    for (const policyId of changed === 'all' ? [] : changed) {
      this.#unreported.add(policyId);
      if (!wanted.has(policyId) && !this.#leaving.has(policyId)) this.#leaving.set(policyId, null);
    }
    this.#desired = state;
    this.#wanted = wanted;
    void this.reconcile();
  }

  get health(): DataPlaneHealth {
    return { error: this.#error, driftRepairs: this.#counts.driftRepairs };
  }

  get counts(): ReconcilerCounts {
    const policies = { installed: 0, simulated: 0, failed: 0 };
    const serviceClasses = { ...policies };
    for (const { policyId, outcome } of this.#outcomes.values()) {
      if (outcome !== 'removed') (isClassId(policyId) ? serviceClasses : policies)[outcome] += 1;
    }
    return { ...this.#counts, policies, serviceClasses };
  }

  /** The last outcome of each entry that is wanted, or not yet gone. */
  get outcomes(): readonly PolicyOutcome[] {
    return [...this.#outcomes.values()];
  }

  /** Runs a round now, or one more after the one under way. Resolves when all that was asked for is done. */
  reconcile(): Promise<void> {
    this.#requested += 1;
    this.#running ??= this.#runRequested().finally(() => (this.#running = null));
    return this.#running;
  }

  async #runRequested(): Promise<void> {
    for (let done = -1; done !== this.#requested && !this.#stopped;) {
      // A burst of deltas arrives within one turn of the event loop: take it whole.
      await new Promise((resolve) => setImmediate(resolve));
      done = this.#requested;
      const desired = this.#desired;
      if (desired === null) {
        await this.#prepare();
        continue;
      }
      const task = { desired, wanted: this.#wanted, leaving: new Map(this.#leaving), unreported: this.#unreported };
      this.#unreported = new Set();
      const round = await runRound(
        this.#options.dataPlane,
        task.wanted,
        this.#options.localSids,
        this.#options.liveness,
        desired.bsidBlock,
      );
      this.#conclude(round, task);
    }
  }

  /** Nothing is known of what is wanted yet; whether the data plane works can be told all the same. */
  async #prepare(): Promise<void> {
    const { dataPlane, localSids } = this.#options;
    try {
      const complaints = await prepareNode(dataPlane, localSids);
      this.#complain(complaints[0] ?? null, complaints);
    } catch (error) {
      this.#complain(faultOf(error));
      this.#retrySoon();
    }
  }

  #conclude(round: Round, task: Task): void {
    const { desired, wanted } = task;
    this.#counts.rounds += 1;
    this.#say(round, desired);
    const outcomes = [...wanted.values()].map((entry) => this.#outcomeOf(entry, round));
    const readBackHash = readBackHashOf(round, outcomes, wanted);
    if (round.kind === 'fault') {
      outcomes.push(...[...task.leaving.keys()].map((policyId) => failed(policyId, desired.generation, round.reason)));
    } else {
      this.#counts.steps += round.makes.length + round.breaks.length;
      this.#counts.driftRepairs += this.#repairsOf(round, desired, outcomes);
      outcomes.push(...departures(round.actual, task, outcomes));
      this.#settled = settledBy(round, desired);
      const inPlace = round.probeRoutes.filter((route) => isProbeRouteHeld(route, round.actual));
      this.#options.liveness?.conclude(
        inPlace,
        [...wanted.values()].flatMap((entry) => usesOf(entry, round.actual)),
      );
    }
    const news = outcomes.filter(
      (outcome) => task.unreported.has(outcome.policyId) || !isSame(this.#outcomes.get(outcome.policyId), outcome),
    );
    for (const outcome of outcomes) this.#remember(outcome);
    this.#report({ epoch: desired.epoch, generation: desired.generation, outcomes: news, readBackHash });
  }

  #outcomeOf({ policyId, generation }: WantedEntry, round: Round): PolicyOutcome {
    const reason = round.kind === 'fault' ? round.reason : (round.results.get(policyId) ?? null);
    if (reason !== null) return failed(policyId, generation, reason);
    const outcome = this.#options.dataPlane.capabilities.real ? 'installed' : 'simulated';
    return { policyId, generation, outcome, reason: '' };
  }

  /** What had to be done although nothing new was wanted. */
  #repairsOf(
    round: Extract<Round, { kind: 'done' }>,
    desired: DesiredState,
    outcomes: readonly PolicyOutcome[],
  ): number {
    const settled = this.#settled;
    if (settled?.desired !== desired) return 0;
    const due = heldTexts(round);
    const mended = new Set(
      round.makes.map(entryOf).filter((id) => id !== null && settled.held.get(id) === due.get(id)),
    );
    const reprobed = round.makes.filter(
      (step) => step.kind === 'put-probe-route' && settled.probeRoutes.has(step.route.address),
    );
    const repaired = outcomes.filter(
      ({ policyId, outcome }) =>
        mended.has(policyId) && outcome !== 'failed' && this.#outcomes.get(policyId)?.outcome === outcome,
    );
    return repaired.length + reprobed.length + round.breaks.length;
  }

  #remember(outcome: PolicyOutcome): void {
    if (outcome.outcome === 'removed') {
      this.#leaving.delete(outcome.policyId);
      this.#outcomes.delete(outcome.policyId);
    } else {
      this.#outcomes.set(outcome.policyId, outcome);
    }
  }

  #report(report: ReconcileReport): void {
    const last = this.#lastReport;
    const isNews =
      report.outcomes.length > 0 ||
      last?.epoch !== report.epoch ||
      last.generation !== report.generation ||
      !equalBytes(last.readBackHash, report.readBackHash);
    if (!isNews) return;
    this.#lastReport = report;
    this.#listener(report);
  }

  #complain(error: string | null, complaints: readonly string[] = []): void {
    const { log } = this.#options;
    if (error !== this.#error) {
      if (error === null) log.info('the data plane works again');
      else log.error({ complaints }, error);
      this.#error = error;
    }
  }

  /** What is wrong with a data plane that does not work may be mended at any moment. */
  #retrySoon(): void {
    clearTimeout(this.#retry);
    if (!this.#started || this.#stopped) return;
    this.#retry = setTimeout(() => void this.reconcile(), Math.min(RETRY_MS, this.#options.rereadIntervalMs));
  }

  #say(round: Round, { epoch, generation }: DesiredState): void {
    const { log } = this.#options;
    if (round.kind === 'fault') {
      this.#complain(round.reason);
      this.#retrySoon();
    } else this.#complain(round.complaints[0] ?? null, round.complaints);
    if (round.kind === 'fault' || round.makes.length + round.breaks.length === 0) return;
    const failed = [...round.results].filter(([, reason]) => reason !== null).length;
    const facts = { epoch, generation, made: round.makes.length, removed: round.breaks.length, failed };
    if (failed > 0) log.warn(facts, 'reconciled, but some policies failed');
    else log.info(facts, 'reconciled');
  }
}

function settledBy(round: Extract<Round, { kind: 'done' }>, desired: DesiredState): Settled {
  return { desired, held: heldTexts(round), probeRoutes: new Set(round.actual.probeRoutes.keys()) };
}

function heldTexts({ accepted, acceptedClasses }: Extract<Round, { kind: 'done' }>): ReadonlyMap<string, string> {
  return new Map([
    ...[...accepted].map(([id, tunnels]): [string, string] => [
      id,
      JSON.stringify(tunnels.map(({ action }) => action)),
    ]),
    ...[...acceptedClasses].map(([id, sources]): [string, string] => [id, sources.map(sourceText).join()]),
  ]);
}

/** Which entry a step is for. */
function entryOf(step: Step): string | null {
  if (step.kind === 'put-tunnel') return step.policyId;
  return step.kind === 'put-class-source' ? step.classId : null;
}

/** Each list of a policy, and whether its packets may take it now. */
function usesOf({ policyId, content }: WantedEntry, actual: ActualIndex): ListUse[] {
  if (content.kind !== 'policy') return [];
  const judges = judgesOf(content.tunnels, content.ways);
  return content.tunnels.flatMap((tunnel) => {
    const { family, action, standbyLists } = tunnel;
    const installed = installedLists(tunnel, actual);
    const use = (standby: boolean) => (list: { readonly sids: readonly string[] }) => {
      const { sids } = list;
      return { policyId, family, sids, standby, inUse: installed.has(sids.join()), judgedBy: judges(family, sids) };
    };
    const active = action.kind === 'encapsulate' ? action.segmentLists : [];
    return [...active.map(use(false)), ...standbyLists.map(use(true))];
  });
}

function failed(policyId: string, generation: number, reason: string): PolicyOutcome {
  return { policyId, generation, outcome: 'failed', reason };
}

function isSame(before: PolicyOutcome | undefined, now: PolicyOutcome): boolean {
  return before?.generation === now.generation && before.outcome === now.outcome && before.reason === now.reason;
}

/** Entries that left: removed once what they had is steered no more and in no class, or by an entry that is installed. */
function departures(actual: ActualIndex, task: Task, outcomes: readonly PolicyOutcome[]): PolicyOutcome[] {
  const { generation } = task.desired;
  const installed = outcomes.filter(({ outcome }) => outcome !== 'failed').map(({ policyId }) => policyId);
  const kept = new Set(installed.flatMap((policyId) => partsOf(task.wanted.get(policyId) ?? null)));
  return [...task.leaving].map(([policyId, entry]) => {
    const left = partsOf(entry).find((part) => actual.parts.has(part) && !kept.has(part));
    if (left === undefined) return { policyId, generation, outcome: 'removed', reason: '' };
    return failed(policyId, generation, `${left} is still steered`);
  });
}

/** What an entry takes in the data plane for itself: texts of its prefixes or of its sources. */
function partsOf(entry: WantedEntry | null): readonly string[] {
  if (entry === null) return [];
  const prefixes = tunnelsOf(entry).flatMap(({ steeredPrefixes }) => steeredPrefixes);
  return [...prefixes.map(steeredText), ...sourcesOf(entry).map(sourceText)];
}

/**
 * Equal to the hash of the desired state exactly when every policy was read back as wanted and nothing else of ours is
 * there: what nobody wants counts as a policy of its own, and so does not knowing what is there.
 */
function readBackHashOf(
  round: Round,
  outcomes: readonly PolicyOutcome[],
  wanted: ReadonlyMap<string, WantedEntry>,
): Uint8Array {
  if (round.kind === 'fault') return stateHashOf([{ policyId: 'unknown', body: new Uint8Array() }]);
  const held: HashedPolicy[] = outcomes.flatMap(({ policyId, outcome }) => {
    const entry = wanted.get(policyId);
    return outcome === 'failed' || entry === undefined ? [] : [entry];
  });
  return stateHashOf([...held, ...unwantedIn(round.actual, wanted)]);
}

function unwantedIn(actual: ActualIndex, wanted: ReadonlyMap<string, WantedEntry>): HashedPolicy[] {
  const parts = new Set([...wanted.values()].flatMap(partsOf));
  return [...actual.parts]
    .filter((part) => !parts.has(part))
    .map((part) => ({ policyId: `unwanted:${part}`, body: new Uint8Array() }));
}
