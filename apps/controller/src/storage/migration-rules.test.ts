import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const MIGRATIONS = join(import.meta.dirname, '../../../../migrations');

/**
 * Controllers of the version before go on while a newer one migrates, so a migration may add what they do not use, and take
 * away nothing that they use. Each rule finds statements that break this.
 */
const RULES: readonly { readonly rule: string; readonly breach: RegExp }[] = [
  { rule: 'removes a table or a column', breach: /\bdrop\s+(table|column)\b/i },
  { rule: 'renames', breach: /\brename\b/i },
  { rule: 'changes the type of a column', breach: /\balter\s+(column\s+)?\w+\s+(set\s+data\s+)?type\b/i },
  {
    rule: 'adds a column that must be set, without a default',
    breach: /\badd\s+column\s+(?:(?!,|;|\bdefault\b)[^])*\bnot\s+null\b(?:(?!,|;|\bdefault\b)[^])*(?=,|;|$)/i,
  },
  { rule: 'asks for a column that was not asked for', breach: /\bset\s+not\s+null\b|\bdrop\s+default\b/i },
  { rule: 'forbids what was allowed', breach: /\badd\s+(constraint\s+\w+\s+)?(check|unique|foreign|exclude)\b/i },
  { rule: 'writes all rows of a table', breach: /^\s*update\s/im },
  { rule: 'cannot be taken back with its transaction', breach: /\bconcurrently\b|\balter\s+system\b|\bvacuum\b/i },
];

/** What breaks a rule all the same, and why that hurts nobody. */
const JUSTIFIED: Readonly<Record<string, string>> = {
  '0004_policy_events.sql: asks for a column that was not asked for':
    'before the first release; a leader of the version before would fail to write states until one of this version leads',
  '0005_headend_bsid_block.sql: removes a table or a column': 'no version read or wrote the column',
  '0006_standby_and_liveness.sql: writes all rows of a table':
    'only policies with several candidate paths; sets a flag',
  '0007_metrics.sql: forbids what was allowed': 'the constraint is replaced by a wider one',
  '0010_policy_priorities_and_options.sql: forbids what was allowed':
    'about columns of this very migration, which the version before leaves empty',
  '0010_policy_priorities_and_options.sql: writes all rows of a table':
    'the version before reads candidates with a further field as it read them without',
  '0011_held_revision.sql: writes all rows of a table': 'only sources that are held',
  '0013_kubernetes_sources.sql: forbids what was allowed': 'the constraint is replaced by a wider one',
};

function breachesOf(text: string): string[] {
  const statements = text.replaceAll(/--.*$/gm, '').replaceAll(/\$\$[^]*?\$\$/g, "''");
  // New tables are nobody's yet.
  const changing = statements
    .split(';')
    .filter((statement) => !/^\s*create\s+(unlogged\s+)?table\b/i.test(statement))
    .join(';');
  return RULES.filter(({ breach }) => breach.test(changing)).map(({ rule }) => rule);
}

describe('migrations leave the controllers of the version before at work', () => {
  const files = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql'));

  it('but for exceptions with a reason, of which none is out of date', () => {
    const found = files.flatMap((name) =>
      breachesOf(readFileSync(join(MIGRATIONS, name), 'utf8')).map((rule) => `${name}: ${rule}`),
    );
    expect(found.sort()).toEqual(Object.keys(JUSTIFIED).sort());
  });

  it.each([
    ['alter table a drop column b;', 'removes a table or a column'],
    ['drop table a;', 'removes a table or a column'],
    ['alter table a rename column b to c;', 'renames'],
    ['alter table a alter column b type bigint;', 'changes the type of a column'],
    ['alter table a add column b integer not null;', 'adds a column that must be set, without a default'],
    [
      'alter table a\n  add column c text not null default $$x$$,\n  add column b integer not null;',
      'adds a column that must be set, without a default',
    ],
    ['alter table a alter column b set not null;', 'asks for a column that was not asked for'],
    ['alter table a add constraint c check (b > 0);', 'forbids what was allowed'],
    ['update a set b = 1;', 'writes all rows of a table'],
    ['create index concurrently i on a (b);', 'cannot be taken back with its transaction'],
  ])('%s', (statement, rule) => {
    expect(breachesOf(statement)).toEqual([rule]);
  });

  it.each([
    'alter table a add column b integer;',
    "alter table a add column b integer not null default 7, add column c text not null default 'x';",
    'create table b (c integer not null, check (c > 0), unique (c));',
    'create index i on a (b);',
    'create trigger t before update or delete on a for each row execute function f();',
  ])('%s is allowed', (statement) => {
    expect(breachesOf(statement)).toEqual([]);
  });
});
