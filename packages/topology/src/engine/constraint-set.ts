import { MOST_LISTS, type IncludeEntry, type PathRequest } from '../model/path-request.js';

/** One thing that a request demands, as a JSON pointer into it. */
export type ConstraintPointer = string;

const AFFINITY_LISTS = ['includeAny', 'includeAll', 'excludeAny'] as const;
const EXCLUSIONS = ['nodes', 'links', 'srlgs', 'sites'] as const;

/** Everything that a request demands and that could be dropped alone, in the order of its fields. */
export function constraintsOf(request: PathRequest): ConstraintPointer[] {
  const { bounds = [], bandwidthBps, affinities, exclude, include = [] } = request.constraints;
  const isNamed = (names: readonly unknown[] | undefined) => names !== undefined && names.length > 0;
  return [
    ...bounds.map((_, i) => `/constraints/bounds/${i}`),
    ...(bandwidthBps === undefined ? [] : ['/constraints/bandwidthBps']),
    ...AFFINITY_LISTS.filter((kind) => isNamed(affinities?.[kind])).map((kind) => `/constraints/affinities/${kind}`),
    ...EXCLUSIONS.filter((kind) => isNamed(exclude?.[kind])).map((kind) => `/constraints/exclude/${kind}`),
    ...include.map((_, i) => `/constraints/include/${i}`),
    ...(request.maxSegments === undefined ? [] : ['/maxSegments']),
    ...(request.maxLists === undefined || bandwidthBps === undefined ? [] : ['/maxLists']),
    ...(request.disjoint === undefined ? [] : ['/disjoint']),
    ...(request.coRouted === undefined ? [] : ['/coRouted']),
  ];
}

/** May its demand be split over several lists? */
export function isSplittable({ constraints, maxLists = 1 }: PathRequest): boolean {
  return (constraints.bandwidthBps ?? 0) > 0 && maxLists > 1;
}

/** The request without some of its constraints: whatever satisfied it still does. */
export function withoutConstraints(request: PathRequest, dropped: ReadonlySet<ConstraintPointer>): PathRequest {
  if (dropped.size === 0) return request;
  const { constraints, maxSegments, maxLists, disjoint, coRouted, ...rest } = request;
  const { bounds, bandwidthBps, affinities, exclude, include } = constraints;
  const keep = (pointer: string) => !dropped.has(pointer);
  const members = <T extends object>(of: T | undefined, at: string): T | undefined =>
    of && (Object.fromEntries(Object.entries(of).filter(([name]) => keep(`${at}/${name}`))) as T);
  const kept = {
    bounds: bounds?.filter((_, i) => keep(`/constraints/bounds/${i}`)),
    bandwidthBps: keep('/constraints/bandwidthBps') ? bandwidthBps : undefined,
    affinities: members(affinities, '/constraints/affinities'),
    exclude: members(exclude, '/constraints/exclude'),
    include: include && keptEntries(include, dropped),
  };
  return {
    ...rest,
    constraints: defined(kept),
    ...(maxSegments === undefined || !keep('/maxSegments') ? {} : { maxSegments }),
    ...(maxLists === undefined ? {} : { maxLists: keep('/maxLists') ? maxLists : MOST_LISTS }),
    ...(disjoint === undefined || !keep('/disjoint') ? {} : { disjoint }),
    ...(coRouted === undefined || !keep('/coRouted') ? {} : { coRouted }),
  };
}

/** Where a constraint of the request without those dropped stands in the request itself. */
export function pointerBefore(
  request: PathRequest,
  dropped: ReadonlySet<ConstraintPointer>,
  pointer: ConstraintPointer,
): ConstraintPointer {
  const [, list, position] = /^\/constraints\/(bounds|include)\/(\d+)$/.exec(pointer) ?? [];
  if (list === undefined) return pointer;
  const kept = constraintsOf(request).filter(
    (known) => known.startsWith(`/constraints/${list}/`) && !dropped.has(known),
  );
  return kept[Number(position)] ?? pointer;
}

/** A strict entry whose predecessor goes has nothing left to follow directly: it becomes loose. */
function keptEntries(include: readonly IncludeEntry[], dropped: ReadonlySet<ConstraintPointer>): IncludeEntry[] {
  const isDropped = (i: number) => dropped.has(`/constraints/include/${i}`);
  return include.flatMap((entry, i): IncludeEntry[] => {
    if (isDropped(i)) return [];
    return [i > 0 && isDropped(i - 1) ? { ...entry, hop: 'loose' } : entry];
  });
}

function defined(record: object): object {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
