/**
 * How long it takes from the failure of one link until all policies that cross it have new lists: the snapshot of the network
 * without the link, which policies are affected, their evaluation and the proofs of what they get. Incrementally, as the
 * controller does it, and in the same run with everything built anew.
 *
 * And the whole reaction of the leader to the event of a failure, PostgreSQL included, as bench/support/whole-reaction.mjs measures it.
 *
 *   npx tsc -b && node bench/recompute.mjs [nodes] [policies] [failures]
 *
 * Random geometric and Waxman networks with four arcs per node on average; policies between random nodes, a quarter each by least
 * delay, IGP metric, TE metric, and TE metric under a bound on the delay. The failures come one after another, the link being
 * back before the next one.
 */
import { computePaths, deriveSnapshot, freezeSnapshot, snapshotChanges } from '@waymark/topology';
import { ComputePool } from '../apps/controller/dist/compute/compute-pool.js';
import { evaluatePolicies } from '../apps/controller/dist/compute/evaluate-policies.js';
import { incumbentAfter } from '../apps/controller/dist/compute/evaluate-policies-model.js';
import { newPolicy } from './support/new-policy.mjs';
import { cpuMs } from './support/cpu-time.mjs';
import { randomGeometric, waxman } from './support/networks.mjs';
import { quantile } from './support/quantile.mjs';
import { randomSource } from './support/random-source.mjs';
import { tedOf } from './support/ted-of.mjs';
import { wholeReactions } from './support/whole-reaction.mjs';

const [size = 1_000, policyCount = 10_000, failures = 60] = process.argv.slice(2).map(Number);
/** Each waits until the network has been quiet for a while. */
const WHOLE_REACTIONS = 20;
const print = (text) => process.stdout.write(`${text}\n`);
const random = randomSource(11);

for (const [name, network] of [
  ['random geometric', randomGeometric(size)],
  ['Waxman', waxman(size)],
]) {
  const ted = withServices(tedOf(network));
  const snapshot = freezeSnapshot(ted);
  const task = (policies) => ({ policies, booked: [], heldLinks: [] });
  const cold = cpuMs();
  const asked = somePolicies(ted, snapshot);
  const evaluations = evaluatePolicies({ snapshot, ...task(asked) });
  print(`${name}: ${size} nodes, ${snapshot.arcCount} arcs, ${policyCount} policies`);
  print(`  all policies from nothing ${((cpuMs() - cold) / 1000).toFixed(1)} s of CPU`);
  const byId = new Map(asked.map((policy) => [policy.policyId, policy]));
  const crossing = new Map();
  for (const evaluation of evaluations) {
    const policy = { ...byId.get(evaluation.policyId), reoptimise: false, incumbent: incumbentAfter(evaluation) };
    for (const { linkId } of evaluation.lists.flatMap(({ load }) => load)) {
      crossing.set(linkId, (crossing.get(linkId) ?? new Set()).add(policy));
    }
  }
  const affectedBy = ({ id, reverseId }) => [
    ...new Set([...(crossing.get(id) ?? []), ...(crossing.get(reverseId) ?? [])]),
  ];
  const failing = Array.from({ length: failures }, () => ted.links[Math.floor(random() * ted.links.length)]);
  const sizes = failing.map((link) => affectedBy(link).length);
  print(`  policies affected: median ${quantile(sizes, 0.5)}, p90 ${quantile(sizes, 0.9)}, max ${Math.max(...sizes)}`);

  // The same object for what did not change, as the controller's TED is, and a revision each.
  let revision = ted.revision;
  const whole = () => ({ ...ted, revision: ++revision });
  const without = ({ id, reverseId }) => ({
    ...ted,
    revision: ++revision,
    links: ted.links.map((link) =>
      link.id === id || link.id === reverseId ? { ...link, operationalState: 'down' } : link,
    ),
  });
  const rows = { 'built anew': [], incremental: [] };
  let before = snapshot;
  for (const link of failing) {
    const failed = without(link);
    rows['built anew'].push(
      timed(() => evaluatePolicies({ snapshot: freezeSnapshot(failed), ...task(affectedBy(link)) })),
    );
    rows.incremental.push(
      timed(() => {
        const next = deriveSnapshot(before, snapshotChanges(before, ted, failed));
        const result = evaluatePolicies({ snapshot: next, ...task(affectedBy(link)) });
        before = next;
        return result;
      }),
    );
    before = deriveSnapshot(before, snapshotChanges(before, failed, whole()));
    evaluatePolicies({ snapshot: before, ...task(affectedBy(link)) });
  }
  for (const [row, ms] of Object.entries(rows)) report(`${row}, one thread, CPU`, ms);
  const ratios = rows.incremental.map((ms, i) => ms / rows['built anew'][i]);
  print(`  incremental : built anew, median ${quantile(ratios, 0.5).toFixed(2)}`);
  await twoThreads({ ted, snapshot, failing, affectedBy, without, whole, task, asked });
  const reactions = await wholeReactions(ted, asked, failing.slice(0, WHOLE_REACTIONS));
  const of = (what) => reactions.map((reaction) => reaction[what]);
  print(`  the leader, of ${reactions.length} failures that move policies, moved: ${of('moved').join(' ')}`);
  report('  event to its commit, elapsed', of('committed'));
  report('  event to all lists published', of('published'));
  report('  CPU, without PostgreSQL', of('cpu'));
}

