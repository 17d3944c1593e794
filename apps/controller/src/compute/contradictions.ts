import type { NodeId, PathConstraints, PathRequest } from '@waymark/topology';
import { Problem } from '../model/errors.js';

interface FieldError {
  readonly field: string;
  readonly detail: string;
}

export interface Demand {
  readonly constraints: PathConstraints;
  /** Where the path begins and ends, as far as that is known. */
  readonly ends?: readonly NodeId[] | undefined;
  /** Pointers into the request, whose constraints are at `/constraints`: what contradicts these is only a wish. */
  readonly optional?: readonly string[] | undefined;
}

/**
 * What the constraints contradict themselves in, so that no network could ever have a path: a mistake of the request, not
 * a finding about the topology. `at` points to the constraints.
 */
export function contradictionsIn({ constraints, ends = [], optional = [] }: Demand, at: string): FieldError[] {
  const isWish = (...pointers: readonly string[]): boolean =>
    pointers.some((pointer) => optional.includes(`/constraints${pointer}`));
  const { bounds = [], exclude, include = [], affinities = {} } = constraints;
  const errors: FieldError[] = [];
  const report = (pointer: string, detail: string): void => void errors.push({ field: `${at}${pointer}`, detail });

  for (const [i, { metric }] of bounds.entries()) {
    const first = bounds.findIndex((bound) => bound.metric === metric);
    if (first === i || isWish(`/bounds/${i}`, `/bounds/${first}`)) continue;
    report(`/bounds/${i}`, `The metric ${metric} is bounded twice: keep the smaller of the two.`);
  }
  for (const [i, node] of (exclude?.nodes ?? []).entries()) {
    if (!ends.includes(node) || isWish('/exclude/nodes')) continue;
    report(`/exclude/nodes/${i}`, `The path begins or ends at ${node}, which is excluded: leave it out here.`);
  }
  for (const [i, stop] of include.entries()) {
    const [id, kind] = 'node' in stop ? ([stop.node, 'nodes'] as const) : ([stop.link, 'links'] as const);
    if (exclude?.[kind]?.includes(id) !== true || isWish(`/include/${i}`, `/exclude/${kind}`)) continue;
    report(`/include/${i}`, `${id} is included here and excluded in exclude.${kind}: leave out one of them.`);
  }
  const { includeAll = [], includeAny = [], excludeAny = [] } = affinities;
  const unwanted = includeAll.find((name) => excludeAny.includes(name));
  if (unwanted !== undefined && !isWish('/affinities/includeAll', '/affinities/excludeAny')) {
    report(
      '/affinities/includeAll',
      `Every link must have ${unwanted}, and none may: take it out of excludeAny, or of here.`,
    );
  }
  const isImpossible = includeAny.length > 0 && includeAny.every((name) => excludeAny.includes(name));
  if (isImpossible && !isWish('/affinities/includeAny', '/affinities/excludeAny')) {
    report('/affinities/includeAny', 'All of these are in excludeAny, too: leave one of them out there.');
  }
  return errors;
}

/** Throws Problem request-invalid naming every contradiction. */
export function requireConsistent(demand: Demand, at = '/constraints'): void {
  const errors = contradictionsIn(demand, at);
  const [first] = errors;
  if (first !== undefined) throw new Problem('request-invalid', { ...first, errors });
}

/** As requireConsistent, for a path request and its standby. */
export function requireConsistentRequest({
  source,
  destination,
  constraints,
  optional = [],
  protection,
}: PathRequest): void {
  const ends = [source, destination];
  requireConsistent({ constraints, ends, optional });
  const standby = protection?.standby?.constraints;
  if (standby !== undefined) requireConsistent({ constraints: standby, ends }, '/protection/standby/constraints');
}
