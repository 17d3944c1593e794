import { appendFile, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { missingNeeds } from '../require-program.js';
import { AUDITED } from './invariants/audit.js';
import { FENCED, GENERATIONS_GROW, ONE_LEADER } from './invariants/leadership.js';
import { ACCEPTED_IS_THERE, PLANE_IS_DESIRED, SETTLES } from './invariants/settled.js';
import { NEVER_BACK } from './invariants/watch.js';
import { CHAOS_NEEDS } from './needs.js';
import { MADE_BEFORE_BROKEN, NOBODY_DIES } from './observed-system.js';
import { partOf, planOf, type Round } from './plan.js';
import { Report } from './report.js';
import { runChaos, type RunOptions } from './run.js';
import { AGENTS } from './workload/operation.js';

const SEED = 7;
const SABOTAGED = [
  ...[ACCEPTED_IS_THERE, AUDITED, FENCED, GENERATIONS_GROW, MADE_BEFORE_BROKEN, NOBODY_DIES, ONE_LEADER],
  ...[PLANE_IS_DESIRED, SETTLES],
];
/** Whatever a slow machine leaves undone: these are always looked at. */
const ALWAYS_CHECKED = [ACCEPTED_IS_THERE, NEVER_BACK, ONE_LEADER, SETTLES];
const agents = AGENTS.slice(0, 2);
const missing = missingNeeds(CHAOS_NEEDS);

describe('a plan', () => {
  const options = { rounds: 2, roundMs: 20_000, agents };

  it('is the same for the same seed, and another for another', () => {
    expect(planOf(SEED, options)).toEqual(planOf(SEED, options));
    expect(planOf(SEED, options)).not.toEqual(planOf(SEED + 1, options));
  });

  it('does everything there is to do, one fault at a time to each part', () => {
    const [round] = planOf(SEED, { ...options, roundMs: 600_000 });
    const faults = round?.faults ?? [];
    expect(new Set(faults.map(({ fault }) => fault.kind)).size).toBe(10);
    const freeAt = new Map<string, number>();
    for (const { atMs, forMs, fault } of faults) {
      expect(atMs).toBeGreaterThanOrEqual(freeAt.get(partOf(fault)) ?? 0);
      freeAt.set(partOf(fault), atMs + forMs);
    }
  });
});

describe.skipIf(missing !== undefined)(`chaos${missing === undefined ? '' : ` (${missing})`}`, () => {
  const chaos = async (rounds: readonly Round[], sabotage?: RunOptions['sabotage']) => {
    const lines: string[] = [];
    const report = new Report((line) => lines.push(line));
    await runChaos({ seed: SEED, agents, rounds, report, ...(sabotage && { sabotage }) });
    return { report, lines };
  };

  it('breaks nothing that is promised', { timeout: 900_000 }, async () => {
    const { report, lines } = await chaos(planOf(SEED, { rounds: 1, roundMs: 15_000, agents }));
    expect(report.violations, lines.join('\n')).toEqual([]);
    expect(report.faultCount).toBeGreaterThan(5);
    for (const invariant of ALWAYS_CHECKED) expect(report.checked.get(invariant), invariant).toBeGreaterThan(0);
  });

  it('notices each promise that is broken', { timeout: 900_000 }, async () => {
    const peaceful = planOf(SEED, { rounds: 1, roundMs: 6_000, agents }).map((round) => ({ ...round, faults: [] }));
    const { report, lines } = await chaos(peaceful, async ({ system, observer }) => {
      const [agent = '', other = ''] = agents;
      const trace = system.tracePath(agent);
      for (const statement of [
        // Changes that were accepted are lost, and what tells of them; one appears that nobody asked for.
        'delete from sr_policy where mesh_id is null',
        "insert into mesh (id, color, selector, template, revision) select 'nobody', 9, selector, template, 1 from mesh limit 1",
        'alter table audit disable trigger user',
        'delete from audit',
        // A leader writes in an epoch that is over, and another begins its own once more.
        `update headend set epoch = epoch - 1, generation = generation + 5 where node_id = '${agent}'`,
        'update leader set epoch = epoch',
        // What no agent can install.
        `insert into desired (headend, policy_id, generation, body) values ('${agent}', '${agent}:9:nobody', 99, '\\x00')`,
      ]) {
        await observer.ask(statement);
      }
      // A data plane loses what carries traffic.
      const bsids = (await readFile(trace, 'utf8')).match(/(?<="bsid":")[^"]*/g) ?? [];
      await appendFile(trace, bsids.map((bsid) => `{"kind":"remove-tunnel","bsid":"${bsid}"}\n`).join(''));
      process.kill(system.part(`agent-${other}`).pid ?? 0, 'SIGKILL');
    });
    const noticed = new Set(report.violations.map(({ invariant }) => invariant));
    expect([...noticed], lines.join('\n')).toEqual(expect.arrayContaining([...SABOTAGED]));
  });
});
