/**
 * Shortest paths: Waymark's own (packages/topology/src/spf), side by side in one run with graphology-shortest-path, ngraph.path and
 * a plain Dijkstra on typed arrays, on real networks and on random geometric (rgg) and Waxman (wax) ones with four arcs per node.
 * Milliseconds of CPU time per query; every answer is compared with the plain one's first.
 *
 *   npm run build && node bench/spf.mjs [real | nodes ...]
 */
import assert from 'node:assert/strict';
import { MultiDirectedGraph } from 'graphology';
import dijkstra from 'graphology-shortest-path/dijkstra.js';
import createGraph from 'ngraph.graph';
import { nba } from 'ngraph.path';
import { freezeSnapshot } from '@waymark/topology';
import { adjacenciesOf } from '../packages/topology/dist/spf/adjacency.js';
import { TreeBuilder } from '../packages/topology/dist/spf/distance-tree.js';
import { PointToPoint } from '../packages/topology/dist/spf/point-to-point.js';
import { meanMs } from './support/cpu-time.mjs';
import { networksAskedFor } from './support/networks-asked-for.mjs';
import { plainDijkstra } from './support/plain-dijkstra.mjs';
import { randomSource } from './support/random-source.mjs';

const print = (text) => process.stdout.write(`${text}\n`);

/** Trees of all nodes are kept up to this many nodes: they take 12 bytes per pair. */
const MOST_NODES_FOR_ALL_TREES = 1_000;

for (const { name, ted } of networksAskedFor(process.argv.slice(2))) measure(name, ted);

function measure(title, ted) {
  const snapshot = freezeSnapshot(ted);
  const { nodeCount, arcCount, data } = snapshot;
  const length = data.igpMetric;
  const graph = { adjacencies: adjacenciesOf(data), length, mask: new Uint8Array(arcCount).fill(1) };
  const plain = { nodeCount, start: data.outStart, ends: data.arcTo, length };
  const { other, ng } = peersOf(ted);
  const random = randomSource(11);
  const pick = () => Math.floor(random() * nodeCount);
  const pairs = Array.from({ length: 1_000 }, () => [pick(), pick()]);
  const pair = (i) => pairs[i % pairs.length];
  const id = (node) => snapshot.nodeIdOf(node);
  const builder = new TreeBuilder(nodeCount);
  const search = new PointToPoint(nodeCount);
  const finder = nba(ng, { oriented: true, distance: (from, to, link) => link.data });

  const [first, second] = pair(0);
  const reference = plainDijkstra(plain, first);
  assert.deepEqual(builder.grow(graph, first, 'from').distance, reference);
  assert.equal(search.find(graph, first, second)?.length ?? Infinity, reference[second]);

  print(`\n${title}: ${nodeCount} nodes, ${arcCount} arcs`);
  const single = meanMs((i) => plainDijkstra(plain, pair(i)[0]));
  row('single source', [
    ['Waymark', meanMs((i) => builder.grow(graph, pair(i)[0], 'from'))],
    ['plain', single],
    ['graphology', meanMs((i) => dijkstra.singleSource(other, id(pair(i)[0]), 'length'))],
  ]);
  row('point to point', [
    ['Waymark', meanMs((i) => search.find(graph, ...pair(i)))],
    ['plain', meanMs((i) => plainDijkstra(plain, ...pair(i)))],
    ['graphology', meanMs((i) => dijkstra.bidirectional(other, id(pair(i)[0]), id(pair(i)[1]), 'length'))],
    ['ngraph', meanMs((i) => finder.find(id(pair(i)[0]), id(pair(i)[1])))],
  ]);
  if (nodeCount <= MOST_NODES_FOR_ALL_TREES) repairAll(graph, builder, plain, data.arcReverse, random);
}

/** The trees of all nodes after one link went down, or came back. */
function repairAll(graph, builder, plain, reverse, random) {
  const { nodeCount } = plain;
  const nodes = [...Array(nodeCount).keys()];
  const trees = nodes.map((root) => builder.grow(graph, root, 'from'));
  const grown = meanMs(() => nodes.forEach((root) => builder.grow(graph, root, 'from')));
  const repaired = meanMs(() => {
    const arc = Math.floor(random() * reverse.length);
    const changed = [arc, reverse[arc]];
    for (const one of changed) graph.mask[one] ^= 1;
    for (const tree of trees) builder.repair(graph, tree, changed);
  });
  for (const root of [0, nodeCount - 1]) {
    assert.deepEqual(trees[root].distance, builder.grow(graph, root, 'from').distance);
  }
  row('all pairs, one link changed', [
    ['repaired', repaired],
    ['grown anew', grown],
  ]);
}

function row(name, figures) {
  const [[, own]] = figures;
  const texts = figures.map(([peer, ms], i) => {
    const ratio = i === 0 ? '' : ` (${(ms / own).toFixed(1)} x)`;
    return `${peer} ${ms.toPrecision(3)}${ratio}`;
  });
  print(`  ${name.padEnd(28)} ${texts.join('   ')}`);
}

/** The same network for the other libraries. */
function peersOf(ted) {
  const other = new MultiDirectedGraph();
  const ng = createGraph({ multigraph: true });
  for (const { id } of ted.nodes) {
    other.addNode(id);
    ng.addNode(id);
  }
  for (const { id, from, to, igpMetric } of ted.links) {
    other.addDirectedEdgeWithKey(id, from, to, { length: igpMetric });
    ng.addLink(from, to, igpMetric);
  }
  return { other, ng };
}
