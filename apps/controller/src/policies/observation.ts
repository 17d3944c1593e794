import { sql } from 'kysely';
import type { NodeId, Snapshot, Ted } from '@waymark/topology';
import { NothingChanged, withRevision } from '../storage/revision.js';
import type { Database } from '../storage/database.js';
import { affectedPolicies, headendsSteeringTo, starvedPolicies, type Affected } from './affected-policies.js';
import { LinkHolds } from './link-holds.js';
import { expandMeshes } from './mesh-members.js';
import type { PendingWork } from './pending-work.js';
import { snapshotOf } from './snapshot-of.js';
import { tedChanges, type TedChanges } from './ted-changes.js';

/** The state of the world that evaluations run on. */
export interface Sight {
  readonly revision: number;
  /** Of the head row, read before the TED: the TED is at least as new. */
  readonly tedRevision: number;
  readonly ted: Ted;
  readonly snapshot: Snapshot;
}

const EMPTY: Ted = { revision: 0, nodes: [], links: [] };

/**
 * Looks at what was committed since the last look and notes what has to be computed for it. Nothing is lost by a crash:
 * a new leader starts from `computed_through`, with the TED of that revision.
 */
export class Observer {
  readonly #db: Database;
  readonly #readTed: (revision?: number) => Promise<Ted>;
  readonly #pending: PendingWork;
  readonly #holds: LinkHolds;
  readonly #now: () => number;
  #sight: Sight;

  private constructor(options: ObserverOptions, sight: Sight) {
    this.#db = options.db;
    this.#readTed = options.ted;
    this.#pending = options.pending;
    this.#holds = options.holds;
    this.#now = options.now;
    this.#sight = sight;
  }

  /** Resumes where the leader before stopped publishing. */
  static async resume(options: ObserverOptions): Promise<Observer> {
    const { computed_through } = await options.db
      .selectFrom('head')
      .select('computed_through')
      .executeTakeFirstOrThrow();
    const known = await pastTed(options, computed_through);
    const ted = known ?? EMPTY;
    const observer = new Observer(options, {
      revision: known === undefined ? 0 : computed_through,
      tedRevision: -1,
      ted,
      snapshot: snapshotOf(ted),
    });
    await observer.#note(await starvedPolicies(options.db), true, false);
    return observer;
  }

  get sight(): Sight {
    return this.#sight;
  }

  async look(): Promise<Sight> {
    const before = this.#sight;
    const head = await this.#db.selectFrom('head').select(['revision', 'ted_revision']).executeTakeFirstOrThrow();
    if (head.revision > before.revision) await this.#see(before, head.revision, head.ted_revision);
    await this.#improvementsDue();
    await this.#releasedBandwidth();
    return this.#sight;
  }

  /** Reads the TED again: a publication found it newer than what `look` saw. */
  async refresh(): Promise<Sight> {
    const head = await this.#db.selectFrom('head').select(['revision', 'ted_revision']).executeTakeFirstOrThrow();
    const ted = await this.#readTed();
    return { revision: head.revision, tedRevision: head.ted_revision, ted, snapshot: snapshotOf(ted) };
  }

