import { maxDisjointPaths } from '@waymark/http-contract';
import {
  constraintsOf,
  constraintsOfGroup,
  type DisjointAnswer,
  type DisjointRequest,
  type NodeId,
  type PathAnswer,
  type PathConstraints,
  type PathRequest,
  type Proof,
  type ProofRequirement,
  type Snapshot,
} from '@waymark/topology';
import { Problem } from '../model/errors.js';
import type { PathComputationService } from '../model/ports.js';
import type { ComputePool } from './compute-pool.js';
import { canonicalSids, idsInConstraints, requireConstraints, requireKnownIds } from './request-ids.js';
import type { SnapshotCache } from './snapshot-cache.js';
import { staleOr, type FindHeldSource } from './stale-topology.js';

export interface PathComputationParts {
  readonly snapshots: SnapshotCache;
  readonly pool: ComputePool;
  /**
   * Reservable bandwidth minus what policies have booked, per arc of the snapshot, in bit/s, as a setup priority sees it; by
   * default the lowest.
   */
  readonly unreservedBps: (snapshot: Snapshot, setupPriority: number | undefined) => Promise<Float64Array>;
  readonly findHeldSource: FindHeldSource;
}

/** Answers path requests and proves segment lists on the TED, in worker threads. Changes nothing. */
export class PathComputation implements PathComputationService {
  readonly #snapshots: SnapshotCache;
  readonly #pool: ComputePool;
  readonly #unreservedBps: PathComputationParts['unreservedBps'];
  readonly #findHeldSource: FindHeldSource;

  constructor({ snapshots, pool, unreservedBps, findHeldSource }: PathComputationParts) {
    this.#snapshots = snapshots;
    this.#pool = pool;
    this.#unreservedBps = unreservedBps;
    this.#findHeldSource = findHeldSource;
  }

  /**
   * `revision` undefined: on the newest TED with what is booked now. A past revision is answered as if nothing were
   * booked: bookings have no history, nor has what was believed of it. Throws Problem request-invalid, node-unknown, link-unknown, overloaded.
   */
  async compute(request: PathRequest, revision?: number): Promise<PathAnswer> {
    requireCompatible(request);
    requireConstraints(constraintsOf(request), request.optional);
    const { snapshot, unreservedBps } = await this.#basis(revision, request.setupPriority);
    requireKnownIds(snapshot, [
      { field: '/source', node: request.source },
      { field: '/destination', node: request.destination },
      ...idsInConstraints(request.constraints),
      ...idsInConstraints(request.protection?.standby?.constraints ?? {}, '/protection/standby/constraints'),
    ]);
    const answer = await this.#pool.run('compute-path', snapshot, { request, unreservedBps });
    if (answer.status !== 'no-path' || revision !== undefined) return answer;
    return staleOr(answer, [request.source, request.destination], this.#findHeldSource);
  }

  /** As compute, for a group. */
  async computeDisjoint(request: DisjointRequest, revision?: number): Promise<DisjointAnswer> {
    requireConstraints(constraintsOfGroup(request), request.optional);
    const { snapshot, unreservedBps } = await this.#basis(revision, request.setupPriority);
    const ids = request.members.flatMap(({ source, destination, constraints }, i) => [
      { field: `/members/${i}/source`, node: source },
      { field: `/members/${i}/destination`, node: destination },
      ...idsInConstraints(constraints, `/members/${i}/constraints`),
    ]);
    requireKnownIds(snapshot, ids);
    const answer = await this.#pool.run('compute-disjoint-paths', snapshot, { request, unreservedBps });
    if (answer.status !== 'no-path' || revision !== undefined) return answer;
    const endpoints = request.members.flatMap(({ source, destination }) => [source, destination]);
    return staleOr(answer, endpoints, this.#findHeldSource);
  }

  /** As compute. An unknown SID is a violation in the answer; what is no IPv6 address is request-invalid. */
  async prove(input: {
    readonly headend: NodeId;
    readonly destination: NodeId;
    readonly sids: readonly string[];
    readonly constraints?: PathConstraints;
    readonly setupPriority?: number;
    readonly revision?: number;
  }): Promise<Proof> {
    const { headend, destination, constraints } = input;
    const sids = canonicalSids(input.sids);
    const { snapshot, unreservedBps } = await this.#basis(input.revision, input.setupPriority);
    requireKnownIds(snapshot, [
      { field: '/headend', node: headend },
      { field: '/destination', node: destination },
      ...idsInConstraints(constraints ?? {}),
    ]);
    const requirement: ProofRequirement = { headend, destination, ...(constraints && { constraints }) };
    return this.#pool.run('prove', snapshot, { sids, requirement, unreservedBps });
  }

  async #basis(
    revision: number | undefined,
    setupPriority: number | undefined,
  ): Promise<{ snapshot: Snapshot; unreservedBps: Float64Array | undefined }> {
    if (revision !== undefined) return { snapshot: await this.#snapshots.at(revision), unreservedBps: undefined };
    const snapshot = await this.#snapshots.newest();
    return { snapshot, unreservedBps: await this.#unreservedBps(snapshot, setupPriority) };
  }
}

function requireCompatible({ k, disjoint, coRouted, maxLists, constraints, protection }: PathRequest): void {
  const refuse = (field: string, detail: string) => new Problem('request-invalid', { detail, field });
  if (protection !== undefined && coRouted !== undefined) {
    throw refuse(
      '/protection',
      'A co-routed pair has no protection of its own: leave out protection, or leave out coRouted.',
    );
  }
  if (protection?.standby !== undefined) {
    const several = disjoint !== undefined ? 'disjoint' : maxLists !== undefined && maxLists > 1 ? 'maxLists' : null;
    if (several !== null) {
      throw refuse(
        '/protection/standby',
        `A standby is for the paths of one answer by themselves, each of which carries everything: leave out ${several}, or leave out standby.`,
      );
    }
  }
  if (maxLists !== undefined && maxLists > 1) {
    const several = disjoint !== undefined ? 'disjoint' : coRouted !== undefined ? 'coRouted' : 'k';
    if (disjoint !== undefined || coRouted !== undefined || (k !== undefined && k > 1)) {
      throw refuse(
        '/maxLists',
        `A demand is split over the lists of one answer, not over several alternatives or protected pairs: leave out ${several}, or leave out maxLists.`,
      );
    }
    if (constraints.bandwidthBps === undefined) {
      throw refuse(
        '/maxLists',
        'Lists are weighted by what they carry: add constraints.bandwidthBps, or leave out maxLists.',
      );
    }
  }
  if (coRouted !== undefined && (k !== undefined || disjoint !== undefined)) {
    const other = disjoint === undefined ? 'k' : 'disjoint';
    throw refuse(
      `/${other}`,
      `A co-routed pair is always two paths over the same links: leave out ${other}, or leave out coRouted.`,
    );
  }
  if (disjoint !== undefined && k !== undefined && k > maxDisjointPaths) {
    throw refuse('/k', `At most ${maxDisjointPaths} disjoint paths can be asked for.`);
  }
}
