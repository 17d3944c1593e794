import { computePaths, type LinkId, type PathConstraints, type Snapshot } from '@waymark/topology';
import type { CandidatePathIntent, DynamicPath, ExplicitPath, PolicyList } from '../model/sr-policy.js';
import type { BandwidthLedger } from './bandwidth-ledger.js';
import {
  transportList,
  type ExpandedSegment,
  type LinkBandwidth,
  type PolicyToEvaluate,
  type TransportList,
} from './evaluate-policies-model.js';
import { ListProver, type ListRequirement } from './prove-transport-list.js';

/** Lists that may be used as they are. */
export interface ValidLists {
  readonly valid: true;
  readonly lists: readonly PolicyList[];
  readonly bookings: readonly LinkBandwidth[];
  readonly expanded: readonly ExpandedSegment[];
  /** What is wrong with those lists of an explicit candidate path that were left out. */
  readonly message: string | null;
}

export interface InvalidLists {
  readonly valid: false;
  /** A no-path reason or the kind of a violation. */
  readonly reason: string;
  readonly message: string;
}

export type CandidateOutcome = ValidLists | InvalidLists;

/** Evaluates candidate paths of policies against one snapshot and the bandwidth that is left. */
export class CandidateEvaluator {
  readonly #snapshot: Snapshot;
  readonly #ledger: BandwidthLedger;
  readonly #held: readonly LinkId[];
  readonly #prover: ListProver;

  constructor(snapshot: Snapshot, ledger: BandwidthLedger, heldLinks: readonly LinkId[]) {
    this.#snapshot = snapshot;
    this.#ledger = ledger;
    this.#held = heldLinks;
    this.#prover = new ListProver(snapshot);
  }

  get hasHeldLinks(): boolean {
    return this.#held.length > 0;
  }

  /** Searches (dynamic) or proves (explicit) as if the policy had nothing yet. `avoidHeld`: not over held links. */
  evaluate(policy: PolicyToEvaluate, candidate: CandidatePathIntent, avoidHeld: boolean): CandidateOutcome {
    const { path } = candidate;
    return path.kind === 'dynamic'
      ? this.#search(policy, path, avoidHeld)
      : this.#proveExplicit(policy, path, avoidHeld ? this.#held : []);
  }