  async #see(before: Sight, revision: number, tedRevision: number): Promise<void> {
    const moved = tedRevision !== before.tedRevision;
    const ted = moved ? await this.#readTed() : before.ted;
    const snapshot = ted === before.ted ? before.snapshot : snapshotOf(ted);
    const changes = tedChanges(before.ted, ted);
    this.#sight = { revision, tedRevision, ted, snapshot };
    await this.#seeIntents(before.revision);
    if (changes.hosts || (await this.#freedMeshPairs(before.revision))) await this.#letMeshesFollow(ted);
    if (ted !== before.ted) await this.#seeTopology(before, changes);
  }

  async #seeIntents(since: number): Promise<void> {
    const changed = await sql<{ id: string; headend: NodeId }>`
      select p.id, p.headend from sr_policy p left join mesh m on m.id = p.mesh_id
      where p.revision > ${since} or m.revision > ${since}
      order by p.id
    `.execute(this.#db);
    const gone = await sql<{ headend: NodeId }>`select distinct headend from deleted_policy`.execute(this.#db);
    const first = since + 1;
    await this.#note(
      changed.rows.map(({ id }) => id),
      true,
      true,
      first,
    );
    this.#pending.addSteering(new Set([...changed.rows, ...gone.rows].map(({ headend }) => headend)), first);
  }

  /** A policy that stood in the way of a mesh is gone. */
  async #freedMeshPairs(since: number): Promise<boolean> {
    const found = await sql`
      select from deleted_policy d join mesh m on split_part(d.policy_id, ':', 2) = m.color::text
      where d.revision > ${since} limit 1
    `.execute(this.#db);
    return found.rows.length > 0;
  }

  /** Writes intent, so it takes a revision of its own, which the next look will see. */
  async #letMeshesFollow(ted: Ted): Promise<void> {
    await withRevision(
      this.#db,
      {
        actor: 'mesh',
        kind: 'mesh-members',
        summary: ({ created, deleted }: { created: number; deleted: number }) =>
          `meshes follow the hosts: ${created} policies appear, ${deleted} vanish`,
        ted: false,
      },
      async (tx, revision) => {
        const result = await expandMeshes(tx, ted, revision);
        if (result.created === 0 && result.deleted === 0) throw new NothingChanged(result);
        return result;
      },
    );
  }

  async #seeTopology(before: Sight, changes: TedChanges): Promise<void> {
    const now = this.#now();
    for (const link of changes.worsened) this.#holds.worsened(link, now);
    const free = changes.improved
      .filter(({ linkId, returned }) => this.#holds.improved(linkId, returned, now))
      .map(({ linkId }) => linkId);
    const affected = await affectedPolicies(this.#db, { snapshot: this.#sight.snapshot, changes, improved: free });
    await this.#noteAffected(
      affected,
      changes.worsened.length > 0 || changes.endpoints.length > 0,
      before.revision + 1,
    );
    this.#pending.addSteering(await headendsSteeringTo(this.#db, changes.prefixes), before.revision + 1);
  }

  async #improvementsDue(): Promise<void> {
    const due = this.#holds.due(this.#now());
    if (due.length === 0) return;
    const affected = await affectedPolicies(this.#db, {
      snapshot: this.#sight.snapshot,
      changes: NO_CHANGES,
      improved: due,
    });
    await this.#noteAffected(affected, false, this.#sight.revision);
  }

  async #releasedBandwidth(): Promise<void> {
    const released = await sql`delete from released_link returning link_id`.execute(this.#db);
    if (released.rows.length > 0) await this.#note(await starvedPolicies(this.#db), true, false);
  }

  async #noteAffected(affected: Affected, urgent: boolean, revision: number): Promise<void> {
    const ids = [...affected].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const reoptimise of [false, true]) {
      const some = ids.filter(([, policy]) => policy.reoptimise === reoptimise).map(([id]) => id);
      await this.#note(some, reoptimise, urgent && !reoptimise, revision);
    }
  }

  async #note(
    ids: readonly string[],
    reoptimise: boolean,
    urgent: boolean,
    revision = this.#sight.revision,
  ): Promise<void> {
    if (ids.length === 0) return;
    const row = await this.#db
      .selectFrom('revision')
      .select('at')
      .where('revision', '>=', revision)
      .orderBy('revision')
      .limit(1)
      .executeTakeFirst();
    this.#pending.add(ids, { reoptimise, revision, eventAt: row?.at ?? new Date(this.#now()) }, urgent);
  }
}

export interface ObserverOptions {
  readonly db: Database;
  readonly ted: (revision?: number) => Promise<Ted>;
  readonly pending: PendingWork;
  readonly holds: LinkHolds;
  readonly now: () => number;
}

const NO_CHANGES: TedChanges = {
  links: [],
  improved: [],
  worsened: [],
  attracting: [],
  transit: [],
  headends: [],
  endpoints: [],
  prefixes: [],
  hosts: false,
};

/** undefined: nothing was computed yet, or the history no longer reaches back so far. */
async function pastTed({ ted }: ObserverOptions, revision: number): Promise<Ted | undefined> {
  if (revision === 0) return undefined;
  return ted(revision).catch(() => undefined);
}
