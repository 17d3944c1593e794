import { isDeepStrictEqual } from 'node:util';
import { sql, type Transaction } from 'kysely';
import type { FailureKind, LinkId, Overlay, Snapshot } from '@waymark/topology';
import type { PinnedLists } from '../compute/evaluate-policies-model.js';
import type { AuditedChange } from '../model/audit.js';
import { Problem } from '../model/errors.js';
import { afterCommit } from '../model/outage.js';
import type { WaymarkEvent } from '../model/events.js';
import type { MeshFilter, PolicyFilter } from '../model/filters.js';
import type {
  LivenessCounts,
  Page,
  PageRequest,
  PolicyService,
  ProposedChange,
  TopologyService,
} from '../model/ports.js';
import {
  LOWEST_PRIORITY,
  type DryRunResult,
  type MeshIntent,
  type MeshView,
  type PolicyDetours,
  type SrPolicyIntent,
  type SrPolicyView,
} from '../model/sr-policy.js';
import type { Actor } from '../model/topology.js';
import { recordAudit } from '../storage/audit.js';
import type { Database, Tables } from '../storage/database.js';
import type { AnnounceEvents } from '../storage/event-channel.js';
import { releaseOwnership, requireOwner, takeOwnership } from '../storage/owners.js';
import { NothingChanged, withRevision } from '../storage/revision.js';
import { bookedPerLink, unreservedBps } from './bookings.js';
import {
  currentMesh,
  currentPolicy,
  noMesh,
  noPolicy,
  refuseMeshOwned,
  requireOwnLists,
  storePinned,
} from './current-intent.js';
import { dryRun, type DryRunDependencies } from './dry-run.js';
import { evaluateBatch } from './evaluate-batch.js';
import { loadPolicies } from './evaluation-input.js';
import { countPoliciesWithoutBindingSids } from './bsid-shortage.js';
import { livenessCounts } from './list-liveness.js';
import { deletePolicies, expandMesh, selectedHosts } from './mesh-members.js';
import { meshPage, meshViews, storeMesh } from './mesh-store.js';
import { intentView, loadIntents, storeIntent } from './policy-intents.js';
import { policyIdOf } from '../model/sr-policy.js';
import { loadStates } from './policy-states.js';
import { isSameMesh, isSamePolicy } from './same-intent.js';
import { policyIds, policyViews } from './policy-views.js';
import type { Evaluate, PredictDetours } from './reaction-dependencies.js';
import { snapshotOf } from '../compute/snapshot-of.js';
import { claimPrefixes } from './steering-claims.js';
import { transportOf } from './stored-lists.js';
import { checkedMesh, checkedPolicy } from './validate-intent.js';

/** Returns from what to what it changed the intent. */
type Work = (tx: Transaction<Tables>, revision: number) => Promise<Pick<AuditedChange, 'before' | 'after'>>;
type IntentAction = 'created' | 'changed' | 'deleted';

/** How often a return to previous lists is tried while the leader moves the policy. */
const MAX_TRIES = 5;

/** The leader has moved the policy since its previous lists were looked at. */
class ListsMoved extends Error {
  override readonly name = 'ListsMoved';
}

/**
 * Intent of SR policies and meshes, and what became of it. Any controller may write intent; what follows from it is the
 * leader's (ReactionLoop), which reads it by its revision.
 */
export class SrPolicyService implements PolicyService {
  readonly #db: Database;
  readonly #topology: Pick<TopologyService, 'ted' | 'link' | 'node'>;
  readonly #evaluate: Evaluate;
  readonly #dryRuns: Pick<DryRunDependencies, 'evaluate' | 'bookDemands'>;
  readonly #predictDetours: PredictDetours;
  readonly #announceEvents: AnnounceEvents;

  constructor(options: {
    db: Database;
    topology: Pick<TopologyService, 'ted' | 'link' | 'node'>;
    evaluate: Evaluate;
    dryRuns: Pick<DryRunDependencies, 'evaluate' | 'bookDemands'>;
    predictDetours: PredictDetours;
    announceEvents: AnnounceEvents;
  }) {
    this.#db = options.db;
    this.#topology = options.topology;
    this.#evaluate = options.evaluate;
    this.#dryRuns = options.dryRuns;
    this.#predictDetours = options.predictDetours;
    this.#announceEvents = options.announceEvents;
  }

