import { setTimeout as sleep } from 'node:timers/promises';
import { ObservedSystem } from './observed-system.js';
import { describeFault, partOf, type PlannedFault, type Round } from './plan.js';
import type { Report } from './report.js';
import { inject, type Undo } from './system/inject.js';

/** What has been sabotaged never settles. */
const SABOTAGED_MS = 2_000;

export interface RunOptions {
  readonly seed: number;
  readonly agents: readonly string[];
  readonly rounds: readonly Round[];
  readonly report: Report;
  /** Breaks what is promised, after the last round: then everything is looked at once more. */
  readonly sabotage?: (observed: ObservedSystem) => Promise<void>;
}

/** One run: the system starts, each round breaks it and lets it settle, and it stops. What does not hold is in the report. */
export async function runChaos(options: RunOptions): Promise<void> {
  const observed = await ObservedSystem.start(options);
  try {
    for (const one of options.rounds) await round(observed, one);
    if (options.sabotage !== undefined) {
      await options.sabotage(observed);
      await observed.look(SABOTAGED_MS);
    }
  } finally {
    await observed.stop();
  }
}

async function round(observed: ObservedSystem, { number, lengthMs, faults, operations }: Round): Promise<void> {
  const { report, ledger } = observed;
  report.say(`round     ${number}: ${faults.length} faults and ${operations.length} requests in ${lengthMs / 1_000} s`);
  await observed.underWork(operations, async (at) => {
    const parts = new Set(faults.map(({ fault }) => partOf(fault)));
    await Promise.all(
      [...parts].map(async (part) => {
        // In turn: what a fault has ended takes its time to come back, and only then can be broken again.
        for (const planned of faults) {
          if (partOf(planned.fault) === part) await inflict(observed, planned, at, lengthMs);
        }
      }),
    );
    await at(lengthMs);
    report.say('round     all faults have ended');
  });
  await observed.look();
  report.say(`round     ${number} has settled: ${ledger.accepted.length} changes accepted so far`);
}

async function inflict(
  { system, report }: ObservedSystem,
  { atMs, forMs, fault }: PlannedFault,
  at: (ms: number) => Promise<void>,
  roundMs: number,
): Promise<void> {
  await at(atMs);
  report.fault(fault.kind, `${describeFault(fault)} for ${forMs} ms`);
  const undo: Undo = await inject(system, fault);
  await Promise.race([sleep(forMs), at(roundMs)]);
  await undo();
  report.say(`mended    ${describeFault(fault)}`);
}
