import { sql } from 'kysely';
import type { Snapshot, Ted } from '@waymark/topology';
import { Problem } from '../model/errors.js';
import { NothingChanged, withRevision } from '../storage/revision.js';
import type { Database } from '../storage/database.js';
import type { ReadDatabaseTime } from '../storage/database-time.js';
import { affectedPolicies, headendsSteeringTo, starvedPolicies, type Affected } from './affected-policies.js';
import { servableHeadends } from './binding-sid-store.js';
import { policiesWithoutBindingSids } from './bsid-shortage.js';
import { changeEvents, type EventOf } from './change-events.js';
import { changedClasses, changedIntents, deletedIntents, toldToOthers } from './intent-events.js';
import { LinkHolds } from './link-holds.js';
import { expandMeshes } from './mesh-members.js';
import type { PendingWork } from './pending-work.js';
import type { PolicyEvent } from './policy-event.js';
import { snapshotOf } from '../compute/snapshot-of.js';
import { tedChanges, type TedChanges } from './ted-changes.js';
import type { ChangedElement } from './tell-changes.js';

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
  readonly #readDatabaseTime: ReadDatabaseTime;
  readonly #bsidPool: string;
  #sight: Sight;
  /** Policies were computed, and the history no longer reaches back to when. */
  #lostTrack: boolean;

  private constructor(options: ObserverOptions, sight: Sight, lostTrack: boolean) {
    this.#db = options.db;
    this.#readTed = options.ted;
    this.#pending = options.pending;
    this.#holds = options.holds;
    this.#now = options.now;
    this.#readDatabaseTime = options.readDatabaseTime;
    this.#bsidPool = options.bsidPool;
    this.#sight = sight;
    this.#lostTrack = lostTrack;
  }

  /** Resumes where the leader before stopped publishing. */
  static async resume(options: ObserverOptions): Promise<Observer> {
    const { computed_through } = await options.db
      .selectFrom('head')
      .select('computed_through')
      .executeTakeFirstOrThrow();
    const known = await pastTed(options, computed_through);
    const ted = known ?? EMPTY;
    const sight = {
      revision: known === undefined ? 0 : computed_through,
      tedRevision: -1,
      ted,
      snapshot: snapshotOf(ted),
    };
    const observer = new Observer(options, sight, known === undefined && computed_through > 0);
    await observer.#retryStarved('resumed', 'a new leader took over');
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
    await this.#freeBindingSids();
    return this.#sight;
  }

  async #see(before: Sight, revision: number, tedRevision: number): Promise<void> {
    const moved = tedRevision !== before.tedRevision;
    const ted = moved ? await this.#readTed() : before.ted;
    const snapshot = ted === before.ted ? before.snapshot : snapshotOf(ted);
    const changes = tedChanges(before.ted, ted);
    this.#sight = { revision, tedRevision, ted, snapshot };
    await this.#seeIntents(before.revision);
    if (changes.hosts || (await this.#meshesMayGrow(before.revision))) await this.#letMeshesFollow(ted);
    // Before there was a topology nothing was computed, and intent makes sure that everything will be.
    if (ted !== before.ted && before.ted !== EMPTY) await this.#seeTopology(before, changes);
  }

  async #seeIntents(since: number): Promise<void> {
    const revision = since + 1;
    const changed = await changedIntents(this.#db, since);
    const anew = this.#lostTrack ? await this.#ownEvent('resumed', 'a new leader computed everything anew') : undefined;
    this.#lostTrack = false;
    for (const { policyId, event } of changed) {
      this.#pending.add(policyId, { reoptimise: true, revision, event: anew ?? event }, 'intent');
    }
    // A deletion says best why others steer something else now.
    const told = new Map([...changed, ...(await deletedIntents(this.#db))].map((change) => [change.headend, change]));
    for (const [headend, change] of told) {
      this.#pending.addSteering(headend, { revision, event: toldToOthers(change), isUrgent: false });
    }
    for (const { headend, event } of await changedClasses(this.#db, since)) {
      this.#pending.addSteering(headend, { revision, event, isUrgent: true });
    }
  }

  /** A policy that stood in the way of a mesh is gone, or a mesh was written by someone who saw an older topology. */
  async #meshesMayGrow(since: number): Promise<boolean> {
    const found = await sql`
      select from mesh where revision > ${since}
      union all
      select from deleted_policy d join mesh m on split_part(d.policy_id, ':', 2) = m.color::text
      where d.revision > ${since}
      limit 1
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
    const steering = await headendsSteeringTo(this.#db, changes.prefixes);
    const revision = before.revision + 1;
    const eventOf = await this.#eventsSince(before, affected, changes);
    this.#noteAffected(affected, revision, eventOf);
    for (const { headend, endpoint } of steering) {
      const event = eventOf([{ kind: 'node', id: endpoint }]);
      this.#pending.addSteering(headend, { revision, event, isUrgent: false });
    }
  }

  async #eventsSince(before: Sight, affected: Affected, changes: TedChanges): Promise<EventOf> {
    const named = [...affected.values()].flatMap(({ because }) => because);
    const nodes = changes.prefixes.map((id): ChangedElement => ({ kind: 'node', id }));
    return changeEvents(this.#db, before, this.#sight, [...named, ...nodes]);
  }

  async #improvementsDue(): Promise<void> {
    const due = this.#holds.due(this.#now());
    if (due.length === 0) return;
    const affected = await affectedPolicies(this.#db, {
      snapshot: this.#sight.snapshot,
      changes: NO_CHANGES,
      improved: due,
    });
    const event = await this.#ownEvent('hold-over', '');
    this.#noteAffected(affected, this.#sight.revision, (links) => ({ ...event, summary: holdOver(links) }));
  }

  async #releasedBandwidth(): Promise<void> {
    const released = await sql<{ link_id: string }>`
      delete from released_link returning link_id
    `.execute(this.#db);
    const links = [...new Set(released.rows.map(({ link_id }) => link_id))].sort();
    if (links.length === 0) return;
    const others = links.length === 1 ? '' : ` and ${links.length - 1} other links`;
    await this.#retryStarved('bandwidth-released', `bandwidth was released on link ${links[0] ?? ''}${others}`);
  }

  async #retryStarved(kind: string, summary: string): Promise<void> {
    const starved = await starvedPolicies(this.#db);
    if (starved.length === 0) return;
    const event = await this.#ownEvent(kind, summary);
    for (const id of starved.sort()) {
      this.#pending.add(id, { reoptimise: true, revision: this.#sight.revision, event }, 'improvable');
    }
  }

  /** Policies that found no BSIDs are tried again when the pool has blocks for their headends. */
  async #freeBindingSids(): Promise<void> {
    const lacking = await policiesWithoutBindingSids(this.#db);
    if (lacking.size === 0) return;
    const now = await this.#readDatabaseTime(this.#db);
    const headends = await servableHeadends(this.#db, [...lacking.keys()], this.#bsidPool, this.#sight.ted, now);
    if (headends.length === 0) return;
    const event = await this.#ownEvent('binding-sids-free', `the pool ${this.#bsidPool} has binding SIDs again`);
    for (const id of headends.flatMap((headend) => lacking.get(headend) ?? [])) {
      this.#pending.add(id, { reoptimise: false, revision: this.#sight.revision, event }, 'intent');
    }
  }

  #noteAffected(affected: Affected, revision: number, eventOf: EventOf): void {
    for (const [id, { reoptimise, touched, because }] of [...affected].sort(([a], [b]) => (a < b ? -1 : 1))) {
      this.#pending.add(id, { reoptimise, revision, event: eventOf(because) }, touched ? 'touched' : 'improvable');
    }
  }

  /** Something that no revision tells of. Timed by the clock that times revisions and acks. */
  async #ownEvent(kind: string, summary: string): Promise<PolicyEvent> {
    const at = await this.#readDatabaseTime(this.#db);
    return { kind, revision: this.#sight.revision, by: 'Waymark', at, summary };
  }
}

function holdOver(links: readonly ChangedElement[]): string {
  const ids = links.map(({ id }) => id).join(' and ');
  return links.length === 1
    ? `link ${ids} has been stable for its hold time`
    : `links ${ids} have been stable for their hold times`;
}

export interface ObserverOptions {
  readonly db: Database;
  readonly ted: (revision?: number) => Promise<Ted>;
  readonly pending: PendingWork;
  readonly holds: LinkHolds;
  readonly now: () => number;
  readonly readDatabaseTime: ReadDatabaseTime;
  readonly bsidPool: string;
}

const NO_CHANGES: TedChanges = {
  links: [],
  improved: [],
  worsened: [],
  attracting: [],
  routing: [],
  rerouting: { links: [], nodes: [] },
  transit: [],
  headends: [],
  endpoints: [],
  prefixes: [],
  hosts: false,
};

/** undefined: nothing was computed yet, or the history no longer reaches back so far. Rejects when the database is away. */
async function pastTed({ ted }: ObserverOptions, revision: number): Promise<Ted | undefined> {
  if (revision === 0) return undefined;
  try {
    return await ted(revision);
  } catch (error) {
    if (error instanceof Problem && error.code === 'revision-pruned') return undefined;
    throw error;
  }
}