  /** Do these lists still satisfy the candidate path? Not: are they the best. */
  hold(
    policy: PolicyToEvaluate,
    candidate: CandidatePathIntent,
    lists: readonly TransportList[],
    honourAdminState: ListRequirement['honourAdminState'],
  ): CandidateOutcome {
    const { path } = candidate;
    const most = path.kind === 'dynamic' ? (path.maxLists ?? 1) : lists.length;
    if (lists.length > most) {
      return {
        valid: false,
        reason: 'insufficient-bandwidth',
        message: `it has ${lists.length} lists and may have ${most}`,
      };
    }
    return this.#proveAll(policy, lists, {
      constraints: path.constraints,
      honourAdminState,
      maxSegments: path.kind === 'dynamic' ? path.maxSegments : undefined,
    });
  }

  /** Do these lists deliver, constraints apart, over nothing that the operator took down? */
  deliver(
    policy: PolicyToEvaluate,
    lists: readonly TransportList[],
    bandwidthBps: number | undefined,
  ): CandidateOutcome {
    const outcome = this.#proveAll(policy, lists, { constraints: undefined, honourAdminState: 'down-only' });
    return outcome.valid ? { ...outcome, bookings: bookingsOf(outcome.lists, bandwidthBps) } : outcome;
  }

  /** What the ledger says to lists that were proved. */
  admit(outcome: CandidateOutcome): CandidateOutcome {
    if (!outcome.valid) return outcome;
    const lacking = this.#ledger.firstLacking(outcome.bookings);
    if (lacking === undefined) return outcome;
    const free = lacking.freeBps === null ? 'an unknown amount' : `${Math.max(0, lacking.freeBps)} bit/s`;
    return {
      valid: false,
      reason: 'insufficient-bandwidth',
      message: `${free} can be reserved on link ${lacking.linkId}, which is not enough`,
    };
  }

  #search(policy: PolicyToEvaluate, path: DynamicPath, avoidHeld: boolean): CandidateOutcome {
    const constraints = avoidHeld ? excludingLinks(path.constraints, this.#held) : path.constraints;
    const answer = computePaths(
      this.#snapshot,
      {
        source: policy.headend,
        destination: policy.endpoint,
        metric: path.metric,
        constraints,
        ...(path.maxSegments === undefined ? {} : { maxSegments: path.maxSegments }),
        ...(path.maxLists === undefined ? {} : { maxLists: path.maxLists }),
      },
      {
        skipConflict: true,
        ...(path.constraints.bandwidthBps === undefined ? {} : { unreservedBps: this.#ledger.free }),
      },
    );
    if (answer.status === 'no-path') return { valid: false, reason: answer.reason, message: answer.message };
    return this.admit(
      this.#proveAll(policy, answer.paths.map(transportList), {
        constraints,
        honourAdminState: true,
        maxSegments: path.maxSegments,
      }),
    );
  }

  /** RFC 9256 section 5.1: an explicit candidate path is valid while at least one of its lists is. */
  #proveExplicit(policy: PolicyToEvaluate, path: ExplicitPath, avoid: readonly LinkId[]): CandidateOutcome {
    const constraints = avoid.length === 0 ? path.constraints : excludingLinks(path.constraints ?? {}, avoid);
    const valid: TransportList[] = [];
    const faults: { readonly reason: string; readonly message: string }[] = [];
    path.segmentLists.forEach((list, index) => {
      const outcome = this.#prover.prove(policy, list, { constraints, honourAdminState: true });
      if (outcome.ok) valid.push(list);
      else faults.push({ reason: outcome.reason, message: `list ${index + 1}: ${outcome.message}` });
    });
    const message = faults.map((fault) => fault.message).join('; ');
    if (valid.length === 0) return { valid: false, reason: faults[0]?.reason ?? 'no-list', message };
    const proved = this.admit(this.#proveAll(policy, valid, { constraints: path.constraints, honourAdminState: true }));
    return proved.valid ? { ...proved, message: faults.length === 0 ? null : message } : proved;
  }

  #proveAll(
    policy: PolicyToEvaluate,
    transports: readonly TransportList[],
    requirement: ListRequirement,
  ): CandidateOutcome {
    const lists: PolicyList[] = [];
    const expanded: ExpandedSegment[] = [];
    for (const transport of transports) {
      const outcome = this.#prover.prove(policy, transport, requirement);
      if (!outcome.ok) return { valid: false, reason: outcome.reason, message: outcome.message };
      lists.push(outcome.list);
      expanded.push(...outcome.expanded);
    }
    const bookings = bookingsOf(lists, requirement.constraints?.bandwidthBps);
    return { valid: true, lists, bookings, expanded, message: null };
  }
}

/** What lists reserve: each link's share of the traffic, lists by weight and ECMP branches evenly. Sorted by link. */
function bookingsOf(lists: readonly PolicyList[], bandwidthBps: number | undefined): LinkBandwidth[] {
  if (bandwidthBps === undefined || bandwidthBps === 0) return [];
  const weights = lists.reduce((sum, list) => sum + list.weight, 0);
  const weighted = new Map<LinkId, number>();
  for (const { weight, load } of lists) {
    for (const { linkId, share } of load) weighted.set(linkId, (weighted.get(linkId) ?? 0) + share * weight);
  }
  return [...weighted]
    .map(([linkId, weight]) => ({ linkId, bandwidthBps: Math.ceil((weight * bandwidthBps) / weights - ROUNDING) }))
    .filter((booking) => booking.bandwidthBps > 0)
    .sort((a, b) => (a.linkId < b.linkId ? -1 : 1));
}

/** Shares that add up to 1 may do so only to within a few units in the last place; that must not cost a bit per second. */
const ROUNDING = 1e-3;

function excludingLinks(constraints: PathConstraints, links: readonly LinkId[]): PathConstraints {
  if (links.length === 0) return constraints;
  const exclude = constraints.exclude ?? {};
  return { ...constraints, exclude: { ...exclude, links: [...(exclude.links ?? []), ...links] } };
}
