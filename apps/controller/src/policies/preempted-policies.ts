import { sql } from 'kysely';
import { contenders, takenLinks, type Evaluated, type Preempted } from '../compute/contenders.js';
import type { Executor } from './policy-intents.js';

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
