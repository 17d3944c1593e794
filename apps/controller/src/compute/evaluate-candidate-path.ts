import {
  computePaths,
  computeStandby,
  leastOfPaths,
  type LinkId,
  type PathConstraints,
  type PathRequest,
  type Snapshot,
  standbyQuality,
  type StandbyAnswer,
  type StandbyQuality,
  type StandbyRequest,
} from '@waymark/topology';
import type { CandidatePathIntent, DynamicPath, ExplicitPath, PolicyList } from '../model/sr-policy.js';
import type { BandwidthLedger } from './bandwidth-ledger.js';
import type { CandidateOutcome, ValidLists } from './candidate-outcome.js';
import {
  transportList,
  type ExpandedSegment,
  type LinkBandwidth,
  type PolicyToEvaluate,
  type TransportList,
} from './evaluate-policies-model.js';
import { BANDWIDTH, keeping, outcomesOf, requestOf, withoutOptionalBandwidth } from './optional-constraints.js';
import { ListProver, type ListRequirement } from './prove-transport-list.js';

/** Evaluates candidate paths of policies against one snapshot and the bandwidth that is left. */
export class CandidateEvaluator {
  readonly #snapshot: Snapshot;
  readonly #ledger: BandwidthLedger;
  readonly #held: readonly LinkId[];
  readonly #prover: ListProver;

  constructor(
    snapshot: Snapshot,
    ledger: BandwidthLedger,
    heldLinks: readonly LinkId[],
    prover = new ListProver(snapshot),
  ) {
    this.#snapshot = snapshot;
    this.#ledger = ledger;
    this.#held = heldLinks;
    this.#prover = prover;
  }

  get hasHeldLinks(): boolean {
    return this.#held.length > 0;
  }