/** As the controller runs it, in two worker threads that have evaluated all policies on the network before. */
async function twoThreads({ ted, snapshot, failing, affectedBy, without, whole, task, asked }) {
  const pool = new ComputePool({ threads: 2 });
  const evaluate = (on, policies) => {
    const half = Math.ceil(policies.length / 2);
    const parts = [policies.slice(0, half), policies.slice(half)];
    return Promise.all(parts.map((part) => pool.run('evaluate-policies', on, task(part))));
  };
  await evaluate(snapshot, asked);
  const [elapsed, cpu] = [[], []];
  let before = snapshot;
  for (const link of failing) {
    const failed = without(link);
    const [start, startCpu] = [performance.now(), cpuMs()];
    const next = deriveSnapshot(before, snapshotChanges(before, ted, failed));
    await evaluate(next, affectedBy(link));
    elapsed.push(performance.now() - start);
    cpu.push(cpuMs() - startCpu);
    before = deriveSnapshot(next, snapshotChanges(next, failed, whole()));
    await evaluate(before, affectedBy(link));
  }
  report('incremental, two threads, elapsed', elapsed);
  report('incremental, two threads, CPU', cpu);
  await pool.close();
}

function somePolicies(ted, snapshot) {
  const pick = () => ted.nodes[Math.floor(random() * ted.nodes.length)].id;
  const kinds = [
    () => ({ metric: 'delay', constraints: {} }),
    () => ({ metric: 'igp', constraints: {} }),
    () => ({ metric: 'te', constraints: {} }),
    (source, destination) => {
      const fastest = computePaths(snapshot, { source, destination, metric: 'delay', constraints: {} });
      const max = Math.ceil(1.3 * fastest.paths[0].metrics.delayUs);
      return { metric: 'te', constraints: { bounds: [{ metric: 'delay', max }] } };
    },
  ];
  return Array.from({ length: policyCount }, (_, i) => {
    const headend = pick();
    let endpoint = pick();
    while (endpoint === headend) endpoint = pick();
    return newPolicy(i + 1, headend, endpoint, kinds[i % kinds.length](headend, endpoint));
  });
}

/** Each node delivers traffic of both families. */
function withServices(ted) {
  const nodes = ted.nodes.map((node) => {
    const end = node.sids[0];
    return { ...node, sids: [...node.sids, { ...end, sid: end.sid.replace(/:1::$/, ':d46::'), behavior: 'End.DT46' }] };
  });
  return { ...ted, nodes };
}

function timed(work) {
  const start = cpuMs();
  work();
  return cpuMs() - start;
}

function report(name, ms) {
  const [median, p90, most] = [quantile(ms, 0.5), quantile(ms, 0.9), Math.max(...ms)].map((value) => value.toFixed(1));
  print(`  ${name.padEnd(36)} median ${median} ms, p90 ${p90} ms, max ${most} ms`);
}
