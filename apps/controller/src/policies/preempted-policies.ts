import { sql } from 'kysely';
import { takenLinks, type Contender, type Evaluated, type Preempted } from '../compute/contenders.js';
import { preemptedAmong } from '../compute/make-room.js';
import type { Executor } from './policy-intents.js';

/** Policies without evaluation that may have to make room, as `preemptedAmong` says; `known` ones are not asked for. */
export async function preemptedPolicies(
  db: Executor,
  evaluated: Evaluated,
  known: ReadonlySet<string>,
): Promise<Preempted[]> {
  const taken = takenLinks(evaluated.evaluations);
  if (taken.size === 0) return [];
  const ids = [...new Set([...known, ...evaluated.evaluations.map(({ policyId }) => policyId)])];
  // What was deleted is withdrawn with the next publication.
  const outside = await sql<Contender>`
    select b.link_id as "linkId", b.policy_id as "policyId", b.bandwidth_bps as "bandwidthBps",
      b.hold_priority::int as "holdPriority"
    from booking b
    where b.link_id = any(${[...taken.keys()]}::text[]) and b.releasing_generation is null
      and exists (select from sr_policy p where p.id = b.policy_id)
      and not exists (select from unnest(${ids}::text[]) as known (id) where known.id = b.policy_id)
  `.execute(db);
  return preemptedAmong(outside.rows, evaluated, taken);
}
