import { sql } from 'kysely';
import type { LinkId } from '@waymark/topology';
import type { PolicyEvaluation, PolicyToEvaluate, Preemption } from '../compute/evaluate-policies-model.js';
import type { Executor } from './policy-intents.js';

/** A policy that has to make room on a link, and for whom. */
export interface Preempted {
  readonly policyId: string;
  readonly linkId: LinkId;
  readonly by: string;
}

/** Evaluations, and the policies as they were before; of some policies there may be no evaluation. */
interface Evaluated {
  readonly policies: readonly PolicyToEvaluate[];
  readonly evaluations: readonly PolicyEvaluation[];
}

/**
 * Policies without evaluation that may have to make room for what these evaluations take. On each link, bookings are kept
 * in the order in which an evaluation keeps them (hold priority, bandwidth, id) as far as they fit together; of the
 * policies of those after that only who may be preempted. So all that stay where they are fit, whatever is decided
 * about the others.
 *
 * `known`: policies that are not asked for.
 */
export async function preemptedPolicies(
  db: Executor,
  evaluated: Evaluated,
  known: ReadonlySet<string>,
): Promise<Preempted[]> {
  const taken = takenLinks(evaluated.evaluations);
  if (taken.size === 0) return [];
  const links = [...taken.values()];
  const inside = contenders(evaluated, taken);
  const ids = [...new Set([...known, ...evaluated.evaluations.map(({ policyId }) => policyId)])];
  // What was deleted is withdrawn with the next publication.
  const rows = await sql<Preempted>`
    with taken as (
      select * from unnest(${links.map(({ linkId }) => linkId)}::text[],
        ${links.map(({ setupPriority }) => setupPriority)}::int[],
        ${links.map(({ reservableBps }) => reservableBps)}::float8[], ${links.map(({ by }) => by)}::text[])
        as t (link_id, setup_priority, reservable_bps, taker)
    ), contender as (
      select b.link_id, b.policy_id, b.bandwidth_bps, b.hold_priority::int, true as is_asked_for
      from booking b join taken using (link_id)
      where b.releasing_generation is null
        and exists (select from sr_policy p where p.id = b.policy_id)
        and not exists (select from unnest(${ids}::text[]) as known (id) where known.id = b.policy_id)
      union all
      select *, false from unnest(${inside.map(({ linkId }) => linkId)}::text[],
        ${inside.map(({ policyId }) => policyId)}::text[], ${inside.map(({ bandwidthBps }) => bandwidthBps)}::bigint[],
        ${inside.map(({ holdPriority }) => holdPriority)}::int[])
    ), ranked as (
      select *, sum(bandwidth_bps) over (
        partition by link_id order by hold_priority, bandwidth_bps desc, policy_id rows unbounded preceding
      ) as needed_bps
      from contender
    )
    select distinct on (policy_id) policy_id as "policyId", link_id as "linkId", taker as "by"
    from ranked join taken using (link_id)
    where is_asked_for and hold_priority > setup_priority and needed_bps > reservable_bps
    order by policy_id, link_id
  `.execute(db);
  return rows.rows;
}

interface TakenLink extends Preemption {
  /** Of those that preempt there, the first of the highest setup priority: whoever is preempted, it has the right to. */
  readonly by: string;
}

/** Links on which someone preempts. */
export function takenLinks(evaluations: readonly PolicyEvaluation[]): Map<LinkId, TakenLink> {
  const taken = new Map<LinkId, TakenLink>();
  for (const { policyId, preempts } of evaluations) {
    for (const preemption of preempts) {
      const known = taken.get(preemption.linkId);
      if (known === undefined || preemption.setupPriority < known.setupPriority) {
        taken.set(preemption.linkId, { ...preemption, by: policyId });
      }
    }
  }
  return taken;
}

interface Contender {
  readonly linkId: LinkId;
  readonly policyId: string;
  readonly bandwidthBps: number;
  readonly holdPriority: number;
}

/** What the evaluated policies use of these links. Who left may have done so only for want of those who are to go. */
function contenders({ policies, evaluations }: Evaluated, taken: ReadonlyMap<LinkId, TakenLink>): Contender[] {
  const needs = new Map(evaluations.map(({ policyId, bookings }) => [policyId, bookings]));
  return policies.flatMap(({ policyId, holdPriority, bookings }) => {
    const bookedNow = needs.get(policyId);
    if (bookedNow === undefined) return [];
    const used = new Map(bookedNow.map(({ linkId, bandwidthBps }) => [linkId, bandwidthBps]));
    for (const { linkId, currentBps } of bookings) {
      const setupPriority = taken.get(linkId)?.setupPriority ?? holdPriority;
      if (holdPriority > setupPriority) used.set(linkId, Math.max(currentBps, used.get(linkId) ?? 0));
    }
    return [...used]
      .filter(([linkId]) => taken.has(linkId))
      .map(([linkId, bandwidthBps]) => ({ linkId, policyId, bandwidthBps, holdPriority }));
  });
}
