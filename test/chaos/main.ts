import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { missingNeeds } from '../require-program.js';
import { planOf, type Round } from './plan.js';
import { CHAOS_NEEDS } from './needs.js';
import { Report } from './report.js';
import { runChaos } from './run.js';
import { AGENTS } from './workload/operation.js';

const ROUND_MS = 30_000;
const DEFAULT_MINUTES = 5;

/** `npm run chaos -- [--seed N] [--minutes M] [--plan]`. Exit status 1: an invariant was violated. */
export async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: { seed: { type: 'string' }, minutes: { type: 'string' }, plan: { type: 'boolean', default: false } },
  });
  const seed = values.seed === undefined ? randomInt(2 ** 31) : natural('seed', values.seed);
  const minutes = natural('minutes', values.minutes ?? String(DEFAULT_MINUTES));
  const rounds = planOf(seed, { rounds: minutes * (60_000 / ROUND_MS), roundMs: ROUND_MS, agents: AGENTS });
  if (values.plan) {
    printPlan(rounds);
    return;
  }
  const missing = missingNeeds(CHAOS_NEEDS);
  if (missing !== undefined) throw new Error(`this cannot run here: ${missing}`);
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  const report = new Report(write);
  const again = `npm run chaos -- --seed ${seed} --minutes ${minutes}`;
  report.say(`seed      ${seed}`);
  try {
    await runChaos({ seed, agents: AGENTS, rounds, report });
  } finally {
    write(`${report.summary()}\nagain with: ${again}`);
  }
  process.exitCode = report.violations.length === 0 ? 0 : 1;
}

function natural(name: string, text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new RangeError(`--${name} ${text}: give a whole number`);
  return Number(text);
}

function printPlan(rounds: readonly Round[]): void {
  for (const { number, faults, operations } of rounds) {
    const lines = [...faults, ...operations].sort((a, b) => a.atMs - b.atMs);
    for (const line of lines) process.stdout.write(`${JSON.stringify({ round: number, ...line })}\n`);
  }
}
