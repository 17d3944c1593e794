import { overlaidSnapshot, type Snapshot } from '@waymark/topology';
import type { Failure, FailureImpact, PolicyImpact } from '../model/failure-sweep.js';
import { BandwidthLedger } from './bandwidth-ledger.js';
import { takenLinks } from './contenders.js';
import { CandidateEvaluator } from './evaluate-candidate-path.js';
import { evaluatePolicies } from './evaluate-policies.js';
import type { Booking, PolicyEvaluation, PolicyToEvaluate } from './evaluate-policies-model.js';
import { overlayOf } from './failure-overlay.js';
import { FailureAtOnce, type OutcomeAtOnce } from './failure-at-once.js';
import { ListProver } from './prove-transport-list.js';
import { BookedPolicies, preemptedAmong } from './make-room.js';
import type { SweptPolicy } from './swept-policy.js';

/** All policies, as they are when nothing has failed. */
export interface SweptPolicies {
  readonly policies: readonly PolicyToEvaluate[];
  /** Booked per link and hold priority by all of them. */
  readonly booked: readonly Booking[];
  /** Those whose fate is reported; undefined: all. The others compete for bandwidth all the same. */
  readonly reported: readonly string[] | undefined;
}

/**
 * What single failures do to policies, one after the other on the same base.
 *
 * Only policies with a list that crosses a link which fails are looked at. No other is affected: every link that any
 * branch of its lists takes still works, so that all distances along them are what they were (a failure shortens none),
 * and so is the set of shortest next hops at each node that they pass; and nothing else goes into a proof. Two things
 * reach further: a definition of a flexible algorithm that fails with its router, after which everybody is looked at; and
 * bandwidth, for which policies of lower priority are added until nobody else has to make room.
 */
export class FailureSweep {
  readonly #snapshot: Snapshot;
  readonly #swept: SweptPolicies;
  readonly #reported: ReadonlySet<string> | undefined;
  readonly #booked: BookedPolicies;
  readonly #byId: ReadonlyMap<string, PolicyToEvaluate>;
  /** By arc. */
  readonly #crossing = new Map<number, SweptPolicy[]>();
  /** Those with lists that deliver. */
  readonly all: readonly SweptPolicy[];

