import { sql } from 'kysely';
import {
  decodeDesiredPolicy,
  decodeServiceClass,
  isClassId,
  type DesiredPolicy,
  type ServiceClass,
} from '@waymark/agent-protocol';
import { ipv6FromBytes, type Snapshot, type Ted } from '@waymark/topology';
import { evaluatePolicies } from '../compute/evaluate-policies.js';
import { policyDetours } from '../compute/policy-detours.js';
import type { EvaluationTask, PolicyEvaluation } from '../compute/evaluate-policies-model.js';
import { demandBookings } from '../compute/overlaid.js';
import { writeDesired, type PendingDelta } from '../distribution/desired-store.js';
import { fencedTransaction } from '../distribution/fence.js';
import { Problem } from '../model/errors.js';
import type { WaymarkEvent } from '../model/events.js';
import { unrecorded } from '../model/journal.js';
import type { ClassMember } from '../model/service-class.js';
import type { SrPolicyIntent } from '../model/sr-policy.js';
import type { LayerView } from '../model/topology.js';
import { onAcked } from '../policies/headend-acks.js';
import { SrPolicyService } from '../policies/policy-service.js';
import { ServiceClasses } from '../policies/service-classes.js';
import { ReactionLoop } from '../policies/reaction-loop.js';
import { createSession } from '../storage/database.js';
import { databaseTime } from '../storage/database-time.js';
import { REVISION_CHANNEL, withRevision, type RevisionNumbers } from '../storage/revision.js';
import { memberChanges } from '../kubernetes/classes/class-source.js';
import { eventually } from './eventually.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

type Outcome = 'installed' | 'simulated' | 'failed' | 'removed';

/**
 * Policies on a real database, with a TED that the test sets as a whole: intent service, reaction loop and desired store,
 * without agents. Time stands still until the test moves it.
 */
export class PolicyHarness {
  readonly database: TestDatabase;
  readonly service: SrPolicyService;
  readonly classes: ServiceClasses;
  readonly events: WaymarkEvent[] = [];
  readonly published: PendingDelta[] = [];
  /** Messages of the loop, but for faults. */
  readonly logged: string[] = [];
  /** Runs before each evaluation: what a test wants to happen in between. */
  beforeEvaluation: () => Promise<void> = () => Promise.resolve();
  /** Policies evaluated so far, in their order. */
  readonly evaluated: string[] = [];
  readonly #teds: { readonly revision: number; readonly ted: Ted }[] = [];
  readonly #listeners = new Set<(numbers: RevisionNumbers) => void>();
  readonly #session;
  readonly #faults: object[] = [];
  #isNextReadLost = false;
  #nowMs = 1_700_000_000_000;
  #term: AbortController | undefined;

  private constructor(database: TestDatabase) {
    this.database = database;
    this.#session = createSession(database.url);
    this.classes = new ServiceClasses(database.db, (epoch, work) => fencedTransaction(database.db, epoch, work));
    this.service = new SrPolicyService({
      db: database.db,
      topology: {
        ted: () => Promise.resolve(this.ted),
        link: (id) => Promise.resolve(discoveredOnly(this.ted.links.find((link) => link.id === id))),
        node: (id) => Promise.resolve(discoveredOnly(this.ted.nodes.find((node) => node.id === id))),
      },
      evaluate: (snapshot, task) => this.#evaluate(snapshot, task),
      dryRuns: {
        evaluate: (snapshot, task) => this.#evaluate(snapshot, task),
        bookDemands: (snapshot, demands) => Promise.resolve(demandBookings(snapshot, demands)),
      },
      predictDetours: (snapshot, input) => Promise.resolve(policyDetours(snapshot, structuredClone(input))),
      announceEvents: (_tx, events) => this.#announce(events),
    });
  }