  async policies(filter: PolicyFilter, page: PageRequest): Promise<Page<SrPolicyView>> {
    const { items, next } = await policyIds(this.#db, filter, page);
    return { items: await policyViews(this.#db, items, await this.#topology.ted()), next };
  }

  async policy(id: string): Promise<SrPolicyView> {
    const [view] = await policyViews(this.#db, [id], await this.#topology.ted());
    if (view === undefined) throw noPolicy(id);
    return view;
  }

  async detours(id: string, failures: readonly FailureKind[], signal?: AbortSignal): Promise<PolicyDetours> {
    const ted = await this.#topology.ted();
    const { policies } = await loadPolicies(this.#db, [id], () => false);
    const [policy] = policies;
    if (policy === undefined) throw noPolicy(id);
    const booked = await bookedPerLink(this.#db);
    const lists = await this.#predictDetours(snapshotOf(ted), { policy, booked, failures }, signal);
    return { policyId: id, revision: ted.revision, lists };
  }

  async createPolicy(intent: SrPolicyIntent, actor: Actor): Promise<SrPolicyView> {
    const checked = checkedPolicy(intent, await this.#topology.ted());
    const id = policyIdOf(checked);
    await this.#writePolicy(id, actor, 'policy-create', 'created', async (tx, revision) => {
      const [existing] = (await loadIntents(tx, [id])).values();
      if (existing !== undefined) {
        if (existing.mesh !== null)
          throw new Problem('already-exists', { detail: `there is a policy ${id}, of the mesh ${existing.mesh}` });
        await requireOwner(tx, 'policy', [id], actor);
        if (isSamePolicy(intentView(existing), checked)) throw new NothingChanged(undefined);
        throw new Problem('already-exists', { detail: `there is a policy ${id} with another intent` });
      }
      await storeIntent(tx, checked, revision);
      await claimPrefixes(tx, { ...checked, id });
      await takeOwnership(tx, 'policy', [id], actor);
      return { before: null, after: checked };
    });
    return afterCommit(this.policy(id));
  }

  async replacePolicy(id: string, intent: SrPolicyIntent, ifVersion: number, actor: Actor): Promise<SrPolicyView> {
    const checked = checkedPolicy(intent, await this.#topology.ted());
    if (policyIdOf(checked) !== id) {
      throw new Problem('request-invalid', {
        detail: `headend, color and endpoint make up the id: ${policyIdOf(checked)} is not ${id}`,
        field: '/headend',
      });
    }
    await this.#writePolicy(id, actor, 'policy-replace', 'changed', async (tx, revision) => {
      const before = await currentPolicy(tx, id, ifVersion);
      refuseMeshOwned(before);
      await requireOwner(tx, 'policy', [id], actor);
      await storeIntent(tx, checked, revision);
      await claimPrefixes(tx, { ...checked, id });
      return { before: intentView(before), after: checked };
    });
    return afterCommit(this.policy(id));
  }

  async deletePolicy(id: string, ifVersion: number, actor: Actor): Promise<void> {
    await this.#writePolicy(id, actor, 'policy-delete', 'deleted', async (tx, revision) => {
      const before = await currentPolicy(tx, id, ifVersion);
      refuseMeshOwned(before);
      await requireOwner(tx, 'policy', [id], actor);
      await deletePolicies(tx, [id], revision);
      await releaseOwnership(tx, 'policy', [id]);
      return { before: intentView(before), after: null };
    });
  }

  async pin(id: string, ifVersion: number, actor: Actor): Promise<SrPolicyView> {
    await this.#writePolicy(id, actor, 'policy-pin', 'changed', async (tx, revision) => {
      const { pinned, ...intent } = await currentPolicy(tx, id, ifVersion);
      await requireOwnLists(tx, intent, actor);
      const state = (await loadStates(tx, [id])).get(id);
      if (state === undefined || state.lists.length === 0) {
        throw new Problem('no-lists-to-pin', { detail: `${id} uses no segment list now` });
      }
      const lists = { activeCandidate: state.activeCandidate, lists: state.lists.map(transportOf) };
      await storePinned(tx, id, lists, revision);
      return { before: { pinned }, after: { pinned: lists } };
    });
    return afterCommit(this.policy(id));
  }

