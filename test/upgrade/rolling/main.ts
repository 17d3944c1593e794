import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { CHAOS_NEEDS } from '../../chaos/needs.js';
import { Report } from '../../chaos/report.js';
import { missingNeeds } from '../../require-program.js';
import { findBuild } from './older-build.js';
import { rollingUpgrade } from './rolling-upgrade.js';

/**
 * `npm run rolling-upgrade -- --from <folder of an older build, or commit> [--seed N]`: docs/operating.md#upgrade, done. A
 * commit is checked out and built in a folder of its own. Exit status 1: something did not hold.
 */
export async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...argv], options: { from: { type: 'string' }, seed: { type: 'string' } } });
  const { from, seed = String(randomInt(2 ** 31)) } = values;
  if (from === undefined) throw new RangeError('--from: give the folder of an older build, or a commit');
  if (!/^\d{1,10}$/.test(seed)) throw new RangeError(`--seed ${seed}: give a whole number`);
  const missing = missingNeeds(CHAOS_NEEDS);
  if (missing !== undefined) throw new Error(`this cannot run here: ${missing}`);
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  const report = new Report(write);
  const older = findBuild(from);
  report.say(`from      ${from}, seed ${seed}`);
  try {
    await rollingUpgrade({ older: older.folder, seed: Number(seed), report });
  } finally {
    older.remove();
    write(`${report.summary()}\nagain with: npm run rolling-upgrade -- --from ${from} --seed ${seed}`);
  }
  process.exitCode = report.violations.length === 0 ? 0 : 1;
}
