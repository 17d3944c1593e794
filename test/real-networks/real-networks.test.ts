import { MultiDirectedGraph } from 'graphology';
import dijkstra from 'graphology-shortest-path/dijkstra.js';
import * as highsModule from 'highs';
import {
  computeDisjointPaths,
  computePaths,
  freezeSnapshot,
  prove,
  type DisjointRequest,
  type PathAnswer,
  type PathRequest,
  type PathsFound,
  type Snapshot,
} from '@waymark/topology';
import { describe, expect, it } from 'vitest';
import { integerProgramme } from '../../packages/topology/src/testing/ilp-oracle.js';
import { networksAtHand, pairsOf, withScatteredSrlgs } from './networks.js';
import { bestSimplePaths, leastPair, leastWithin, usable, valueOf } from './oracles.js';

/*
 * The engine on published networks (WAYMARK_DATASETS), pair by pair against slow methods of other kinds. Small networks also
 * against an integer programme.
 */
// The typings miss that the module is its default export.
const loadHighs = (highsModule as unknown as { readonly default: typeof highsModule.default.default }).default;
const networks = networksAtHand();
const SMALL = 26;
const seen = { conflicts: 0, noPairs: 0, ranked: 0 };

function request([source, destination]: readonly [string, string], extra: Partial<PathRequest> = {}): PathRequest {
  return { source, destination, metric: 'igp', constraints: {}, families: [], ...extra };
}

function found(answer: PathAnswer): PathsFound {
  if (answer.status === 'no-path') throw new Error(answer.message);
  return answer;
}

function expectProved(snapshot: Snapshot, asked: PathRequest, { paths }: Pick<PathsFound, 'paths'>): void {
  for (const { segmentLists } of paths) {
    for (const list of segmentLists) {
      const entries = list.entries.map(({ address }) => address);
      const { constraints, source: headend, destination } = asked;
      expect(prove(snapshot, entries, { headend, destination, constraints }).violation).toBeNull();
    }
  }
}

