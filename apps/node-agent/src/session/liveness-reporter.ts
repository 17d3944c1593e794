import type { LivenessReport } from '@waymark/agent-protocol';
import { changesReport, completeReport, toldOf, type Told } from '../liveness/liveness-messages.js';
import type { ListReport } from '../liveness/path-liveness.js';
import { Timers } from './timers.js';

/** A complete report makes up for all that was lost before it. */
const COMPLETE_INTERVAL_MS = 30_000;
/** Changes within this time go out together: a failure seldom takes one list alone. */
const GATHER_MS = 100;

/** Where the session learns what it reports of segment lists. */
export interface LivenessSource {
  reports(): readonly ListReport[];
  /** Called when a state may have changed. */
  onChange(listener: () => void): void;
  /** Called when the use of lists may have changed. */
  onConclusion(listener: () => void): void;
}

/** Tells the controller of a session how the segment lists fare: all, then what changes, then all again. */
export class LivenessReporter {
  readonly #source: LivenessSource;
  readonly #send: (report: LivenessReport) => void;
  readonly #timers = new Timers<'complete' | 'changes'>();
  /** null: no session. */
  #told: Told | null = null;
  #gathering = false;

  constructor(source: LivenessSource, send: (report: LivenessReport) => void) {
    this.#source = source;
    this.#send = send;
    source.onChange(() => this.#gather());
    source.onConclusion(() => this.#gather());
  }

  sessionBegins(): void {
    this.#complete();
  }

  sessionEnds(): void {
    this.#timers.clearAll();
    this.#told = null;
    this.#gathering = false;
  }

  #complete(): void {
    const lists = this.#source.reports();
    this.#told = toldOf(lists);
    for (const report of completeReport(lists)) this.#send(report);
    this.#timers.set('complete', COMPLETE_INTERVAL_MS, () => this.#complete());
  }

  #gather(): void {
    if (this.#told === null || this.#gathering) return;
    this.#gathering = true;
    this.#timers.set('changes', GATHER_MS, () => {
      this.#gathering = false;
      const lists = this.#source.reports();
      for (const report of changesReport(lists, this.#told ?? new Map<string, string>())) this.#send(report);
      this.#told = toldOf(lists);
    });
  }
}
