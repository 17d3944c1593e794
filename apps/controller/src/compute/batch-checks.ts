import { maxMeshPairs, maxSynchronised } from '@waymark/http-contract';
import { constraintsOf, type PathRequest } from '@waymark/topology';
import { Problem } from '../model/errors.js';
import type { PathBatch, PathBatchOfMesh, PathBatchOfRequests } from '../model/path-batch.js';
import { requireCompatible } from './compatible-request.js';
import { requireConsistent, requireConsistentRequest } from './contradictions.js';
import { idsInConstraints, idsInRequest, requireConstraints, type NamedId } from './request-ids.js';

/** Throws Problem request-invalid for what is wrong with a batch whatever the topology is. */
export function requireWellFormed(batch: PathBatch): void {
  if (batch.kind === 'requests') requireRequests(batch);
  else requirePairs(batch);
}

export function idsInBatch(batch: PathBatch): NamedId[] {
  return batch.kind === 'requests' ? idsInRequests(batch) : idsInMesh(batch);
}

/** A node has no path to itself. */
export function pairsOf({ sources, destinations = sources }: PathBatchOfMesh): number {
  const known = new Set(destinations);
  return sources.length * destinations.length - sources.filter((source) => known.has(source)).length;
}

function requireRequests({ requests, synchronised }: PathBatchOfRequests): void {
  if (synchronised === true && requests.length > maxSynchronised) {
    throw new Problem('request-invalid', {
      detail: `At most ${maxSynchronised} requests can be placed together: divide them, or leave out synchronised.`,
      field: '/requests',
    });
  }
  for (const [i, request] of requests.entries()) {
    within(`/requests/${i}`, () => {
      requireCompatible(request);
      requireConstraints(constraintsOf(request), request.optional);
      requireConsistentRequest(request);
      if (synchronised === true) requireOnePath(request);
    });
  }
}

/** What takes bandwidth together must be one path, or one demand. */
function requireOnePath({ k = 1, disjoint, coRouted }: PathRequest): void {
  const several = disjoint !== undefined ? 'disjoint' : coRouted !== undefined ? 'coRouted' : k > 1 ? 'k' : undefined;
  if (several === undefined) return;
  throw new Problem('request-invalid', {
    detail:
      `Each of the requests that share bandwidth has one path, or one demand over several lists: leave out ${several}, or ` +
      'leave out synchronised. Paths that must be disjoint: /v1/disjoint-path-computations.',
    field: `/${several}`,
  });
}

/** Lets problems of a part point into the whole. */
function within(at: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { field, errors, ...info } = error.info;
    throw new Problem(error.code, {
      ...info,
      ...(field !== undefined && { field: at + field }),
      ...(errors && { errors: errors.map((one) => ({ ...one, field: at + one.field })) }),
    });
  }
}

function requirePairs(batch: PathBatchOfMesh): void {
  requireConsistent(batch);
  const pairs = pairsOf(batch);
  if (pairs > maxMeshPairs) {
    throw new Problem('request-invalid', {
      detail: `These are ${pairs} pairs, and a batch has at most ${maxMeshPairs}: divide the sources among several batches.`,
      field: '/sources',
    });
  }
}

function idsInRequests({ requests }: PathBatchOfRequests): NamedId[] {
  return requests.flatMap((request, i) => idsInRequest(request, `/requests/${i}`));
}

function idsInMesh({ sources, destinations = [], constraints }: PathBatchOfMesh): NamedId[] {
  return [
    ...sources.map((node, i) => ({ field: `/sources/${i}`, node })),
    ...destinations.map((node, i) => ({ field: `/destinations/${i}`, node })),
    ...idsInConstraints(constraints),
  ];
}
