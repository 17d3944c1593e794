import {
  constraintsOf,
  constraintsOfGroup,
  overlaidSnapshot,
  type DisjointAnswer,
  type DisjointRequest,
  type Overlay,
  type PathAnswer,
  type PathRequest,
  type Proof,
  type ProofRequirement,
  type Snapshot,
} from '@waymark/topology';
import type { PathComputationService, ProofRequest, UnderOverlay } from '../model/ports.js';
import { requireCompatible } from './compatible-request.js';
import type { ComputePool } from './compute-pool.js';
import type { Basis } from './compute-tasks.js';
import { requireKnownOverlay } from './overlay-ids.js';
import { requireConsistent, requireConsistentRequest } from './contradictions.js';
import { canonicalSids, idsInConstraints, idsInRequest, requireConstraints, requireKnownIds } from './request-ids.js';
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
   * booked: bookings have no history, nor has what was believed of it. `overlay`: as if that were so. `signal`: nobody waits
   * for the answer any more. Throws Problem request-invalid, node-unknown, link-unknown, overloaded.
   */
  async compute(
    request: PathRequest,
    revision?: number,
    overlay?: Overlay,
    signal?: AbortSignal,
  ): Promise<UnderOverlay<PathAnswer>> {
    requireCompatible(request);
    requireConstraints(constraintsOf(request), request.optional);
    requireConsistentRequest(request);
    const { snapshot, ...basis } = await this.#basis(revision, overlay, request.setupPriority);
    requireKnownIds(snapshot, idsInRequest(request));
    const answer = await this.#pool.run('compute-path', snapshot, { request, ...basis }, signal);
    if (answer.status !== 'no-path' || revision !== undefined) return answer;
    return staleOr(answer, [request.source, request.destination], this.#findHeldSource);
  }

  /** As compute, for a group. */
  async computeDisjoint(
    request: DisjointRequest,
    revision?: number,
    overlay?: Overlay,
    signal?: AbortSignal,
  ): Promise<UnderOverlay<DisjointAnswer>> {
    requireConstraints(constraintsOfGroup(request), request.optional);
    for (const [i, { source, destination, constraints }] of request.members.entries()) {
      const optional = (request.optional ?? []).flatMap((pointer) => within(pointer, `/members/${i}`));
      requireConsistent({ constraints, ends: [source, destination], optional }, `/members/${i}/constraints`);
    }
    const { snapshot, ...basis } = await this.#basis(revision, overlay, request.setupPriority);
    const ids = request.members.flatMap(({ source, destination, constraints }, i) => [
      { field: `/members/${i}/source`, node: source },
      { field: `/members/${i}/destination`, node: destination },
      ...idsInConstraints(constraints, `/members/${i}/constraints`),
    ]);
    requireKnownIds(snapshot, ids);
    const answer = await this.#pool.run('compute-disjoint-paths', snapshot, { request, ...basis }, signal);
    if (answer.status !== 'no-path' || revision !== undefined) return answer;
    const endpoints = request.members.flatMap(({ source, destination }) => [source, destination]);
    return staleOr(answer, endpoints, this.#findHeldSource);
  }

  /** As compute. An unknown SID is a violation in the answer; what is no IPv6 address is request-invalid. */
  async prove(request: ProofRequest, signal?: AbortSignal): Promise<UnderOverlay<Proof>> {
    const { headend, destination, constraints, setupPriority, revision, overlay } = request;
    const sids = canonicalSids(request.sids);
    const { snapshot, ...basis } = await this.#basis(revision, overlay, setupPriority);
    requireKnownIds(snapshot, [
      { field: '/headend', node: headend },
      { field: '/destination', node: destination },
      ...idsInConstraints(constraints ?? {}),
    ]);
    const requirement: ProofRequirement = { headend, destination, ...(constraints && { constraints }) };
    return this.#pool.run('prove', snapshot, { sids, requirement, setupPriority, ...basis }, signal);
  }

  async #basis(
    revision: number | undefined,
    overlay: Overlay | undefined,
    setupPriority: number | undefined,
  ): Promise<{ readonly snapshot: Snapshot } & Basis> {
    const snapshot = await (revision === undefined ? this.#snapshots.newest() : this.#snapshots.at(revision));
    if (overlay !== undefined) requireKnownOverlay(snapshot, overlay);
    if (revision !== undefined) return { snapshot, overlay, unreservedBps: undefined };
    const seen = withBandwidths(snapshot, overlay);
    return { snapshot, overlay, unreservedBps: await this.#unreservedBps(seen, setupPriority) };
  }
}

/** A pointer as it is below `at`; nothing when it leads elsewhere. */
function within(pointer: string, at: string): string[] {
  return pointer.startsWith(`${at}/`) ? [pointer.slice(at.length)] : [];
}

/** With the reservable bandwidths of an overlay and nothing else of it: the rest is work for a worker. */
function withBandwidths(snapshot: Snapshot, overlay: Overlay | undefined): Snapshot {
  const links = (overlay?.links ?? []).flatMap(({ link, reservableBandwidthBps }) =>
    reservableBandwidthBps === undefined ? [] : [{ link, reservableBandwidthBps }],
  );
  return links.length === 0 ? snapshot : overlaidSnapshot(snapshot, { links });
}
