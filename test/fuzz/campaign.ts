import { Random } from './random.js';
import { fuzzSettings } from './settings.js';

/** What became of a case. `fault`: what is wrong, in words that are the same for the same fault. */
export interface Verdict {
  /** What the case is counted under: a status, an end of a stream. */
  readonly outcome: string;
  readonly fault?: string;
}

export interface FuzzCase {
  /** What the case is counted under: the generator that made it. */
  readonly kind: string;
  /** Everything that was sent, for people. */
  readonly text: string;
}

export interface Campaign<Case extends FuzzCase> {
  readonly name: string;
  /** In CI. */
  readonly cases: number;
  /** A pure function of what `random` gives. */
  readonly generate: (random: Random, index: number) => Case;
  readonly run: (one: Case, index: number) => Promise<Verdict>;
  /** What holds whatever was sent, looked at now and then and at the end; undefined: nothing is wrong. */
  readonly invariant?: { readonly every: number; readonly check: () => Promise<string | undefined> };
}

interface Failure {
  readonly fault: string;
  readonly index: number;
  readonly text: string;
  readonly times: number;
}

export interface CampaignReport {
  readonly summary: string;
  /** Each fault once, with the smallest case that shows it. Empty: nothing was found. */
  readonly failures: readonly string[];
}

const LONGEST_TEXT = 2_000;
/** More than this are no news. */
const MOST_FAULTS = 40;

/** Runs the cases one after the other. The same seed and index make the same case, whatever ran before. */
export async function runCampaign<Case extends FuzzCase>(campaign: Campaign<Case>): Promise<CampaignReport> {
  const { seed, only } = fuzzSettings;
  const count = fuzzSettings.cases ?? campaign.cases;
  const failures = new Map<string, Failure>();
  const tallies = new Map<string, Map<string, number>>();
  const note = (fault: string, index: number, text: string): void => {
    const before = failures.get(fault);
    const smallest = before === undefined || text.length < before.text.length ? { index, text } : before;
    failures.set(fault, { fault, index: smallest.index, text: smallest.text, times: (before?.times ?? 0) + 1 });
  };
  const hold = async (index: number): Promise<void> => {
    const broken = await campaign.invariant?.check().catch((error: unknown) => `it cannot be told: ${String(error)}`);
    if (broken !== undefined) note(broken, index, `found broken after case ${index}`);
  };
  const [first, end] = only === undefined ? [0, count] : [only, only + 1];
  let done = 0;
  for (let index = first; index < end && failures.size < MOST_FAULTS; index++) {
    const one = campaign.generate(new Random(`${seed}/${campaign.name}/${index}`), index);
    const { outcome, fault } = await campaign.run(one, index).catch(failed);
    const tally = tallies.get(one.kind) ?? new Map<string, number>();
    tallies.set(one.kind, tally.set(outcome, (tally.get(outcome) ?? 0) + 1));
    if (fault !== undefined) note(`${one.kind}: ${fault}`, index, one.text);
    done++;
    if (campaign.invariant !== undefined && done % campaign.invariant.every === 0) await hold(index);
  }
  await hold(end - 1);
  const found = [...failures.values()].map(
    ({ fault, index, text, times }) =>
      `${fault}\n  ${times} times; replay: npm run fuzz -- --only ${campaign.name} --seed ${seed} --case ${index}\n  ${text.slice(0, LONGEST_TEXT)}`,
  );
  return { summary: summaryOf(campaign.name, seed, done, tallies, found.length), failures: found };
}

function failed(error: unknown): Verdict {
  return { outcome: 'none', fault: `no verdict: ${String(error)}` };
}

function summaryOf(
  name: string,
  seed: number,
  done: number,
  tallies: ReadonlyMap<string, ReadonlyMap<string, number>>,
  faults: number,
): string {
  const lines = [...tallies].toSorted(byKey).map(([kind, tally]) => {
    const total = [...tally.values()].reduce((sum, one) => sum + one, 0);
    const outcomes = [...tally].toSorted(byKey).map(([outcome, times]) => `${outcome}: ${times}`);
    return `  ${kind.padEnd(24)} ${String(total).padStart(7)}  ${outcomes.join(', ')}`;
  });
  return [`fuzz ${name}: ${done} cases, seed ${seed}, ${faults} faults`, ...lines, ''].join('\n');
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
