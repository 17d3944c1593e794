import fc from 'fast-check';
import type { CandidatePathIntent } from '../model/sr-policy.js';
import { buildTed, newPolicy } from './sketched-network.js';

const G = 1_000_000_000;
const PAIRS = ['a-b', 'b-c', 'c-d', 'd-e', 'e-a', 'a-c', 'b-d', 'c-e'];

/** Five routers, most of them next to each other, with a host at either end. */
export const pentagon = fc
  .record({
    links: fc.array(
      fc.record({
        delayUs: fc.integer({ min: 1, max: 50 }),
        igpMetric: fc.integer({ min: 1, max: 20 }),
        bandwidthBps: fc.integer({ min: 3, max: 12 }).map((value) => value * G),
        adminState: fc.constantFrom('up' as const, 'up' as const, 'up' as const, 'drained' as const, 'down' as const),
        operationalState: fc.constantFrom('up' as const, 'up' as const, 'up' as const, 'down' as const),
      }),
      { minLength: PAIRS.length, maxLength: PAIRS.length },
    ),
  })
  .map(({ links }) =>
    buildTed(
      ['a', 'b', 'c', 'd', 'e', { id: 'h1', scope: 'igp' }, { id: 'h2', scope: 'igp' }],
      [
        { between: 'h1-a', bandwidthBps: 100 * G },
        { between: 'h2-d', bandwidthBps: 100 * G },
        ...PAIRS.map((between, i) => ({ between, ...links[i] })),
      ],
    ),
  );

export const candidate = fc
  .record({
    metric: fc.constantFrom('igp' as const, 'delay' as const, 'hop' as const),
    bandwidth: fc.option(fc.integer({ min: 1, max: 14 }), { nil: undefined }),
    bound: fc.option(fc.integer({ min: 2000, max: 2080 }), { nil: undefined }),
    avoided: fc.option(fc.constantFrom('b', 'c', 'e'), { nil: undefined }),
    maxLists: fc.option(fc.integer({ min: 2, max: 3 }), { nil: undefined }),
    standby: fc.option(
      fc.record({
        disjoint: fc.constantFrom('link' as const, 'node' as const),
        mode: fc.constantFrom('strict' as const, 'relaxed' as const),
      }),
      { nil: undefined },
    ),
    optional: fc.shuffledSubarray(['/constraints/bandwidthBps', '/constraints/bounds/0', '/constraints/exclude/nodes']),
  })
  .map(({ metric, bandwidth, bound, avoided, maxLists, standby, optional }) => {
    const given = {
      '/constraints/bandwidthBps': bandwidth,
      '/constraints/bounds/0': bound,
      '/constraints/exclude/nodes': avoided,
    };
    const there = optional.filter((pointer) => given[pointer as keyof typeof given] !== undefined);
    return {
      kind: 'dynamic' as const,
      metric,
      constraints: {
        ...(bandwidth === undefined ? {} : { bandwidthBps: bandwidth * G }),
        ...(bound === undefined ? {} : { bounds: [{ metric: 'delay' as const, max: bound }] }),
        ...(avoided === undefined ? {} : { exclude: { nodes: [avoided] } }),
      },
      ...(maxLists !== undefined && bandwidth !== undefined ? { maxLists } : standby === undefined ? {} : { standby }),
      ...(there.length === 0 ? {} : { optional: there }),
    };
  });

/** Setup and hold priority: few, so that they are often equal. */
export const priorities = fc
  .tuple(fc.constantFrom(0, 1, 3, 7, 7), fc.constantFrom(0, 1, 3, 7))
  .map(([setupPriority, hold]) => ({ setupPriority, holdPriority: Math.min(setupPriority, hold) }));

/** Between the hosts of the pentagon, never computed. */
export const arbitraryPolicies = fc
  .array(
    fc.record({
      paths: fc.array(candidate, { minLength: 1, maxLength: 3 }),
      fallback: fc.constantFrom('drop' as const, 'shortest-path' as const),
      towards: fc.boolean(),
      priority: priorities,
    }),
    { minLength: 1, maxLength: 7 },
  )
  .map((specs) =>
    specs.map(({ paths, fallback, towards, priority }, index) => {
      const candidatePaths = paths.map((path, i): CandidatePathIntent => ({
        discriminator: i + 1,
        preference: 100 - i,
        path,
      }));
      const more = { color: index + 1, fallback, ...priority };
      return newPolicy(towards ? 'h1' : 'h2', towards ? 'h2' : 'h1', candidatePaths, more);
    }),
  );
