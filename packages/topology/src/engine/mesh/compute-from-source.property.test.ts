import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MeshMetrics, MeshStatus, type MeshRequest } from '../../model/mesh.js';
import { metricOf } from '../../model/metric-of.js';
import type { PathRequest } from '../../model/path-request.js';
import type { Ted } from '../../model/ted.js';
import { freezeSnapshot } from '../../snapshot/freeze-snapshot.js';
import { arbitraryRequest, type RequestShape } from '../../testing/arbitrary-request.js';
import { arbitraryTed, type TedShape } from '../../testing/arbitrary-ted.js';
import { computePaths } from '../compute-paths.js';
import { computeFromSource } from './compute-from-source.js';
import { sourceAnswer } from './source-answer.js';

interface Case {
  readonly ted: Ted;
  readonly request: PathRequest;
  readonly maxSegments: number | undefined;
  readonly families: 'own' | 'none';
}

function cases(shape: TedShape, request: RequestShape): fc.Arbitrary<Case> {
  return arbitraryTed(shape).chain((ted) =>
    fc.record({
      ted: fc.constant(ted),
      request: arbitraryRequest(ted, request),
      maxSegments: fc.constantFrom(undefined, undefined, 0, 1, 2),
      families: fc.constantFrom('own', 'own', 'none'),
    }),
  );
}

const shape: TedShape = { maxRouters: 7, maxLinks: 12, zeroMetrics: false };
let together = 0;

it('paths from one source can be given up at any checkpoint, and what is asked next is answered as ever', () => {
  const given = cases({ ...shape, healthy: true, routing: 'never' }, {});
  fc.assert(
    fc.property(given, fc.nat(60), ({ ted, request, maxSegments }, end) => {
      const { source, metric, constraints } = request;
      const destinations = ted.nodes.map(({ id }) => id);
      const mesh: MeshRequest = {
        metric,
        constraints,
        destinations,
        ...(maxSegments !== undefined && { maxSegments }),
      };
      let passed = 0;
      const count = () => {
        passed++;
      };
      const whole = computeFromSource(freezeSnapshot(ted), source, mesh, { checkpoint: count });
      expect(passed).toBeGreaterThanOrEqual(destinations.length);
      const snapshot = freezeSnapshot(ted);
      let left = end % passed;
      const giveUp = () => {
        if (left-- === 0) throw new Error('given up');
      };
      expect(() => computeFromSource(snapshot, source, mesh, { checkpoint: giveUp })).toThrow('given up');
      expect(computeFromSource(snapshot, source, mesh)).toEqual(whole);
    }),
    { numRuns: 200 },
  );
});

describe.each<[string, TedShape, RequestShape, number]>([
  ['networks of links without metric zero', { ...shape, routing: 'never' }, {}, 700],
  ['networks where everything is known and up', { ...shape, healthy: true, routing: 'never' }, {}, 500],
  ['flexible algorithms and anycast', { ...shape, healthy: true, routing: 'always' }, {}, 300],
  ['C-SIDs', { ...shape, healthy: true, cSids: true }, {}, 300],
  ['endpoints with limits', { ...shape, healthy: true, cSids: true, endpointLimits: true }, {}, 300],
  ['narrow links and bounds', { ...shape, narrowLinks: true }, { bounds: true }, 300],
  ['links of metric zero, and an include list', { ...shape, zeroMetrics: true }, { include: true }, 100],
])('paths from one source, with %s', (_, tedShape, requestShape, numRuns) => {
  it('are as good to every destination as what is computed for the pair', () => {
    together = 0;
    fc.assert(
      fc.property(cases(tedShape, requestShape), ({ ted, request, maxSegments, families }) => {
        const snapshot = freezeSnapshot(ted);
        const { source, metric, constraints } = request;
        const shared = {
          metric,
          constraints,
          ...(maxSegments === undefined ? {} : { maxSegments }),
          ...(families === 'own' ? {} : { families: [] }),
        };
        const mesh: MeshRequest = { ...shared, destinations: [...ted.nodes.map(({ id }) => id), 'nobody'] };
        const paths = computeFromSource(snapshot, source, mesh);
        together += mesh.destinations.length - paths.computedAlone;
        mesh.destinations.forEach((destination, i) => {
          if (destination === source) {
            expect(paths.status[i]).toBe(MeshStatus.same);
            return;
          }
          const pair = computePaths(snapshot, { ...shared, source, destination }, { skipConflict: true });
          const { status, optimality, lowerBound } = { optimality: null, lowerBound: Infinity, ...pair };
          const asked = { noPath: MeshStatus.noPath, optimal: MeshStatus.computed, feasible: MeshStatus.feasible };
          expect([paths.status[i], paths.lowerBound[i]]).toEqual([asked[optimality ?? 'noPath'], lowerBound]);
          const why = paths.noPaths.get(i);
          if (why !== undefined) expect(why).toEqual(pair);
          if (status === 'no-path') return;
          expect(why).toBe(undefined);
          const lists = 'paths' in pair ? (pair.paths[0]?.segmentLists ?? []) : [];
          const worst = lists.map((list) => metricOf(list.proof.worst, metric) ?? Number.NaN);
          const entries = lists.map((list) => list.entries.length);
          expect([paths.metric[i], paths.entries[i]]).toEqual([Math.max(...worst), Math.max(...entries)]);
          const answer = sourceAnswer(snapshot, mesh, paths, destination);
          const [own] = 'paths' in answer ? answer.paths : [];
          MeshMetrics.forEach((type, m) => {
            const values = own?.segmentLists.map((list) => metricOf(list.proof.worst, type) ?? Number.NaN) ?? [];
            expect(paths.worst[MeshMetrics.length * i + m]).toBe(Math.max(...values));
          });
          expect(paths.singlePath[i]).toBe(own?.segmentLists.every((list) => list.proof.singlePath) === true ? 1 : 0);
          expect(own?.segmentLists.map((list) => list.entries.length)).toContain(paths.entries[i]);
          const { metrics } = 'paths' in pair ? (pair.paths[0] as { metrics: object }) : { metrics: {} };
          if (own?.segmentLists.every((list) => list.proof.singlePath) === true) {
            expect(metricOf(own.metrics, metric)).toBe(metricOf(metrics as typeof own.metrics, metric));
          }
        });
      }),
      { numRuns },
    );
    if (requestShape.include !== true) expect(together).toBeGreaterThan(0);
  });
});
