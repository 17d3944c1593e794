/**
 * Path computations per second of CPU time in the engine, on random geometric networks of 1,000 and 10,000 routers with four links
 * per node on average, side by side with graphology-shortest-path on the same networks and pairs in the same run.
 *
 *   npm run build && node bench/engine.mjs [nodes ...]
 *
 * `shortest path` is what both do: one path by one metric between two routers. The engine's answer also holds
 * the segment lists and their proof; the other lines show what constraints cost.
 */
import { MultiDirectedGraph } from 'graphology';
import dijkstra from 'graphology-shortest-path/dijkstra.js';
import { computePaths, freezeSnapshot, prove, snapshotFromShared, snapshotToShared, toGraph } from '@waymark/topology';
import { cpuMs, meanMs } from './support/cpu-time.mjs';
import { randomSource } from './support/random-source.mjs';
import { randomGeometricTed } from './support/ted-of.mjs';

const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1_000, 10_000];
const print = (text) => process.stdout.write(`${text}\n`);

/** Calls per second of CPU time. */
function rate(work, queries) {
  return 1_000 / meanMs((i) => work(queries[i % queries.length]));
}

function row(name, value, note) {
  print(`  ${name.padEnd(44)} ${value.toFixed(value < 100 ? 1 : 0).padStart(9)} /s  ${note}`);
}

for (const size of sizes) {
  const ted = randomGeometricTed(size);
  const started = cpuMs();
  const snapshot = freezeSnapshot(ted);
  const frozen = cpuMs();
  const received = snapshotFromShared(structuredClone(snapshotToShared(snapshot)));
  const shared = cpuMs();
  print(`random geometric, ${snapshot.nodeCount} nodes, ${snapshot.arcCount} arcs`);
  print(`  freeze ${(frozen - started).toFixed(0)} ms, to another thread ${(shared - frozen).toFixed(2)} ms`);

  const graph = new MultiDirectedGraph();
  const { graph: full } = toGraph(ted);
  full.forEachNode((id) => graph.addNode(id));
  full.forEachDirectedEdge((id, link) => graph.addDirectedEdgeWithKey(id, link.from, link.to, { ...link, hop: 1 }));
  const random = randomSource(7);
  const pick = () => ted.nodes[Math.floor(random() * size)].id;
  const queries = Array.from({ length: 50 }, () => [pick(), pick()]).filter(([a, b]) => a !== b);
  const ask =
    (constraints, extra = {}) =>
    ([source, destination]) =>
      computePaths(received, { source, destination, metric: 'delay', constraints, ...extra });

  for (const metric of ['igp', 'te', 'delay', 'hop']) {
    const attribute = { igp: 'igpMetric', te: 'teMetric', delay: 'delayUs', hop: 'hop' }[metric];
    const other = rate(([a, b]) => dijkstra.bidirectional(graph, a, b, attribute), queries);
    const own = rate(ask({}, { metric }), queries);
    row(
      `${metric}: path, segment list and proof`,
      own,
      `${(own / other).toFixed(1)} x graphology (${other.toFixed(1)} /s)`,
    );
  }
  const within = queries.map(([source, destination]) => {
    const least = computePaths(received, { source, destination, metric: 'igp', constraints: {} });
    return [source, destination, Math.ceil(1.1 * (least.paths?.[0]?.metrics.igp ?? 0))];
  });
  row('delay, without leased links', rate(ask({ affinities: { excludeAny: ['leased'] } }), queries), '');
  row(
    'delay, igp within 1.1 of the least',
    rate(([a, b, max]) => ask({ bounds: [{ metric: 'igp', max }] })([a, b]), within),
    '',
  );
  row('delay, at most 5 SRH entries', rate(ask({}, { maxSegments: 5 }), queries), '(exact, where it binds)');
  row('delay, 10 best', rate(ask({}, { k: 10 }), queries), '');
  row('delay, node-disjoint pair', rate(ask({}, { disjoint: 'node' }), queries), '');
  const lists = queries.map(([source, destination]) => {
    const answer = computePaths(received, { source, destination, metric: 'delay', constraints: {} });
    return { source, destination, sids: answer.paths?.[0]?.transport.map((segment) => segment.sid) ?? [] };
  });
  const check = ({ source, destination, sids }) => prove(received, sids, { headend: source, destination });
  row(
    'prove a list',
    rate(
      check,
      lists.filter(({ sids }) => sids.length > 0),
    ),
    '',
  );
}
