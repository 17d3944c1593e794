import { sql } from 'kysely';
import type { NodeId } from '@waymark/topology';
import { authorOf, type PolicyEvent } from './policy-event.js';
import type { Executor } from './policy-intents.js';

/** Intent that was written, replaced or deleted, and by what. */
export interface IntentChange {
  readonly policyId: string;
  readonly headend: NodeId;
  readonly event: PolicyEvent;
}

/** The event of one policy, told to another that gains or loses prefixes or bandwidth by it. */
export function toldToOthers({ policyId, event }: Pick<IntentChange, 'policyId' | 'event'>): PolicyEvent {
  return { ...event, summary: event.summary.replace('the policy', `policy ${policyId}`) };
}

interface Row {
  readonly id: string;
  readonly headend: NodeId;
  readonly mesh: string | null;
  readonly revision: number;
}

interface Entry {
  readonly revision: number;
  readonly kind: string;
  readonly actor: string;
  readonly at: Date;
}

/** Policies whose intent, or whose mesh, was written after a revision; sorted by id. */
export async function changedIntents(db: Executor, since: number): Promise<IntentChange[]> {
  const changed = await sql<Row>`
    with changed as (
      select id from sr_policy where revision > ${since}
      union
      select p.id from mesh m join sr_policy p on p.mesh_id = m.id where m.revision > ${since}
    )
    select p.id, p.headend, p.mesh_id as mesh, greatest(p.revision, m.revision) as revision
    from changed join sr_policy p using (id) left join mesh m on m.id = p.mesh_id
    order by p.id
  `.execute(db);
  return withEvents(db, changed.rows, summaryOf);
}

/** Deleted policies that are still to be withdrawn. */
export async function deletedIntents(db: Executor): Promise<IntentChange[]> {
  const gone = await sql<Row>`
    select policy_id as id, headend, null as mesh, revision from deleted_policy order by policy_id
  `.execute(db);
  return withEvents(db, gone.rows, () => 'the policy was deleted');
}

/** Headends whose pods of service classes changed after a revision. */
export async function changedClasses(
  db: Executor,
  since: number,
): Promise<{ readonly headend: NodeId; readonly event: PolicyEvent }[]> {
  const changed = await sql<Row>`
    select headend as id, headend, null as mesh, revision from class_change where revision > ${since} order by headend
  `.execute(db);
  return withEvents(db, changed.rows, () => 'pods of service classes came, went or changed their class');
}

async function withEvents(
  db: Executor,
  rows: readonly Row[],
  summary: (kind: string, mesh: string | null) => string,
): Promise<IntentChange[]> {
  const revisions = [...new Set(rows.map(({ revision }) => revision))];
  const found = await sql<Entry>`
    select revision, kind, actor, at from revision where revision = any(${revisions}::bigint[])
  `.execute(db);
  const entries = new Map(found.rows.map((entry) => [entry.revision, entry]));
  const events = new Map<string, PolicyEvent>();
  return rows.map((row) => {
    const { id: policyId, headend, mesh, revision } = row;
    const key = `${revision} ${mesh ?? ''}`;
    let event = events.get(key);
    if (event === undefined) {
      const { kind, actor, at } = entries.get(revision) ?? { kind: 'unknown', actor: 'unknown', at: new Date() };
      event = { kind, revision, by: authorOf({ kind, actor }, []), at, summary: summary(kind, mesh) };
      events.set(key, event);
    }
    return { policyId, headend, event };
  });
}

function summaryOf(kind: string, mesh: string | null): string {
  switch (kind) {
    case 'policy-create':
      return 'the policy was created';
    case 'policy-pin':
      return 'the policy was pinned to its lists';
    case 'policy-unpin':
      return 'the policy was unpinned';
    case 'policy-roll-back':
      return 'the policy was returned to its previous lists';
    case 'mesh-create':
      return `mesh ${mesh ?? ''} was created`;
    case 'mesh-replace':
      return `mesh ${mesh ?? ''} was changed`;
    case 'mesh-members':
      return `mesh ${mesh ?? ''} follows its hosts`;
    default:
      return 'the policy was changed';
  }
}
