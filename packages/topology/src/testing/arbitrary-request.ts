import fc from 'fast-check';
import type { IncludeEntry, MetricType, PathRequest } from '../model/path-request.js';
import type { Ted } from '../model/ted.js';
import { AFFINITIES, SITES } from './arbitrary-ted.js';

export interface RequestShape {
  readonly bounds?: boolean;
  readonly include?: boolean;
}

const METRICS: readonly MetricType[] = ['igp', 'te', 'delay', 'delay-variation', 'loss', 'hop'];

/** Requests between any two nodes of a TED, most constraints absent in most of them. */
export function arbitraryRequest(ted: Ted, shape: RequestShape): fc.Arbitrary<PathRequest> {
  const node = fc.constantFrom(...ted.nodes.map((entry) => entry.id));
  const link = ted.links.length === 0 ? fc.constant('none') : fc.constantFrom(...ted.links.map((entry) => entry.id));
  const names = fc.subarray([...AFFINITIES], { maxLength: 2 });
  const sometimes = <T>(value: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
  const bound = fc.oneof(
    { weight: 5, arbitrary: fc.record({ metric: fc.constantFrom(...METRICS), max: fc.integer({ min: 0, max: 12 }) }) },
    fc.record({ metric: fc.constant('loss' as const), max: fc.constantFrom(99_999, 100_000, 190_000, 500_001) }),
  );
  const constraints = fc.record({
    bounds: shape.bounds === true ? fc.array(bound, { minLength: 1, maxLength: 3 }) : fc.constant(undefined),
    include:
      shape.include === true ? fc.array(arbitraryEntry(ted), { minLength: 1, maxLength: 3 }) : fc.constant(undefined),
    bandwidthBps: sometimes(fc.constantFrom(10, 15, 25)),
    affinities: sometimes(
      fc.record({ includeAny: names, includeAll: sometimes(names), excludeAny: sometimes(names) }).map(defined),
    ),
    exclude: sometimes(
      fc
        .record({
          nodes: sometimes(fc.array(node, { maxLength: 1 })),
          links: sometimes(fc.array(link, { maxLength: 2 })),
          srlgs: sometimes(fc.subarray([1, 2], { maxLength: 1 })),
          sites: sometimes(fc.subarray([...SITES], { maxLength: 1 })),
        })
        .map(defined),
    ),
  });
  return fc
    .record({ source: node, destination: node, metric: fc.constantFrom(...METRICS), constraints })
    .filter(({ source, destination }) => source !== destination)
    .map((request) => ({ ...request, constraints: defined(request.constraints) }));
}

export function arbitraryEntry(ted: Ted): fc.Arbitrary<IncludeEntry> {
  const hop = fc.constantFrom({}, { hop: 'loose' as const }, { hop: 'strict' as const });
  const nodes = ted.nodes.map(({ id }) => ({ node: id }));
  const links = ted.links.map(({ id }) => ({ link: id }));
  const what = fc.oneof(fc.constantFrom(...nodes), fc.constantFrom(...(links.length === 0 ? nodes : links)));
  return fc.tuple(what, hop).map(([entry, how]) => ({ ...entry, ...how }));
}

function defined<T extends object>(record: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