  /** Searches (dynamic) or proves (explicit) as if the policy had nothing yet. `avoidHeld`: not over held links. */
  evaluate(policy: PolicyToEvaluate, candidate: CandidatePathIntent, avoidHeld: boolean): CandidateOutcome {
    const { path } = candidate;
    return path.kind === 'dynamic'
      ? this.#search(policy, path, avoidHeld)
      : this.admit(policy, this.#proveExplicit(policy, path, avoidHeld ? this.#held : []));
  }

  /** Explicit lists as `evaluate` proves them, whatever bandwidth is left. */
  prove(policy: PolicyToEvaluate, path: ExplicitPath): CandidateOutcome {
    return this.#proveExplicit(policy, path, []);
  }

  /** Do these lists still satisfy the candidate path, and which optional constraints? Not: are they the best. */
  hold(
    policy: PolicyToEvaluate,
    candidate: CandidatePathIntent,
    lists: readonly TransportList[],
    honourAdminState: ListRequirement['honourAdminState'],
  ): CandidateOutcome {
    const { path } = candidate;
    if (path.kind === 'explicit')
      return this.#proveAll(policy, lists, { constraints: path.constraints, honourAdminState });
    const request = requestOf(policy, path);
    const optional = path.optional ?? [];
    // What there is of bandwidth is for `admit` to say.
    let kept: ReadonlySet<string> = new Set(optional.filter((pointer) => pointer === BANDWIDTH));
    let outcome = this.#proveKeeping(policy, lists, request, kept, honourAdminState);
    if (!outcome.valid) return outcome;
    for (const pointer of optional) {
      if (kept.has(pointer)) continue;
      const more = new Set([...kept, pointer]);
      const stricter = this.#proveKeeping(policy, lists, request, more, honourAdminState);
      if (!stricter.valid) continue;
      kept = more;
      outcome = stricter;
    }
    return outcome;
  }

  /** Do these lists deliver, constraints apart, over nothing that the operator took down? Books what `path` asks for. */
  deliver(
    policy: PolicyToEvaluate,
    lists: readonly TransportList[],
    path: CandidatePathIntent['path'] | undefined,
  ): CandidateOutcome {
    const outcome = this.#proveAll(policy, lists, { constraints: undefined, honourAdminState: 'down-only' });
    if (!outcome.valid) return outcome;
    const isOptional = path?.kind === 'dynamic' && path.optional?.includes(BANDWIDTH) === true;
    return {
      ...outcome,
      bookings: bookingsOf(outcome.lists, path?.constraints?.bandwidthBps),
      optional: isOptional ? [{ constraint: BANDWIDTH, isAchieved: true, missedBy: null }] : [],
    };
  }

  /**
   * What the ledger says to lists that were proved; the bookings of the policy itself are released. Where bandwidth is
   * optional and there is none, they are admitted without. `decided`: whose turn it is, by default that of those who set up
   * as this one does.
   */
  admit(policy: PolicyToEvaluate, outcome: CandidateOutcome, decided = policy.setupPriority): CandidateOutcome {
    if (!outcome.valid) return outcome;
    const lacking = this.#ledger.firstLacking(outcome.bookings, policy, decided);
    if (lacking === undefined) return outcome;
    const without = withoutOptionalBandwidth(outcome);
    if (without !== undefined) return { ...without, lackingOn: lacking.linkId };
    const free = lacking.freeBps === null ? 'an unknown amount' : `${Math.max(0, lacking.freeBps)} bit/s`;
    return {
      valid: false,
      reason: 'insufficient-bandwidth',
      message: `${free} can be reserved on link ${lacking.linkId}, which is not enough`,
      lackingOn: lacking.linkId,
    };
  }

  /** A list for `path` that is disjoint from lists in use, which stay as they are; proved. It books nothing. */
  findStandby(
    policy: PolicyToEvaluate,
    path: DynamicPath,
    standby: StandbyRequest,
    active: readonly PolicyList[],
    avoidHeld: boolean,
  ): { readonly answer: StandbyAnswer; readonly outcome: CandidateOutcome } {
    const constraints = avoidHeld ? excludingLinks(path.constraints, this.#held) : path.constraints;
    const request = requestOf(policy, { ...path, constraints });
    const primary = { links: linksOf(active), transports: active.map((list) => transportList(list).sids) };
    const asked = { ...standby, constraints };
    const answer = computeStandby(this.#snapshot, request, primary, asked, this.#roomFor(policy, path));
    if (answer.status === 'no-path') {
      return { answer, outcome: { valid: false, reason: 'no-standby', message: answer.message } };
    }
    const found = transportList({ weight: 1, transport: answer.path.transport });
    const proved = this.#proveKeeping(policy, [found], request, new Set(), true);
    return { answer, outcome: this.admit(policy, proved) };
  }

  /** How far lists that `path` allows are the standby asked for; null: not at all. */
  qualityOf(
    policy: PolicyToEvaluate,
    path: DynamicPath,
    standby: StandbyRequest,
    lists: { readonly active: readonly PolicyList[]; readonly standby: readonly PolicyList[] },
  ): StandbyQuality | null {
    const links = { primary: linksOf(lists.active), standby: linksOf(lists.standby) };
    const asked = { ...standby, constraints: path.constraints };
    return standbyQuality(this.#snapshot, requestOf(policy, path), asked, links, this.#roomFor(policy, path));
  }

  #roomFor(policy: PolicyToEvaluate, { constraints }: DynamicPath): Float64Array | undefined {
    return constraints.bandwidthBps === undefined ? undefined : this.#ledger.roomFor(policy);
  }

  #search(policy: PolicyToEvaluate, path: DynamicPath, avoidHeld: boolean): CandidateOutcome {
    const constraints = avoidHeld ? excludingLinks(path.constraints, this.#held) : path.constraints;
    const request = requestOf(policy, { ...path, constraints });
    const unreservedBps = this.#roomFor(policy, path);
    const room = unreservedBps === undefined ? {} : { unreservedBps };
    const answer = computePaths(this.#snapshot, request, { skipConflict: true, ...room });
    if (answer.status === 'no-path') return { valid: false, reason: answer.reason, message: answer.message };
    const kept = new Set(answer.optional.filter(({ isAchieved }) => isAchieved).map(({ constraint }) => constraint));
    const found = this.admit(policy, this.#proveKeeping(policy, answer.paths.map(transportList), request, kept, true));
    if (!found.valid) return found;
    const least =
      answer.paths.length === 1
        ? (answer.leastOfPaths ?? leastOfPaths(this.#snapshot, keeping(request, kept), room))
        : null;
    const outcome = least === null ? found : { ...found, least };
    return avoidHeld ? this.#offHeld(outcome) : outcome;
  }

  /** Where excluded links are optional, so are for the search those that are held; not for us. */
  #offHeld(found: ValidLists): CandidateOutcome {
    const used = new Set(linksOf(found.lists));
    const held = this.#held.find((link) => used.has(link));
    if (held === undefined) return found;
    return { valid: false, reason: 'path-not-found', message: `link ${held} has not been stable for its hold time` };
  }

  #proveKeeping(
    policy: PolicyToEvaluate,
    lists: readonly TransportList[],
    request: PathRequest,
    kept: ReadonlySet<string>,
    honourAdminState: ListRequirement['honourAdminState'],
  ): CandidateOutcome {
    const { constraints, maxSegments, maxLists = 1 } = keeping(request, kept);
    if (lists.length > maxLists) {
      const message = `it has ${lists.length} lists and may have ${maxLists}`;
      return { valid: false, reason: 'too-many-lists', message };
    }
    const outcome = this.#proveAll(policy, lists, { constraints, honourAdminState, maxSegments });
    return outcome.valid ? { ...outcome, optional: outcomesOf(request, kept, outcome.lists) } : outcome;
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
    const proved = this.#proveAll(policy, valid, { constraints: path.constraints, honourAdminState: true });
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
    return { valid: true, lists, bookings, expanded, message: null, optional: [] };
  }
}

/** All that any branch of some lists crosses, once each. */
function linksOf(lists: readonly PolicyList[]): LinkId[] {
  return [...new Set(lists.flatMap(({ load }) => load.map(({ linkId }) => linkId)))];
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
