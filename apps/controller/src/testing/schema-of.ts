import { sql } from 'kysely';
import type { Database } from '../storage/database.js';

/** Everything that migrations make of a schema: columns, constraints, indexes, triggers and functions, in a fixed order. */
export async function schemaOf(db: Database): Promise<readonly string[]> {
  const found = await sql<{ told: string }>`
    select concat_ws(' ', 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attcollation::regcollation,
      case when a.attnotnull then 'not null' end, pg_get_expr(d.adbin, d.adrelid), c.relpersistence, c.reloptions) as told
    from pg_class c join pg_attribute a on a.attrelid = c.oid left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
    union all
    select concat_ws(' ', 'constraint', conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid))
    from pg_constraint where connamespace = 'public'::regnamespace
    union all
    select 'index ' || indexdef from pg_indexes where schemaname = 'public'
    union all
    select 'trigger ' || pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    union all
    select 'function ' || pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace
    order by told
  `.execute(db);
  return found.rows.map(({ told }) => told);
}