  constructor(snapshot: Snapshot, swept: SweptPolicies) {
    this.#snapshot = snapshot;
    this.#swept = swept;
    this.#reported = swept.reported && new Set(swept.reported);
    this.#booked = new BookedPolicies(swept.policies);
    this.#byId = new Map(swept.policies.map((policy) => [policy.policyId, policy]));
    const evaluator = new CandidateEvaluator(snapshot, new BandwidthLedger(snapshot, []), []);
    this.all = swept.policies.flatMap((policy) => this.#index(evaluator, policy));
  }

  impactOf(failure: Failure): FailureImpact {
    const failed = this.#without(failure);
    const affected = this.#affectedBy(failed);
    return this.#examine(failure, failed, affected, affected);
  }

  /**
   * The same, with these policies looked at: `affected`, whose traffic shifts or ends, and `evaluated`, those whose reaction is
   * asked for at first, and all of those who are affected among them.
   */
  examine(failure: Failure, affected: readonly SweptPolicy[], evaluated: readonly SweptPolicy[]): FailureImpact {
    return this.#examine(failure, this.#without(failure), affected, evaluated);
  }

  /** Evaluations after the failure of these, by default of those it affects, and of all who have to make room for them. */
  reactionTo(failure: Failure, evaluated?: readonly SweptPolicy[]): ReadonlyMap<string, PolicyEvaluation> {
    const failed = this.#without(failure);
    return this.#afterReaction(failed, evaluated ?? this.#affectedBy(failed), new ListProver(failed));
  }

  #without(failure: Failure): Snapshot {
    return overlaidSnapshot(this.#snapshot, overlayOf(failure));
  }

  #affectedBy(failed: Snapshot): readonly SweptPolicy[] {
    if (!sameNumbers(failed.data.flexDefinition, this.#snapshot.data.flexDefinition)) return this.all;
    const affected = new Set<SweptPolicy>();
    for (const [arc, policies] of this.#crossing) {
      if (failed.isUsable(arc)) continue;
      for (const policy of policies) affected.add(policy);
    }
    return [...affected];
  }

  #examine(
    failure: Failure,
    failed: Snapshot,
    affected: readonly SweptPolicy[],
    evaluated: readonly SweptPolicy[],
  ): FailureImpact {
    const isUp = (node: string) => this.#isUp(failed, node) || !this.#isUp(this.#snapshot, node);
    const [going, ended] = split(affected, ({ policy }) => isUp(policy.headend) && isUp(policy.endpoint));
    const prover = new ListProver(failed, { remembers: true });
    const atOnce = new FailureAtOnce(failed, this.#swept.booked, affected, prover).outcomes(going);
    const after = this.#afterReaction(failed, evaluated, prover);
    const impacts = this.#impactsOf(atOnce, after, new Set(ended.map(({ policy }) => policy.policyId)));
    return this.#summary(failure, affected, ended, impacts);
  }

  #afterReaction(
    failed: Snapshot,
    evaluated: readonly SweptPolicy[],
    prover: ListProver,
  ): ReadonlyMap<string, PolicyEvaluation> {
    const { booked } = this.#swept;
    const policies = evaluated.map(({ policy }) => policy);
    const known = new Set(policies.map(({ policyId }) => policyId));
    for (;;) {
      const evaluations = evaluatePolicies({ snapshot: failed, policies, booked, heldLinks: [] }, prover);
      const taken = takenLinks(evaluations);
      const more = preemptedAmong(this.#booked.on(taken.keys(), known), { policies, evaluations }, taken);
      if (more.length === 0) return new Map(evaluations.map((evaluation) => [evaluation.policyId, evaluation]));
      for (const { policyId } of more) {
        known.add(policyId);
        policies.push(this.#byId.get(policyId) as PolicyToEvaluate);
      }
    }
  }

  #impactsOf(
    atOnce: ReadonlyMap<string, OutcomeAtOnce>,
    after: ReadonlyMap<string, PolicyEvaluation>,
    ended: ReadonlySet<string>,
  ): PolicyImpact[] {
    return [...after.values()].flatMap((evaluation): PolicyImpact[] => {
      const { policyId } = evaluation;
      if (ended.has(policyId) || !this.#isReported(policyId) || !this.#guaranteed.has(policyId)) return [];
      const first = atOnce.get(policyId) ?? { atOnce: 'kept' as const, reason: null, message: '' };
      const afterReaction = fateOf(evaluation);
      const cause = afterReaction === 'kept' ? first.message : evaluation.cause;
      const message = first.message === '' || cause === first.message ? cause : `${first.message}; then: ${cause}`;
      const reason = first.reason ?? evaluation.candidatePaths.find((state) => state.reason !== null)?.reason ?? null;
      return [{ policyId, atOnce: first.atOnce, afterReaction, reason, message }];
    });
  }

  #summary(
    failure: Failure,
    affected: readonly SweptPolicy[],
    ended: readonly SweptPolicy[],
    impacts: readonly PolicyImpact[],
  ): FailureImpact {
    const count = (is: (impact: PolicyImpact) => boolean) => impacts.filter(is).length;
    const losing = impacts.filter(isLost);
    const policies = impacts.filter((impact) => isLost(impact) || impact.atOnce === 'lost');
    return {
      failure,
      outcome: losing.length > 0 ? 'loses' : policies.length > 0 ? 'recovers' : 'harmless',
      examined: affected.length,
      counts: {
        standby: count(({ atOnce }) => atOnce === 'standby'),
        lost: count(({ atOnce }) => atOnce === 'lost'),
        moved: count(({ afterReaction }) => afterReaction === 'moved'),
        preempted: count(({ afterReaction }) => afterReaction === 'preempted'),
        fallback: count(({ afterReaction }) => afterReaction === 'fallback'),
        down: count(({ afterReaction }) => afterReaction === 'down'),
      },
      ended: ended
        .map(({ policy }) => policy.policyId)
        .filter((id) => this.#isReported(id))
        .sort(),
      policies: policies.sort((a, b) => (a.policyId < b.policyId ? -1 : 1)),
    };
  }

  /** Policies that are within their constraints now. */
  get guaranteedCount(): number {
    return [...this.#guaranteed].filter((id) => this.#isReported(id)).length;
  }

  readonly #guaranteed = new Set<string>();

  #index(evaluator: CandidateEvaluator, policy: PolicyToEvaluate): SweptPolicy[] {
    const { incumbent } = policy;
    if (incumbent === null || incumbent.lists.length === 0) return [];
    const active = policy.candidatePaths.find(({ discriminator }) => discriminator === incumbent.activeCandidate);
    const held =
      active !== undefined && incumbent.status === 'up'
        ? evaluator.hold(policy, active, incumbent.lists, 'down-only')
        : undefined;
    const isGuaranteed = held?.valid === true;
    const delivered = isGuaranteed ? held : evaluator.deliver(policy, incumbent.lists, undefined);
    if (!delivered.valid) return [];
    if (isGuaranteed) this.#guaranteed.add(policy.policyId);
    const swept = { policy, guarantee: isGuaranteed ? active : undefined };
    const arcs = new Set(delivered.lists.flatMap(({ load }) => load.map(({ linkId }) => this.#snapshot.arcOf(linkId))));
    for (const arc of arcs) {
      const there = this.#crossing.get(arc) ?? [];
      this.#crossing.set(arc, there);
      there.push(swept);
    }
    return [swept];
  }

  #isReported(policyId: string): boolean {
    return this.#reported?.has(policyId) ?? true;
  }

  #isUp(snapshot: Snapshot, node: string): boolean {
    return snapshot.isUp(snapshot.nodeIndexOf(node));
  }
}

function isLost({ afterReaction }: PolicyImpact): boolean {
  return afterReaction !== 'kept' && afterReaction !== 'moved';
}

function fateOf({ status, compliance, decision, takenOn }: PolicyEvaluation): PolicyImpact['afterReaction'] {
  if (status === 'up' && compliance !== 'constraints-not-met') return decision === 'changed' ? 'moved' : 'kept';
  if (takenOn !== null) return 'preempted';
  return status === 'down' ? 'down' : 'fallback';
}

function sameNumbers(a: Int32Array, b: Int32Array): boolean {
  return a === b || (a.length === b.length && a.every((value, i) => value === b[i]));
}

function split<T>(items: readonly T[], is: (item: T) => boolean): [T[], T[]] {
  return [items.filter(is), items.filter((item) => !is(item))];
}
