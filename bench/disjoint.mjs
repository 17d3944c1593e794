/**
 * Pairs of paths that share no SRLG, on a random geometric network with SRLGs scattered over its links: how many are proved
 * optimal, or proved not to exist, within the work budget, how far the others may be off, and CPU time.
 *
 *   npm run build && node bench/disjoint.mjs [nodes] [pairs]
 */
import { computePaths, freezeSnapshot } from '@waymark/topology';
import { cpuMs } from './support/cpu-time.mjs';
import { randomSource } from './support/random-source.mjs';
import { randomGeometricTed } from './support/ted-of.mjs';

const [size = 1_000, pairs = 20] = process.argv.slice(2).map(Number);
const print = (text) => process.stdout.write(`${text}\n`);
const cases = [
  { kinds: ['srlg'], groups: 200, perLink: 1 },
  { kinds: ['srlg'], groups: 50, perLink: 1 },
  { kinds: ['srlg'], groups: 20, perLink: 1 },
  { kinds: ['node', 'srlg'], groups: 200, perLink: 1 },
  { kinds: ['node', 'srlg'], groups: 30, perLink: 1 },
  { kinds: ['srlg'], groups: 300, perLink: 2 },
  { kinds: ['srlg'], groups: 200, perLink: 3 },
  { kinds: ['node', 'srlg'], groups: 100, perLink: 2 },
];

const plain = randomGeometricTed(size);

/** Both directions of a link are in the same groups, drawn at random. */
function scattered(groups, perLink) {
  const random = randomSource(99);
  const groupsOf = new Map();
  const links = plain.links.map((link) => {
    const ends = [link.from, link.to].sort().join();
    const drawn = groupsOf.get(ends) ?? Array.from({ length: perLink }, () => 1 + Math.floor(random() * groups));
    groupsOf.set(ends, drawn);
    return { ...link, srlgs: [...new Set(drawn)].sort((a, b) => a - b) };
  });
  return { ...plain, links };
}

print(`random geometric, ${size} nodes, ${plain.links.length} arcs; ${pairs} pairs each`);
print('  disjoint    SRLGs  per link   proved  worst gap   mean ms');
for (const { kinds, groups, perLink } of cases) {
  const snapshot = freezeSnapshot(scattered(groups, perLink));
  const random = randomSource(7);
  const pick = () => plain.nodes[Math.floor(random() * size)].id;
  let proved = 0;
  let gap = 0;
  const started = cpuMs();
  for (let i = 0; i < pairs; i++) {
    const request = { source: pick(), destination: pick(), metric: 'delay', constraints: {}, disjoint: kinds };
    const answer = computePaths(snapshot, request, { skipConflict: true });
    const value = answer.paths?.reduce((sum, path) => sum + path.metrics.delayUs, 0) ?? 0;
    if (answer.status === 'computed' ? answer.optimality === 'optimal' : answer.isProved) proved++;
    else if (answer.status === 'computed') gap = Math.max(gap, value / answer.lowerBound - 1);
  }
  const cells = [
    kinds.join('+').padEnd(11),
    String(groups).padStart(5),
    String(perLink).padStart(9),
    `${proved} of ${pairs}`.padStart(10),
    `${(100 * gap).toFixed(1)} %`.padStart(10),
    ((cpuMs() - started) / pairs).toFixed(0).padStart(9),
  ];
  print(`  ${cells.join(' ')}`);
}
