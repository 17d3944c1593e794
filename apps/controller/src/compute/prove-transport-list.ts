import {
  ArcFlag,
  NodeFlag,
  proveSegmentLists,
  readEntries,
  serviceFamilies,
  type LinkId,
  type PathConstraints,
  type ProofRequirement,
  type SegmentList,
  type Snapshot,
} from '@waymark/topology';
import type { PolicyList } from '../model/sr-policy.js';
import type { ExpandedSegment, PolicyToEvaluate, TransportList } from './evaluate-policies-model.js';
import { BranchWalker, followsIgp, type Branch } from './walk-branch.js';

/** What transport lists are held against. Bandwidth is not part of it: the ledger admits, the proof proves. */
export interface ListRequirement {
  /** undefined: loop-free delivery only. */
  readonly constraints: PathConstraints | undefined;
  readonly honourAdminState: NonNullable<ProofRequirement['honourAdminState']>;
  readonly maxSegments?: number | undefined;
}

export type ListOutcome =
  | { readonly ok: true; readonly list: PolicyList; readonly expanded: readonly ExpandedSegment[] }
  | { readonly ok: false; readonly reason: string; readonly message: string };

/** Turns transport lists into finished, proved ones on one snapshot. */
export class ListProver {
  readonly #snapshot: Snapshot;
  readonly #walker: BranchWalker;
  readonly #known: Map<string, ListOutcome> | undefined;
  /** Without drained elements it makes no difference whether drains are honoured. */
  readonly #hasDrained: boolean;

  /** `remembers`: whatever was proved once is not proved again; for a few policies that are looked at several times. */
  constructor(snapshot: Snapshot, { remembers = false } = {}) {
    this.#snapshot = snapshot;
    this.#walker = new BranchWalker(snapshot);
    this.#known = remembers ? new Map() : undefined;
    this.#hasDrained = remembers && hasDrained(snapshot);
  }

  /** Appends the service SID of each family the endpoint serves, and proves every finished list. */
  prove(policy: PolicyToEvaluate, transport: TransportList, requirement: ListRequirement): ListOutcome {
    if (this.#known === undefined) return this.#prove(policy, transport, requirement);
    const { honourAdminState } = requirement;
    const honoured = this.#hasDrained ? honourAdminState : true;
    const needs = proofRequirement({ ...requirement, honourAdminState: honoured });
    const key = JSON.stringify([policy.headend, policy.endpoint, transport.sids, needs]);
    const known = this.#known.get(key) ?? this.#prove(policy, transport, requirement);
    this.#known.set(key, known);
    return known.ok ? { ...known, list: { ...known.list, weight: transport.weight } } : known;
  }

  #prove(policy: PolicyToEvaluate, transport: TransportList, requirement: ListRequirement): ListOutcome {
    const unknown = this.#unknownPart(policy, transport);
    if (unknown !== undefined) return unknown;
    const families = serviceFamilies(this.#snapshot, this.#snapshot.nodeIndexOf(policy.endpoint));
    if (families.length === 0) {
      return { ok: false, reason: 'sid-unresolved', message: `${policy.endpoint} has no service SID` };
    }
    const finished: SegmentList[] = [];
    let branch: Branch | undefined;
    const shares = new Map<LinkId, number>();
    const proved = proveSegmentLists(
      this.#snapshot,
      policy.headend,
      transport.sids,
      families,
      policy.endpoint,
      proofRequirement(requirement),
    );
    for (const { list, proof } of proved) {
      if (!proof.ok) return violated(proof.violation);
      branch ??= this.#branchOf(policy, list, proof.branch);
      finished.push(list);
      for (const { linkId, share } of proof.load) shares.set(linkId, Math.max(shares.get(linkId) ?? 0, share));
    }
    const first = finished[0];
    if (first === undefined || branch === undefined) return violated(null);
    return {
      ok: true,
      list: {
        weight: transport.weight,
        nodes: branch.nodes.map((node) => this.#snapshot.nodeIdOf(node)),
        links: branch.arcs.map((arc) => this.#snapshot.linkIdOf(arc)),
        metrics: first.proof.worst,
        transport: first.segments.slice(0, -1),
        segmentLists: finished,
        load: [...shares].map(([linkId, share]) => ({ linkId, share })).sort((a, b) => compare(a.linkId, b.linkId)),
      },
      expanded: branch.expanded,
    };
  }

  /** What flexible algorithms and anycast prefixes expand is not taken apart: every change of routing may shift it. */
  #branchOf({ headend, endpoint }: PolicyToEvaluate, list: SegmentList, proved: readonly LinkId[]): Branch | undefined {
    const snapshot = this.#snapshot;
    if (list.segments.every(({ sid }) => followsIgp(snapshot, sid))) return this.#walker.walk(headend, list.segments);
    const arcs = proved.map((link) => snapshot.arcOf(link));
    const nodes = [snapshot.nodeIndexOf(headend), ...arcs.map((arc) => snapshot.data.arcTo[arc] as number)];
    return { nodes, arcs, expanded: [{ from: headend, to: endpoint, igp: null }] };
  }

  #unknownPart(policy: PolicyToEvaluate, { sids }: TransportList): ListOutcome | undefined {
    if (this.#snapshot.nodeIndexOf(policy.headend) < 0) {
      return { ok: false, reason: 'source-unknown', message: `${policy.headend} is not in the topology` };
    }
    if (this.#snapshot.nodeIndexOf(policy.endpoint) < 0) {
      return { ok: false, reason: 'destination-unknown', message: `${policy.endpoint} is not in the topology` };
    }
    const { objection } = readEntries(this.#snapshot, sids);
    return objection === null ? undefined : { ok: false, reason: 'unknown-sid', message: objection };
  }
}

function hasDrained({ data }: Snapshot): boolean {
  return (
    data.nodeFlags.some((flags) => (flags & NodeFlag.Drained) !== 0) ||
    data.arcFlags.some((flags) => (flags & ArcFlag.Drained) !== 0)
  );
}

function proofRequirement(requirement: ListRequirement): Omit<ProofRequirement, 'headend' | 'destination'> {
  const { constraints, honourAdminState, maxSegments } = requirement;
  return {
    honourAdminState,
    ...(constraints === undefined ? {} : { constraints: withoutBandwidth(constraints) }),
    ...(maxSegments === undefined ? {} : { maxSegments }),
  };
}

function withoutBandwidth({ bounds, affinities, exclude, include }: PathConstraints): PathConstraints {
  return {
    ...(bounds === undefined ? {} : { bounds }),
    ...(affinities === undefined ? {} : { affinities }),
    ...(exclude === undefined ? {} : { exclude }),
    ...(include === undefined ? {} : { include }),
  };
}

function violated(violation: { readonly kind: string; readonly message: string } | null): ListOutcome {
  return {
    ok: false,
    reason: violation?.kind ?? 'not-delivered',
    message: violation?.message ?? 'the list does not lead to its endpoint',
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
