import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { MultiDirectedGraph } from 'graphology';
import dijkstra from 'graphology-shortest-path/dijkstra.js';
import { describe, expect, it } from 'vitest';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { buildTed, type LinkSpec } from '../testing/build-ted.js';
import type { MetricType } from '../model/path-request.js';
import type { Ted, TedLink } from '../model/ted.js';
import { toGraph } from '../validation/to-graph.js';
import { computePaths } from './compute-paths.js';

/** Research networks with IGP weights and delays; not part of the repository, used where they are at hand. */
const folder = new URL('../../../../../shared/data/repetita/', import.meta.url);
const networks = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.graph')) : [];

/** Links of a REPETITA file; opposite lines are paired in the order in which they stand. */
function readNetwork(name: string): Ted {
  const [nodePart = '', edgePart = ''] = readFileSync(new URL(name, folder), 'utf8').split(/^EDGES.*$/m);
  const rows = (part: string) =>
    part
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/));
  const nodes = rows(nodePart)
    .slice(2)
    .map((_, i) => `n${i}`);
  const waiting = new Map<string, LinkSpec[]>();
  const count = new Map<string, number>();
  const specs: LinkSpec[] = [];
  for (const [, from, to, weight, bandwidth, delay] of rows(edgePart).slice(1)) {
    const attributes = { igpMetric: Number(weight), bandwidthBps: 1000 * Number(bandwidth), delayUs: Number(delay) };
    const forward = waiting.get(`${to ?? ''} ${from ?? ''}`)?.shift();
    if (forward !== undefined) {
      specs.push({ ...forward, back: attributes });
      continue;
    }
    const pair = [from, to].sort().join(' ');
    const number = (count.get(pair) ?? 0) + 1;
    count.set(pair, number);
    const spec = { between: `n${from ?? ''}-n${to ?? ''}${number === 1 ? '' : `#${number}`}`, ...attributes };
    const key = `${from ?? ''} ${to ?? ''}`;
    waiting.set(key, [...(waiting.get(key) ?? []), spec]);
  }
  return buildTed(
    nodes.map((id) => ({ id, msdHEncaps: 100 })),
    specs,
  );
}

function weightOf(metric: MetricType): (link: TedLink) => number {
  return (link) => (metric === 'delay' ? (link.delayUs ?? Infinity) : metric === 'hop' ? 1 : link.igpMetric);
}

describe.skipIf(networks.length === 0)('on a real network', () => {
  it.each(networks)('%s: paths are as short as those of graphology', (name) => {
    const ted = readNetwork(name);
    const snapshot = freezeSnapshot(ted);
    const graph = new MultiDirectedGraph<Record<string, never>, { weight: number }>();
    for (const metric of ['igp', 'delay', 'hop'] as const) {
      graph.clear();
      toGraph(ted).graph.forEachNode((id) => graph.addNode(id));
      for (const link of ted.links) {
        graph.addDirectedEdgeWithKey(link.id, link.from, link.to, { weight: weightOf(metric)(link) });
      }
      const step = Math.max(1, Math.floor(ted.nodes.length / 6));
      for (let i = 0; i < ted.nodes.length; i += step) {
        const source = ted.nodes[i]?.id ?? '';
        const destination = ted.nodes[(i * 7 + 3) % ted.nodes.length]?.id ?? '';
        if (source === destination) continue;
        const answer = computePaths(snapshot, { source, destination, metric, constraints: {} });
        const nodes = dijkstra.bidirectional(graph, source, destination, 'weight') as string[] | null;
        if (answer.status === 'no-path') {
          expect([answer.reason, nodes]).toEqual(['path-not-found', null]);
          continue;
        }
        // graphology names nodes only: between two of them take the cheapest of the parallel links.
        const hop = (from: string, to: string): number =>
          Math.min(...ted.links.filter((link) => link.from === from && link.to === to).map(weightOf(metric)));
        const expected = (nodes ?? []).slice(1).reduce((sum, node, at) => sum + hop(nodes?.[at] ?? '', node), 0);
        expect(answer.lowerBound).toBe(expected);
        expect(answer.paths[0]?.segmentLists[0]?.proof.worst.hops).toBeGreaterThan(0);
      }
    }
  });
});