describe.skipIf(networks.length === 0).each(networks)('on $name (WAYMARK_DATASETS)', ({ ted }) => {
  const snapshot = freezeSnapshot(ted);
  const isSmall = ted.nodes.length <= SMALL;

  it.each(['igp', 'delay', 'hop'] as const)('a path of the least %s is as short as that of graphology', (metric) => {
    const value = valueOf(metric);
    const graph = new MultiDirectedGraph<Record<string, never>, { weight: number }>();
    for (const { id } of ted.nodes) graph.addNode(id);
    for (const link of usable(ted).filter((one) => value(one) < Infinity)) {
      graph.addDirectedEdgeWithKey(link.id, link.from, link.to, { weight: value(link) });
    }
    for (const pair of pairsOf(ted, 40)) {
      const answer = computePaths(snapshot, request(pair, { metric }));
      const nodes = dijkstra.bidirectional(graph, ...pair, 'weight') as string[] | null;
      if (answer.status === 'no-path') {
        expect([answer.reason, nodes]).toEqual(['path-not-found', null]);
        continue;
      }
      // graphology names nodes only: between two of them take the cheapest of the parallel links.
      const hop = (from: string, to: string): number =>
        Math.min(
          ...graph
            .directedEdges(from, to)
            .filter((edge) => graph.source(edge) === from)
            .map((edge) => graph.getEdgeAttribute(edge, 'weight')),
        );
      const expected = (nodes ?? []).slice(1).reduce((sum, node, at) => sum + hop(nodes?.[at] ?? '', node), 0);
      expect([answer.optimality, answer.lowerBound]).toEqual(['optimal', expected]);
      expectProved(snapshot, request(pair), answer);
    }
  });

  it('a path within a bound on delay is the best of all, and conflicts are minimal', () => {
    for (const pair of pairsOf(ted, 20)) {
      const least = computePaths(snapshot, request(pair, { metric: 'delay' }));
      const cheapest = computePaths(snapshot, request(pair));
      if (least.status === 'no-path' || cheapest.status === 'no-path') continue;
      const slow = cheapest.paths[0]?.metrics.delayUs ?? null;
      if (slow === null) continue;
      const max = Math.floor((least.lowerBound + slow) / 2);
      const within = request(pair, { constraints: { bounds: [{ metric: 'delay', max }] } });
      const bounded = found(computePaths(snapshot, within));
      const [igp, delay] = [valueOf('igp'), valueOf('delay')];
      expect([bounded.optimality, bounded.lowerBound]).toEqual(['optimal', leastWithin(ted, pair, igp, delay, max)]);
      expectProved(snapshot, within, bounded);
      if (bounded.lowerBound <= cheapest.lowerBound) continue;
      // A bound on each, of which either could be kept alone.
      const bounds = [{ metric: 'delay', max } as const, { metric: 'igp', max: bounded.lowerBound - 1 } as const];
      seen.conflicts++;
      const refused = computePaths(snapshot, request(pair, { constraints: { bounds } }));
      expect(refused).toMatchObject({
        status: 'no-path',
        isProved: true,
        conflict: {
          isMinimal: true,
          constraints: [
            {
              constraint: '/constraints/bounds/0',
              nearestFeasible: leastWithin(ted, pair, delay, igp, bounded.lowerBound - 1),
            },
            { constraint: '/constraints/bounds/1', nearestFeasible: bounded.lowerBound },
          ],
        },
      });
    }
  });

  it('the best k paths are those that there are', () => {
    for (const pair of pairsOf(ted, 10)) {
      const answer = computePaths(snapshot, request(pair, { metric: 'delay', k: 5 }));
      const expected = bestSimplePaths(ted, pair, valueOf('delay'), 5);
      if (expected === null) continue;
      seen.ranked++;
      if (answer.status === 'no-path') expect(expected).toEqual([]);
      else {
        expect(answer.paths.map(({ metrics }) => metrics.delayUs)).toEqual(expected);
        expectProved(snapshot, request(pair), answer);
      }
    }
  });

  it('lists that a headend can push are proved, and no better than the best path', () => {
    for (const pair of pairsOf(ted, 10)) {
      const asked = request(pair, { metric: 'delay', maxSegments: 1 });
      const answer = computePaths(snapshot, asked);
      if (answer.status === 'no-path') continue;
      const free = found(computePaths(snapshot, { ...asked, maxSegments: 100 }));
      expect(answer.optimality).toBe('optimal');
      expect(answer.lowerBound).toBeGreaterThanOrEqual(free.lowerBound);
      for (const { srhEntries } of answer.paths.flatMap(({ segmentLists }) => segmentLists)) {
        expect(srhEntries).toBeLessThanOrEqual(1);
      }
      expectProved(snapshot, asked, answer);
    }
  });

  it.each(['link', 'node'] as const)('a %s-disjoint pair is the best that a flow finds', (kind) => {
    for (const pair of pairsOf(ted, 20)) {
      const answer = computePaths(snapshot, request(pair, { disjoint: kind }));
      const least = leastPair(ted, pair, valueOf('igp'), kind);
      if (answer.status === 'no-path') {
        seen.noPairs++;
        expect([answer.isProved, least]).toEqual([true, null]);
      } else expect([answer.optimality, answer.lowerBound]).toEqual(['optimal', least]);
    }
  });

  it.runIf(isSmall)('groups that share no SRLG or node are the best of an integer programme', async () => {
    const scattered = withScatteredSrlgs(ted, Math.ceil(ted.links.length / 6));
    const own = freezeSnapshot(scattered);
    const pairs = pairsOf(scattered, 6);
    for (const [i, pair] of pairs.entries()) {
      for (const other of [pair, pairs[(i + 1) % pairs.length] ?? pair]) {
        const members = [request(pair), request(other)];
        const group: DisjointRequest = { members, metric: 'igp', disjoint: ['node', 'srlg'] };
        // A fresh instance each time: one that has solved many programmes runs out of its memory.
        const solution = (await loadHighs()).solve(integerProgramme(scattered, group, group.disjoint));
        const answer = computeDisjointPaths(own, group);
        if (answer.status === 'no-path') {
          expect([answer.isProved, answer.conflict.isMinimal, solution.Status]).toEqual([true, true, 'Infeasible']);
          continue;
        }
        expect([answer.optimality, solution.Status]).toEqual(['optimal', 'Optimal']);
        expect(answer.lowerBound).toBeCloseTo(solution.ObjectiveValue, 6);
      }
    }
  });
});

it.skipIf(networks.length === 0)(
  'together they have conflicts, and pairs that cannot be disjoint (WAYMARK_DATASETS)',
  () => {
    expect(Math.min(seen.conflicts, seen.noPairs, seen.ranked)).toBeGreaterThan(10);
  },
);
