/**
 * A sweep over single failures: CPU time per link and per node that fails, side by side with looking at every policy for every
 * failure, on random geometric networks. Policies of least delay between random routers, one in four with a standby. A sample of
 * the failures is timed, fewer where every policy is looked at.
 *
 *   npx tsc -b && node bench/sweep.mjs [nodes policies]
 *
 * By default 100 nodes with 1,000 policies, then 1,000 with 10,000.
 */
import { freezeSnapshot } from '@waymark/topology';
import { evaluatePolicies } from '../apps/controller/dist/compute/evaluate-policies.js';
import { incumbentAfter } from '../apps/controller/dist/compute/evaluate-policies-model.js';
import { singleFailures } from '../apps/controller/dist/compute/failure-overlay.js';
import { FailureSweep } from '../apps/controller/dist/compute/failure-sweep.js';
import { newPolicy } from './support/new-policy.mjs';
import { cpuMs } from './support/cpu-time.mjs';
import { quantile } from './support/quantile.mjs';
import { randomSource } from './support/random-source.mjs';
import { randomGeometricTed } from './support/ted-of.mjs';

const [nodes, count] = process.argv.slice(2).map(Number);
const cases =
  nodes === undefined
    ? [
        [100, 1_000],
        [1_000, 10_000],
      ]
    : [[nodes, count]];
const print = (text) => process.stdout.write(`${text}\n`);

function withServices(ted) {
  const service = (node) => ({ ...node.sids[0], sid: node.sids[0].sid.replace(':1::', ':d6::'), behavior: 'End.DT6' });
  return { ...ted, nodes: ted.nodes.map((node) => ({ ...node, sids: [...node.sids, service(node)] })) };
}

function policiesOn(snapshot, size, number) {
  const random = randomSource(11);
  const pick = () => snapshot.nodeIdOf(Math.floor(random() * size));
  const by = (metric) => ({ metric, constraints: {} });
  const fresh = Array.from({ length: number }, (_, i) => {
    const paths = i % 4 === 0 ? [by('delay'), by('hop')] : [by('delay')];
    return newPolicy(i + 1, pick(), pick(), ...paths);
  }).filter(({ headend, endpoint }) => headend !== endpoint);
  const byId = new Map(fresh.map((policy) => [policy.policyId, policy]));
  return evaluatePolicies({ snapshot, policies: fresh, booked: [], heldLinks: [] }).map((evaluation) => ({
    ...byId.get(evaluation.policyId),
    incumbent: incumbentAfter(evaluation),
    reoptimise: false,
  }));
}

/** Evenly over all of them. */
function sample(items, most) {
  const step = Math.max(1, Math.floor(items.length / most));
  return items.filter((_, i) => i % step === 0).slice(0, most);
}

/** What each took, and of how many policies the work told that it looked at them. */
function times(items, work) {
  const each = items.map((item) => {
    const start = cpuMs();
    const { examined } = work(item);
    return { ms: cpuMs() - start, examined };
  });
  const ms = each.map((one) => one.ms);
  const examined = each.map((one) => one.examined);
  const mean = ms.reduce((sum, one) => sum + one, 0) / ms.length;
  return { median: quantile(ms, 0.5), mean, worst: Math.max(...ms), examined: quantile(examined, 0.5) };
}

for (const [size, number] of cases) {
  const snapshot = freezeSnapshot(withServices(randomGeometricTed(size)));
  const policies = policiesOn(snapshot, size, number);
  const started = cpuMs();
  const sweep = new FailureSweep(snapshot, { policies, booked: [], reported: undefined });
  print(`${size} nodes, ${policies.length} policies`);
  print(`  proved and indexed in ${(cpuMs() - started).toFixed(0)} ms`);
  print('  CPU time per failure:');
  for (const kind of ['link', 'node']) {
    const failures = singleFailures(snapshot, [kind]);
    const own = times(sample(failures, 30), (failure) => sweep.impactOf(failure));
    const all = times(sample(failures, 3), (failure) => sweep.examine(failure, sweep.all, sweep.all));
    print(
      `  ${kind.padEnd(5)} median ${own.median.toFixed(1)} ms, mean ${own.mean.toFixed(1)} ms, worst ${own.worst.toFixed(1)} ms, ` +
        `for ${own.examined} policies (median); every policy looked at: ${all.median.toFixed(0)} ms, ` +
        `${(all.median / own.median).toFixed(1)} x; all ${failures.length} failures: ${((failures.length * own.mean) / 1000).toFixed(0)} s`,
    );
  }
}