  async unpin(id: string, ifVersion: number, actor: Actor): Promise<SrPolicyView> {
    await this.#writePolicy(id, actor, 'policy-unpin', 'changed', async (tx, revision) => {
      const intent = await currentPolicy(tx, id, ifVersion);
      await requireOwnLists(tx, intent, actor);
      if (intent.pinned === null) throw new NothingChanged(undefined);
      await storePinned(tx, id, null, revision);
      return { before: { pinned: intent.pinned }, after: { pinned: null } };
    });
    return afterCommit(this.policy(id));
  }

  async rollBack(id: string, ifVersion: number, actor: Actor): Promise<SrPolicyView> {
    for (let tries = 1; ; tries++) {
      const previous = await this.#deliverablePrevious(id);
      try {
        await this.#writePolicy(id, actor, 'policy-roll-back', 'changed', async (tx, revision) => {
          const { pinned, ...intent } = await currentPolicy(tx, id, ifVersion);
          await requireOwnLists(tx, intent, actor);
          const state = (await loadStates(tx, [id])).get(id);
          if (!isDeepStrictEqual(state?.previousLists, previous)) throw new ListsMoved();
          await storePinned(tx, id, previous, revision);
          return { before: { pinned }, after: { pinned: previous } };
        });
        return await afterCommit(this.policy(id));
      } catch (error) {
        if (!(error instanceof ListsMoved)) throw error;
        if (tries < MAX_TRIES) continue;
        throw new Problem('no-lists-to-return-to', { detail: `${id} is changing its lists again and again` });
      }
    }
  }

  async meshes(filter: MeshFilter, page: PageRequest): Promise<Page<MeshView>> {
    return meshPage(this.#db, filter, page);
  }

  async mesh(id: string): Promise<MeshView> {
    const [view] = await meshViews(this.#db, [id]);
    if (view === undefined) throw noMesh(id);
    return view;
  }

  async createMesh(intent: MeshIntent, actor: Actor): Promise<MeshView> {
    const ted = await this.#topology.ted();
    const checked = checkedMesh(intent, ted);
    await this.#writeMesh(intent.id, actor, 'mesh-create', 'created', async (tx, revision) => {
      const [existing] = await meshViews(tx, [intent.id]);
      if (existing !== undefined) {
        await requireOwner(tx, 'mesh', [intent.id], actor);
        if (isSameMesh(existing.intent, checked)) throw new NothingChanged(undefined);
        throw new Problem('already-exists', { detail: `there is a mesh ${intent.id} with another intent` });
      }
      await storeMesh(tx, checked, revision);
      await expandMesh(tx, checked, selectedHosts(ted, checked.selector), revision);
      await takeOwnership(tx, 'mesh', [intent.id], actor);
      return { before: null, after: checked };
    });
    return afterCommit(this.mesh(intent.id));
  }

  async replaceMesh(id: string, intent: MeshIntent, ifVersion: number, actor: Actor): Promise<MeshView> {
    const ted = await this.#topology.ted();
    const checked = checkedMesh(intent, ted);
    if (intent.id !== id) {
      throw new Problem('request-invalid', { detail: `the id ${intent.id} is not ${id}`, field: '/id' });
    }
    await this.#writeMesh(id, actor, 'mesh-replace', 'changed', async (tx, revision) => {
      const before = await currentMesh(tx, id, ifVersion);
      await requireOwner(tx, 'mesh', [id], actor);
      await storeMesh(tx, checked, revision);
      await expandMesh(tx, checked, selectedHosts(ted, checked.selector), revision);
      return { before, after: checked };
    });
    return afterCommit(this.mesh(id));
  }

  async deleteMesh(id: string, ifVersion: number, actor: Actor): Promise<void> {
    await this.#writeMesh(id, actor, 'mesh-delete', 'deleted', async (tx, revision) => {
      const before = await currentMesh(tx, id, ifVersion);
      await requireOwner(tx, 'mesh', [id], actor);
      const policies = await tx.selectFrom('sr_policy').select('id').where('mesh_id', '=', id).execute();
      await deletePolicies(
        tx,
        policies.map((policy) => policy.id),
        revision,
      );
      await tx.deleteFrom('mesh').where('id', '=', id).execute();
      await releaseOwnership(tx, 'mesh', [id]);
      return { before, after: null };
    });
  }

  async booked(links: readonly LinkId[]): Promise<ReadonlyMap<LinkId, readonly number[]>> {
    const booked = new Map<LinkId, number[]>();
    for (const { linkId, holdPriority, bandwidthBps } of await bookedPerLink(this.#db, links)) {
      const byPriority = booked.get(linkId) ?? Array.from({ length: LOWEST_PRIORITY + 1 }, () => 0);
      booked.set(linkId, byPriority);
      byPriority[holdPriority] = bandwidthBps;
    }
    return booked;
  }

  async beingWithdrawn({ color, policyId }: { readonly color: number; readonly policyId?: string }): Promise<number> {
    const isMeant = (id: string) =>
      policyId === undefined
        ? sql`split_part(${sql.ref(id)}, ':', 2) = ${String(color)}`
        : sql`${sql.ref(id)} = ${policyId}`;
    const { rows } = await sql<{ count: number }>`
      select
        (select count(*) from deleted_policy d where ${isMeant('d.policy_id')}) +
        (select count(*) from desired d join agent a on a.node_id = d.headend
         where d.deleted and split_part(d.policy_id, ':', 3) <> d.headend and ${isMeant('d.policy_id')}) as count
    `.execute(this.#db);
    return rows[0]?.count ?? 0;
  }

  async withoutBindingSids(): Promise<number> {
    return countPoliciesWithoutBindingSids(this.#db);
  }

  async livenessCounts(): Promise<LivenessCounts> {
    return livenessCounts(this.#db);
  }

  async dryRun(changes: readonly ProposedChange[], overlay?: Overlay, signal?: AbortSignal): Promise<DryRunResult> {
    return dryRun({ db: this.#db, topology: this.#topology, ...this.#dryRuns }, changes, overlay, signal);
  }

  /** Bandwidth still free per arc of a snapshot, in bit/s, for path computations. NaN where it is unknown. */
  async unreserved(snapshot: Snapshot): Promise<Float64Array> {
    return unreservedBps(this.#db, snapshot);
  }

  /** The previous lists of a policy, when they would be used now if it were pinned to them. */
  async #deliverablePrevious(id: string): Promise<PinnedLists> {
    const loaded = await loadPolicies(this.#db, [id], () => false);
    const [policy] = loaded.policies;
    if (policy === undefined) throw noPolicy(id);
    const previous = loaded.states.get(id)?.previousLists ?? null;
    if (previous === null) throw new Problem('no-lists-to-return-to', { detail: `${id} had no other lists before` });
    const snapshot = snapshotOf(await this.#topology.ted());
    const { evaluations } = await evaluateBatch(
      this.#db,
      { ...loaded, policies: [{ ...policy, pinned: previous }] },
      {
        heldLinks: [],
        parallelism: 1,
        evaluate: (task) => this.#evaluate(snapshot, task),
        reoptimise: () => false,
      },
    );
    const evaluation = evaluations.find(({ policyId }) => policyId === id);
    const lists = evaluation?.lists.map(({ weight, transport }) => ({ weight, sids: transport.map(({ sid }) => sid) }));
    if (!isDeepStrictEqual(lists, previous.lists)) {
      throw new Problem('no-lists-to-return-to', { detail: `the previous lists of ${id} cannot be used now` });
    }
    return previous;
  }

  async #writePolicy(id: string, actor: Actor, kind: string, action: IntentAction, work: Work): Promise<void> {
    await this.#write({ entity: 'sr-policy', id }, actor, kind, work, (revision) => ({
      type: 'policy.intent',
      at: new Date().toISOString(),
      data: { revision, policyId: id, action },
    }));
  }

  async #writeMesh(id: string, actor: Actor, kind: string, action: IntentAction, work: Work): Promise<void> {
    await this.#write({ entity: 'mesh', id }, actor, kind, work, (revision) => ({
      type: 'mesh.intent',
      at: new Date().toISOString(),
      data: { revision, meshId: id, action },
    }));
  }

  async #write(
    what: Pick<AuditedChange, 'entity' | 'id'>,
    actor: Actor,
    kind: string,
    work: Work,
    eventOf: (revision: number) => WaymarkEvent,
  ): Promise<void> {
    const header = { actor: actor.name, kind, summary: `${kind.replaceAll('-', ' ')}: ${what.id}`, ted: false };
    await withRevision(this.#db, header, async (tx, revision) => {
      await recordAudit(tx, { revision, kind, actor }, [{ ...what, ...(await work(tx, revision)) }]);
      await this.#announceEvents(tx, [eventOf(revision)]);
    });
  }
}
