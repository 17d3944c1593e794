import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditFilter } from '../model/filters.js';
import type { Actor } from '../model/topology.js';
import { recordAudit } from '../storage/audit.js';
import { withRevision } from '../storage/revision.js';
import { pruneHistory } from '../ted/history.js';
import { TedService } from '../ted/ted-service.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { ApiKeys } from './api-keys.js';
import { AuditLog } from './audit-log.js';
import { pruneAudit } from './prune-audit.js';

const alice: Actor = { name: 'alice', credential: 'api-key:wmk_0123456789abcdef', requestId: 'request-1' };
const topology = `waymark: 1
nodes:
  - { id: a, kind: router }
  - { id: b, kind: router }
links:
  - { between: [ a, b ], igpMetric: 10 }
`;

describe('the audit', () => {
  let database: TestDatabase;
  let ted: TedService;
  let audit: AuditLog;

  beforeAll(async () => {
    database = await createTestDatabase();
    ted = new TedService({ db: database.db, url: database.url, clock: () => new Date() });
    audit = new AuditLog(database.db);
    await ted.importTopology({ text: topology, format: 'native', source: 'plan', actor: alice });
  });
  afterAll(() => database.drop());

  const entries = async (filter: AuditFilter) => (await audit.entries(filter, { limit: 100 })).items;
  const newest = async (filter: AuditFilter) => (await entries(filter))[0];
  const change = (link: string, delayUs: number | null, actor: Actor) =>
    ted.setLinkConstraints({ mode: 'patch', actor, changes: [{ link, constraints: { delayUs } }] });

  it('says from what to what each thing was changed, by whom, in which request and revision', async () => {
    const { revision } = await change('a:b', 5_000, alice);
    await change('a:b', 7_000, { ...alice, name: 'bob', requestId: 'request-2' });
    await change('a:b', null, { name: 'kubernetes:paris', owner: 'x' }).catch(() => undefined);
    expect(await entries({ entity: 'link-constraints', entityId: 'a:b' })).toMatchObject([
      { actor: 'bob', requestId: 'request-2', before: { delayUs: 5_000 }, after: { delayUs: 7_000 } },
      {
        ...{ actor: 'alice', credential: 'api-key:wmk_0123456789abcdef', requestId: 'request-1', owner: null },
        ...{ kind: 'link-constraints', revision, before: null, after: { delayUs: 5_000 } },
      },
    ]);
    await change('a:b', null, alice);
    expect(await newest({ entity: 'link-constraints' })).toMatchObject({ before: { delayUs: 7_000 }, after: null });
  });

  it('has one entry for each of many, and none for what stays', async () => {
    await change('a:b', 1_000, alice);
    const constraints = { delayUs: 1_000 };
    const { revision } = await ted.setLinkConstraints({
      mode: 'patch',
      actor: alice,
      changes: ['a:b', 'b:a'].map((link) => ({ link, constraints })),
    });
    expect(await entries({ revision })).toMatchObject([{ entityId: 'b:a' }]);
  });

  it('tells of nodes, imports and SIDs', async () => {
    const { items } = await ted.nodes({}, { limit: 1 });
    const node = items[0]?.effective.id ?? '';
    await ted.setNodeConstraints({ node, constraints: { adminState: 'drained' }, mode: 'replace', actor: alice });
    expect(await newest({ entity: 'node-constraints' })).toMatchObject({
      ...{ entityId: node, before: null, after: { adminState: 'drained' } },
    });
    expect(await newest({ entity: 'source' })).toMatchObject({
      ...{ entityId: 'plan', kind: 'topology-import', after: { nodes: { added: 2 }, links: { added: 2 } } },
    });
    await ted.confirmPlannedSids([node], alice);
    const confirmed = await newest({ entity: 'planned-sids', entityId: node });
    expect(confirmed).toMatchObject({ before: { origin: 'planned' }, after: { origin: 'operator' } });
    expect(confirmed?.after?.['sids']).not.toEqual([]);
  });

  it('tells of events whose word a source is, and of holds', async () => {
    const post = (sequence: number, up: boolean, actor: Actor) => {
      const states = ['a:b', 'b:a'].map((link) => ({ kind: 'link-state', link, state: up ? 'up' : 'down' }) as const);
      return ted.applySourceBatch('igp', { sequence, full: false, events: states.slice(0, 1) }, actor);
    };
    const reader = { ...alice, name: 'igp-reader' };
    await post(1, false, reader);
    await post(2, true, reader);
    await post(3, false, { ...alice, name: 'mallory' });
    await post(4, true, reader);
    expect(await entries({ entity: 'source', entityId: 'igp' })).toMatchObject([
      { actor: 'igp-reader', before: { reportedBy: 'mallory' }, after: { reportedBy: 'igp-reader' } },
      { actor: 'mallory', before: { reportedBy: 'igp-reader' }, after: { reportedBy: 'mallory' } },
      { actor: 'igp-reader', kind: 'source-events', requestId: 'request-1', before: null },
    ]);
  });

  it('tells of API keys, and no secret', async () => {
    const keys = new ApiKeys(database.db, { forget: () => undefined }, () => new Date());
    const { secret } = await keys.create({ name: 'carol', role: 'viewer' }, alice);
    await keys.rotate('carol', {}, alice);
    await keys.delete('carol', alice);
    const told = await entries({ entity: 'api-key', entityId: 'carol' });
    expect(told.map(({ kind }) => kind)).toEqual(['api-key-delete', 'api-key-rotate', 'api-key-create']);
    expect(told[2]).toMatchObject({ before: null, after: { name: 'carol', role: 'viewer' } });
    expect(told[1]).toMatchObject({ before: { rotatedAt: null }, after: { rotatedAt: expect.any(String) as string } });
    expect(told[0]).toMatchObject({ after: null });
    expect(JSON.stringify(told)).not.toContain(secret.slice(21));
    expect(JSON.stringify(told)).not.toContain('hash');
  });

  it('has no entry without its change', async () => {
    const entry = { entity: 'mesh', id: 'never', before: null, after: {} } as const;
    const failed = withRevision(
      database.db,
      { actor: 'x', kind: 'x', summary: 'x', ted: false },
      async (tx, revision) => {
        await recordAudit(tx, { revision, kind: 'x', actor: alice }, [entry]);
        throw new Error('no');
      },
    );
    await expect(failed).rejects.toThrow('no');
    expect(await entries({ entityId: 'never' })).toEqual([]);
  });

  it('comes in pages, newest first, by time too', async () => {
    const all = await entries({});
    expect(all.map(({ id }) => id)).toEqual(all.map(({ id }) => id).toSorted((a, b) => b - a));
    const first = await audit.entries({}, { limit: 2 });
    const second = await audit.entries({}, { limit: 2, ...(first.next === null ? {} : { after: first.next }) });
    expect([...first.items, ...second.items]).toEqual(all.slice(0, 4));
    const [latest] = all;
    if (latest === undefined) throw new Error('the audit is empty');
    expect(await entries({ since: new Date(Date.parse(latest.at) + 1) })).toEqual([]);
    expect((await entries({ until: new Date(latest.at) })).length).toBeLessThan(all.length);
    expect(await entries({ actor: 'alice', requestId: 'request-2' })).toEqual([]);
    expect(await entries({ kind: 'topology-import', actor: 'alice' })).toHaveLength(1);
  });

  it.each(['update audit set actor = $$nobody$$', 'delete from audit', 'truncate audit'])(
    'is never altered: %s',
    async (statement) => {
      const before = await entries({});
      await expect(sql.raw(statement).execute(database.db)).rejects.toThrow('neither changed nor removed');
      expect(await entries({})).toEqual(before);
    },
  );

  it('survives pg_dump and pg_restore, still append-only', async ({ skip }) => {
    const { rows } = await sql<{ server_version_num: string }>`show server_version_num`.execute(database.db);
    const server = Math.floor(Number(rows[0]?.server_version_num) / 10_000);
    // as its own programs, or newer ones, would be used; the CI has them for its second run
    skip(majorOf('pg_dump') < server, `there is no pg_dump of version ${server} or newer`);
    const folder = mkdtempSync(join(tmpdir(), 'waymark-audit-'));
    const restored = await createTestDatabase();
    try {
      const file = join(folder, 'dump');
      run('pg_dump', '--format=custom', '--file', file, database.url);
      run('pg_restore', '--clean', '--if-exists', '--no-owner', '--exit-on-error', '--dbname', restored.url, file);
      const there = await new AuditLog(restored.db).entries({}, { limit: 100 });
      expect(there.items).toEqual(await entries({}));
      await expect(sql`delete from audit`.execute(restored.db)).rejects.toThrow('neither changed nor removed');
    } finally {
      rmSync(folder, { recursive: true });
      await restored.drop();
    }
  });

  it('stays when the history of its revisions goes', async () => {
    const all = await entries({});
    await sql`update head set computed_through = revision`.execute(database.db);
    expect(await pruneHistory(database.db, new Date(Date.now() + 60_000))).toBeGreaterThan(1);
    expect(await entries({})).toEqual(all);
  });

  it('goes after its own time, and says so', async () => {
    expect(await pruneAudit(database.db, new Date(0))).toBe(0);
    const all = await entries({});
    const [youngest, ...older] = all;
    const until = new Date(youngest?.at ?? '');
    const gone = older.filter(({ at }) => Date.parse(at) < until.getTime());
    expect(await pruneAudit(database.db, until)).toBe(gone.length);
    expect(await entries({})).toMatchObject([
      {
        ...{ actor: 'Waymark', kind: 'audit-prune', entity: 'audit', entityId: 'retention' },
        before: { entries: gone.length, since: gone.at(-1)?.at },
        after: { until: until.toISOString() },
      },
      ...all.slice(0, all.length - gone.length),
    ]);
    // what is younger stays as safe as it was
    await expect(sql`delete from audit`.execute(database.db)).rejects.toThrow('neither changed nor removed');
  });

  it('does not begin anew for what tells only of that', async () => {
    const soon = () => new Date(Date.now() + 1_000);
    await pruneAudit(database.db, soon());
    const [last] = await entries({});
    expect(last).toMatchObject({ kind: 'audit-prune' });
    expect(await pruneAudit(database.db, soon())).toBe(0);
    expect(await entries({})).toEqual([last]);
  });
});

function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program}: ${error?.message ?? stderr}`);
  return stdout;
}

/** 0: it is not there. */
function majorOf(program: string): number {
  const { stdout, status } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return status === 0 ? Number(/ (\d+)/.exec(stdout)?.[1] ?? 0) : 0;
}