  static async create(ted: Ted): Promise<PolicyHarness> {
    const harness = new PolicyHarness(await createTestDatabase());
    await harness.#session.connect();
    harness.#session.on('error', () => undefined);
    harness.#session.on('notification', () => {
      harness.#tell();
    });
    await harness.#session.query(`listen ${REVISION_CHANNEL}`);
    await harness.setTed(ted);
    return harness;
  }

  get ted(): Ted {
    const last = this.#teds.at(-1);
    if (last === undefined) throw new Error('no TED yet');
    return last.ted;
  }

  async setTed(ted: Ted): Promise<void> {
    await withRevision(
      this.database.db,
      { actor: 'test', kind: 'topology', summary: 'test', ted: true },
      (_tx, revision, tedRevision) => {
        // Readable before it is committed, as a TED that is newer than the head may be.
        this.#teds.push({ revision, ted: { ...ted, revision: tedRevision } });
        return Promise.resolve();
      },
    );
  }

  /** Past states of the TED can no longer be read. */
  forgetHistory(): void {
    this.#teds.splice(0, this.#teds.length - 1);
  }

  /** The database goes away when the next past revision is read. */
  failNextPastRead(): void {
    this.#isNextReadLost = true;
  }

  /** Begins a term of a new leader, after the one before. */
  async lead(settings: { readonly holdMs?: number; readonly bsidPool?: string } = {}): Promise<void> {
    this.#term?.abort();
    const term = new AbortController();
    this.#term = term;
    const { epoch } = await this.database.db
      .updateTable('leader')
      .set((eb) => ({ epoch: eb('epoch', '+', 1) }))
      .returning('epoch')
      .executeTakeFirstOrThrow();
    const loop = new ReactionLoop<PendingDelta>(
      {
        db: this.database.db,
        ted: (revision) => this.#tedAt(revision),
        tedAtHead: () => Promise.resolve(this.ted),
        onRevision: (listener) => {
          this.#listeners.add(listener);
          return () => this.#listeners.delete(listener);
        },
        fenced: (fence, work) => fencedTransaction(this.database.db, fence, work),
        writeDesired,
        publish: (deltas) => {
          this.published.push(...deltas);
          return Promise.resolve();
        },
        evaluate: (snapshot, task) => this.#evaluate(snapshot, task),
        announceEvents: (_tx, events) => this.#announce(events),
        log: {
          info: (_, message) => void this.logged.push(message),
          warn: (_, message) => void this.logged.push(message),
          error: (detail) => void this.#faults.push(detail),
        },
        journal: { ...unrecorded, now: () => this.#nowMs },
        readDatabaseTime: databaseTime,
        startTimer: (callback, delayMs) => {
          const timer = setTimeout(callback, delayMs);
          return () => clearTimeout(timer);
        },
      },
      { bsidPool: 'fdbb:b51d::/32', holdMs: 0, ...settings, maxHoldMs: 60_000, parallelism: 2 },
    );
    loop.lead(epoch, term.signal);
  }

  #announce(events: readonly WaymarkEvent[]): Promise<void> {
    this.events.push(...events);
    return Promise.resolve();
  }

  stopLeading(): void {
    this.#term?.abort();
  }

  /** Creates a policy as alice, and waits for what follows from it. */
  async createPolicy(intent: SrPolicyIntent): Promise<void> {
    await this.service.createPolicy(intent, { name: 'alice' });
    await this.settled();
  }

  async deletePolicy(id: string): Promise<void> {
    const { version } = await this.service.policy(id);
    await this.service.deletePolicy(id, version, { name: 'alice' });
    await this.settled();
  }

  /** Until the consequences of all that is committed are published. */
  async settled(): Promise<void> {
    await eventually(async () => {
      const head = await this.database.db.selectFrom('head').selectAll().executeTakeFirstOrThrow();
      if (head.computed_through < head.revision) throw new Error('still computing');
    });
  }

  /** Lets time pass and wakes the leader. */
  pass(ms: number): void {
    this.#nowMs += ms;
    this.#tell();
  }

  async desired(): Promise<Map<string, DesiredPolicy>> {
    const rows = (await this.#desiredRows()).filter((row) => !isClassId(row.policy_id));
    return new Map(rows.map((row) => [row.policy_id, decodeDesiredPolicy(row.body)]));
  }

  /** States, as the newest leader, exactly these members of a cluster. */
  async setMembers(members: readonly ClassMember[], cluster = 'paris'): Promise<void> {
    const { epoch } = await this.database.db.selectFrom('leader').select('epoch').executeTakeFirstOrThrow();
    const changes = memberChanges(await this.classes.members(cluster), members);
    await this.classes.changeMembers(epoch, cluster, changes);
  }

  async desiredClasses(): Promise<Map<string, ServiceClass>> {
    const rows = (await this.#desiredRows()).filter((row) => isClassId(row.policy_id));
    return new Map(rows.map((row) => [row.policy_id, decodeServiceClass(row.body)]));
  }

  #desiredRows() {
    return this.database.db.selectFrom('desired').selectAll().where('deleted', '=', false).execute();
  }

  /** SIDs and prefixes of each tunnel of a policy, as text. */
  async tunnels(policyId: string): Promise<{ readonly lists: string[][]; readonly prefixes: number }[]> {
    const policy = (await this.desired()).get(policyId);
    return (policy?.tunnels ?? []).map(({ segmentLists, steeredPrefixes }) => ({
      lists: segmentLists.map(({ sids }) => sids.map((sid) => ipv6FromBytes(sid))),
      prefixes: steeredPrefixes.length,
    }));
  }

  async generation(headend: string): Promise<number> {
    const row = await this.database.db
      .selectFrom('headend')
      .select('generation')
      .where('node_id', '=', headend)
      .executeTakeFirst();
    return row?.generation ?? 0;
  }

  /** An agent has said hello for the headend once. */
  async meetAgent(headend: string): Promise<void> {
    await sql`
      insert into agent (node_id, agent_version, dataplane, controller, session, connected_at, last_seen, epoch,
        generation, bus)
      values (${headend}, '1', 'dry-run', 'c', gen_random_uuid(), now(), now(), 0, 0, 'memory')
      on conflict do nothing
    `.execute(this.database.db);
  }

  /** The headend acks its newest generation with the same outcome for all its policies. */
  async ack(headend: string, outcome: Outcome = 'installed'): Promise<void> {
    const generation = await this.generation(headend);
    await this.database.db.transaction().execute(async (tx) => {
      const rows = await tx.selectFrom('desired').selectAll().where('headend', '=', headend).execute();
      const outcomes = rows.map((row) => ({
        policyId: row.policy_id,
        generation: row.generation,
        outcome: row.deleted ? ('removed' as const) : outcome,
      }));
      const stored = outcome === 'removed' ? 'installed' : outcome;
      await sql`
        update desired set outcome = ${stored}, outcome_at = clock_timestamp() where headend = ${headend} and not deleted
      `.execute(tx);
      await sql`delete from desired where headend = ${headend} and deleted`.execute(tx);
      await onAcked(tx, headend, generation, outcomes, databaseTime);
    });
  }

  /** Faults that the loop logged, and forgets them. */
  takeFaults(): readonly object[] {
    return this.#faults.splice(0);
  }

  /** Throws when the loop met a fault. */
  async stop(): Promise<void> {
    this.stopLeading();
    await this.#session.end();
    await this.database.drop();
    if (this.#faults.length > 0) throw new Error('the reaction loop met a fault', { cause: this.#faults[0] });
  }

  #tell(): void {
    for (const listener of this.#listeners) {
      listener({ revision: this.#teds.at(-1)?.revision ?? 0, tedRevision: this.ted.revision });
    }
  }

  #tedAt(revision: number | undefined): Promise<Ted> {
    if (revision === undefined) return Promise.resolve(this.ted);
    if (this.#isNextReadLost) {
      this.#isNextReadLost = false;
      return Promise.reject(new Error('Connection terminated unexpectedly'));
    }
    const found = this.#teds.findLast((entry) => entry.revision <= revision);
    const pruned = new Problem('revision-pruned', { detail: `revision ${revision}` });
    return found === undefined ? Promise.reject(pruned) : Promise.resolve(found.ted);
  }

  async #evaluate(snapshot: Snapshot, task: EvaluationTask): Promise<readonly PolicyEvaluation[]> {
    await this.beforeEvaluation();
    this.evaluated.push(...task.policies.map(({ policyId }) => policyId));
    // Across threads only what can be cloned arrives.
    return evaluatePolicies({ snapshot, ...structuredClone(task) });
  }
}

/** As if everything the TED says were discovered. */
function discoveredOnly<T>(effective: T | undefined): {
  readonly effective: T;
  readonly provenance: Record<string, never>;
  readonly layers: readonly LayerView<T>[];
} {
  if (effective === undefined) throw new Error('no such entity');
  const layers = [{ layer: 'discovered' as const, source: 'test', revision: 1, attributes: effective }];
  return { effective, provenance: {}, layers };
}
