import { sql } from 'kysely';
import type { Ted } from '@waymark/topology';
import { authorOf, together, type PolicyEvent } from './policy-event.js';
import type { Executor } from './policy-intents.js';
import { ChangeTeller, type ChangedElement, type Told } from './tell-changes.js';

/** A state of the TED and a revision that is in it; it may be newer. */
export interface Moment {
  readonly revision: number;
  readonly ted: Ted;
}

/** The event behind changes of elements that were named when it was made. */
export type EventOf = (elements: readonly ChangedElement[]) => PolicyEvent;

/**
 * Finds for elements that differ between two moments what happened to them, in which revision and by whom. A change of
 * several revisions is named by the first of them: since then the traffic has been waiting.
 */
export async function changeEvents(
  db: Executor,
  before: Moment,
  after: Moment,
  named: Iterable<ChangedElement>,
): Promise<EventOf> {
  const teller = new ChangeTeller(before.ted, after.ted);
  const told = new Map<string, Told>();
  for (const element of named) {
    const key = keyOf(element);
    if (!told.has(key)) told.set(key, teller.tell(element));
  }
  const entries = await entriesOf(
    db,
    before.revision,
    [...told.values()].map(({ subject }) => subject),
  );
  const otherwise = await firstEntry(db, before);
  return (elements) => {
    const subjects = new Map<string, Told>();
    for (const element of elements) {
      const known = told.get(keyOf(element));
      if (known !== undefined) subjects.set(keyOf(known.subject), known);
    }
    const events = [...subjects].map(([key, { summary }]): PolicyEvent => {
      const { by, kind, revision, at } = entries.get(key) ?? otherwise;
      return { kind, revision, by, at, summary };
    });
    const [first, ...rest] = events;
    if (first === undefined) throw new RangeError('a change of the topology without a changed element');
    return together([first, ...rest]);
  };
}

function keyOf({ kind, id }: ChangedElement): string {
  return `${kind} ${id}`;
}

type Entry = Omit<PolicyEvent, 'summary'>;

interface Row {
  readonly key: string;
  readonly revision: number;
  readonly kind: string;
  readonly actor: string;
  readonly at: Date;
  readonly sources: readonly string[];
}

/** First revision after `since` that changed a statement about each of these elements. */
async function entriesOf(
  db: Executor,
  since: number,
  subjects: readonly ChangedElement[],
): Promise<Map<string, Entry>> {
  const ids = (kind: ChangedElement['kind']) => subjects.filter((subject) => subject.kind === kind).map(({ id }) => id);
  const touched = (kind: string, table: string, column: string, wanted: readonly string[]) =>
    sql`select ${kind} || ' ' || ${sql.ref(column)} as key, t.revision, source
      from ${sql.table(table)} cross join lateral (values (from_revision), (to_revision)) as t (revision)
      where ${sql.ref(column)} = any(${wanted}::text[])
        and (from_revision > ${since} or to_revision > ${since}) and t.revision > ${since}`;
  const rows = await sql<Row>`
    with touched as (
      ${sql.join(
        [
          touched('link', 'link_layer', 'link_id', ids('link')),
          ...['node_layer', 'locator', 'sid'].map((table) => touched('node', table, 'node_id', ids('node'))),
        ],
        sql` union `,
      )}
    ), first as (
      select distinct on (key) key, revision, array_agg(distinct source) as sources
      from touched group by key, revision order by key, revision
    )
    select first.key, first.revision, first.sources, r.kind, r.actor, r.at from first join revision r using (revision)
  `.execute(db);
  return new Map(rows.rows.map((row) => [row.key, entryFrom(row)]));
}

/** The first revision after a moment that changed the TED. */
async function firstEntry(db: Executor, { revision, ted }: Moment): Promise<Entry> {
  const rows = await sql<Row>`
    select revision, kind, actor, at, '{}'::text[] as sources from revision
    where revision > ${revision} order by ted_revision <= ${ted.revision}, revision limit 1
  `.execute(db);
  const [row] = rows.rows;
  // The history may have been cut in the meantime.
  return row === undefined ? { kind: 'unknown', revision, by: 'nobody knows', at: new Date() } : entryFrom(row);
}

function entryFrom({ kind, revision, actor, at, sources }: Row): Entry {
  return { kind, revision, by: authorOf({ kind, actor }, sources), at };
}
