import { FEATURES, understoodEntry } from '@waymark/agent-protocol';
import type { NodeId } from '@waymark/topology';
import { sql, type Transaction } from 'kysely';
import type { Tables } from '../storage/database.js';
import type { HeadendChange } from './desired-store.js';

/*
 * What the agent of a headend is too old to understand is kept here, and `desired` has what it does understand: so
 * snapshots, hashes and deltas are the same on every controller, and an agent that is upgraded gets the rest at once.
 */

interface WithheldEntry {
  readonly policyId: string;
  /** The whole entry. */
  readonly body: Uint8Array;
  readonly reason: string;
}

/** A change as far as the agent of its headend understands it, and the rest. */
export interface UnderstoodChange {
  readonly understood: HeadendChange;
  readonly withheld: readonly WithheldEntry[];
  /** Something may be, or have been, withheld from this headend. */
  readonly lacksFeatures: boolean;
}

/** `headends`: for what features the desired state of each is written. */
export function asUnderstood(
  changes: readonly HeadendChange[],
  headends: ReadonlyMap<NodeId, { readonly features: readonly string[] }>,
): UnderstoodChange[] {
  return changes.map((change) => {
    const features = headends.get(change.headend)?.features ?? FEATURES;
    if (FEATURES.every((feature) => features.includes(feature))) {
      return { understood: change, withheld: [], lacksFeatures: false };
    }
    const withheld: WithheldEntry[] = [];
    const policies = change.policies.map(({ policyId, body }) => {
      if (body === null) return { policyId, body };
      const { body: understood, lacks } = understoodEntry(policyId, body, features);
      if (lacks !== null) withheld.push({ policyId, body, reason: lacks });
      return { policyId, body: understood };
    });
    return { understood: { headend: change.headend, policies }, withheld, lacksFeatures: true };
  });
}

/** Once `desired` is written: remembers what was withheld, and forgets what no longer is. */
export async function storeWithheld(tx: Transaction<Tables>, changes: readonly UnderstoodChange[]): Promise<void> {
  const lacking = changes.filter(({ lacksFeatures }) => lacksFeatures);
  const keys = lacking.flatMap(({ understood: { headend, policies } }) =>
    policies.map(({ policyId }) => ({ headend, policyId })),
  );
  if (keys.length === 0) return;
  await sql`
    delete from withheld w
    using unnest(${keys.map(({ headend }) => headend)}::text[], ${keys.map(({ policyId }) => policyId)}::text[])
      as written (headend, policy_id)
    where w.headend = written.headend and w.policy_id = written.policy_id
  `.execute(tx);
  const entries = lacking.flatMap(({ understood: { headend }, withheld }) =>
    withheld.map((entry) => ({ headend, ...entry })),
  );
  await sql`
    insert into withheld (headend, policy_id, generation, body, reason)
    select n.headend, n.policy_id, coalesce(d.generation, 0), n.body, n.reason
    from unnest(
      ${entries.map(({ headend }) => headend)}::text[],
      ${entries.map(({ policyId }) => policyId)}::text[],
      ${entries.map(({ body }) => body)}::bytea[],
      ${entries.map(({ reason }) => reason)}::text[]
    ) as n (headend, policy_id, body, reason)
    left join desired d on d.headend = n.headend and d.policy_id = n.policy_id and not d.deleted
  `.execute(tx);
}

/**
 * Everything that a headend should hold, were its agent able to. A controller of a version that withholds nothing may
 * have led meanwhile: what it wrote counts, and of what it removed nothing comes back.
 */
export async function wholeEntries(tx: Transaction<Tables>, headend: NodeId): Promise<HeadendChange> {
  const found = await sql<{ policyId: string; body: Uint8Array }>`
    select d.policy_id as "policyId", coalesce(w.body, d.body) as body
    from desired d
    left join withheld w on w.headend = d.headend and w.policy_id = d.policy_id and w.generation = d.generation
    where d.headend = ${headend} and not d.deleted
    union all
    select w.policy_id, w.body from withheld w
    join class_member m on m.headend = w.headend and w.policy_id = m.headend || ':' || m.color || ':' || m.headend
    where w.headend = ${headend} and w.generation = 0
      and not exists (
        select from desired d where d.headend = w.headend and d.policy_id = w.policy_id and not d.deleted
      )
    group by w.headend, w.policy_id
  `.execute(tx);
  return { headend, policies: found.rows };
}
