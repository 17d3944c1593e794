import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { ComputePool } from '../../apps/controller/dist/compute/compute-pool.js';
import { fencedTransaction } from '../../apps/controller/dist/distribution/fence.js';
import { writeDesired } from '../../apps/controller/dist/distribution/desired-store.js';
import { unrecorded } from '../../apps/controller/dist/model/journal.js';
import { SrPolicyService } from '../../apps/controller/dist/policies/policy-service.js';
import { ReactionLoop } from '../../apps/controller/dist/policies/reaction-loop.js';
import { createDatabase } from '../../apps/controller/dist/storage/database.js';
import { databaseTime } from '../../apps/controller/dist/storage/database-time.js';
import { startEmbeddedPostgres } from '../../apps/controller/dist/storage/embedded-postgres.js';
import { announceEvents } from '../../apps/controller/dist/storage/event-channel.js';
import { migrate } from '../../apps/controller/dist/storage/migrate.js';
import { TedService } from '../../apps/controller/dist/ted/ted-service.js';

/** Worker threads of a leader: the main thread has a core to itself where there are several. */
export const workers = Math.max(1, availableParallelism() - 1);

/**
 * The leader's part of a controller in this process: topology, policies and the loop that reacts to changes, with its worker
 * threads and a database of its own (embedded PostgreSQL, or in the server of DATABASE_URL). `onPublish` is called with the deltas of
 * each publication once they are committed, in place of a bus.
 */
export async function startLeader(onPublish) {
  const external = process.env.DATABASE_URL;
  const folder = external === undefined ? await mkdtemp(join(tmpdir(), 'waymark-bench-')) : undefined;
  const server = folder === undefined ? undefined : await startEmbeddedPostgres(folder);
  const url = external ?? server.url;
  const name = `waymark_bench_${process.pid}`;
  const admin = createDatabase(url, 1);
  await sql`create database ${sql.id(name)}`.execute(admin);
  const own = new URL(url);
  own.pathname = `/${name}`;
  await migrate(own.href);
  const db = createDatabase(own.href);
  const ted = new TedService({ db, url: own.href, clock: () => new Date() });
  await ted.start();
  const pool = new ComputePool({ threads: workers });
  const evaluate = (snapshot, task) => pool.run('evaluate-policies', snapshot, task);
  const policies = new SrPolicyService({ db, topology: ted, evaluate, announceEvents });
  await sql`update leader set epoch = 1`.execute(db);
  const term = new AbortController();
  const loop = new ReactionLoop(
    {
      db,
      ted: (revision) => (revision === undefined ? ted.ted() : ted.tedAtRevision(revision)),
      tedAtHead: (tx, head) => ted.tedAtHead(tx, head),
      onRevision: (listener) => ted.onRevision(listener),
      fenced: (epoch, work) => fencedTransaction(db, epoch, work),
      writeDesired,
      publish: async (deltas) => onPublish(deltas),
      evaluate,
      announceEvents,
      log: {
        info: () => undefined,
        error: (detail, message) => process.stdout.write(`${message}: ${detail.err?.stack}\n`),
      },
      journal: unrecorded,
      readDatabaseTime: databaseTime,
      startTimer: (callback, delayMs) => {
        const timer = setTimeout(callback, delayMs);
        return () => clearTimeout(timer);
      },
    },
    { bsidPool: 'fdbb:b51d::/32', holdMs: 0, maxHoldMs: 0, parallelism: workers },
  );
  loop.lead(1, term.signal);
  return {
    db,
    ted,
    policies,
    /** All that was changed so far is computed and published. */
    async settled() {
      for (;;) {
        const { revision, computed_through } = await db.selectFrom('head').selectAll().executeTakeFirstOrThrow();
        if (computed_through >= revision) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async stop() {
      term.abort();
      await pool.close();
      await ted.stop();
      await db.destroy();
      await sql`drop database ${sql.id(name)} with (force)`.execute(admin);
      await admin.destroy();
      await server?.stop();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
