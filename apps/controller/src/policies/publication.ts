import { sql, type Transaction } from 'kysely';
import type { NodeId, Ted } from '@waymark/topology';
import { takenLinks } from '../compute/contenders.js';
import type { PolicyEvaluation, PolicyToEvaluate } from '../compute/evaluate-policies-model.js';
import type { WaymarkEvent } from '../model/events.js';
import { prioritiesOf } from '../model/sr-policy.js';
import type { Tables } from '../storage/database.js';
import type { ReadDatabaseTime } from '../storage/database-time.js';
import { lockHead, type RevisionNumbers } from '../storage/revision.js';
import { allocateBindingSids, releaseBindingSids } from './binding-sid-store.js';
import {
  currentBookings,
  headendsWithAgent,
  storeBookings,
  type BookingChange,
  type CurrentBookings,
} from './bookings.js';
import { storeShortage, type ShortageChanges } from './bsid-shortage.js';
import { classBodies, type EntryBody } from './class-bodies.js';
import { desiredBody } from './desired-body.js';
import { groupBy } from './group-by.js';
import { storeLinkHolds } from './link-hold-store.js';
import type { LinkHold } from './link-holds.js';
import { loadIntents, type PolicyIntent } from './policy-intents.js';
import { causeOf, type PolicyEvent } from './policy-event.js';
import { preemptedPolicies } from './preempted-policies.js';
import { loadStates, storeStates, storeSteeringChanges, type StateChange, type StoredState } from './policy-states.js';
import type { DesiredChange, WrittenDelta } from './reaction-dependencies.js';
import { stateChange, STEERING_CHANGED } from './state-changes.js';
import { assignClaims, podPrefixesOf, steeredPrefixes } from './steering-claims.js';
import { storedList, type StoredList } from './stored-lists.js';

/** Evaluations with the TED that they were proved on. */
export interface Proved {
  readonly ted: Ted;
  /** Of the head row when `ted` was read. */
  readonly tedRevision: number;
  readonly evaluations: readonly PolicyEvaluation[];
}

/** What is to be published together. */
export interface Publication extends Proved {
  /**
   * Called when the TED has moved since: proves on that of this moment, which stands still meanwhile, and leaves out what
   * does not hold there. Trying again without the lock would let writers in a row keep anything from being published.
   */
  readonly proveNow: (tx: Transaction<Tables>, head: RevisionNumbers) => Promise<Proved>;
  readonly intents: ReadonlyMap<string, PolicyIntent>;
  readonly states: ReadonlyMap<string, StoredState>;
  /** As they were evaluated. */
  readonly policies: readonly PolicyToEvaluate[];
  /** What each policy is evaluated for. */
  readonly eventOf: (policyId: string) => PolicyEvent;
  /** Headends whose steering is assigned anew and whose service classes are looked at, and why. */
  readonly steering: ReadonlyMap<NodeId, PolicyEvent>;
  readonly holds: ReadonlyMap<string, LinkHold | null>;
  /** The revision that is computed through once these policies are done. */
  readonly computedThrough: (evaluated: ReadonlySet<string>) => number;
  readonly bsidPool: string;
  readonly readDatabaseTime: ReadDatabaseTime;
}

export interface Published<Delta> {
  readonly deltas: readonly Delta[];
  /** Policies whose evaluations were used. */
  readonly evaluated: ReadonlySet<string>;
  readonly computedThrough: number;
  readonly events: readonly (WaymarkEvent<'policy.state'> | WaymarkEvent<'policy.install'>)[];
  /** Of policies among those evaluated. */
  readonly shortage: ShortageChanges;
}

export type WriteDesired<Delta> = (changes: readonly DesiredChange[]) => Promise<readonly Delta[]>;

/**
 * Writes the consequences of evaluations, within a fenced transaction: states, steering, BSIDs, bookings, and what each
 * headend is to hold. The head row is locked first, so neither topology nor intent changes meanwhile; an intent that
 * changed before is left out (its new revision will be looked at).
 */
export async function publish<Delta extends WrittenDelta>(
  tx: Transaction<Tables>,
  offered: Publication,
  writeDesired: WriteDesired<Delta>,
): Promise<Published<Delta>> {
  const head = await lockHead(tx);
  const publication = { ...offered, ...(await provedNow(tx, head, offered)) };
  const current = await loadIntents(
    tx,
    publication.evaluations.map(({ policyId }) => policyId),
  );
  const isCurrent = ({ policyId }: PolicyEvaluation) =>
    current.get(policyId)?.version === publication.intents.get(policyId)?.version;
  const { evaluations, early } = await withRoomMade(
    tx,
    publication.policies,
    publication.evaluations.filter(isCurrent),
  );
  const done = publication.evaluations.map(({ policyId }) => policyId).filter((id) => !early.has(id));
  const evaluated = new Set(done);
  const computedThrough = publication.computedThrough(evaluated);
  const deleted = await deletedPolicies(tx);
  const wanted = await wantedPolicies(tx, publication, evaluations);
  const now = await publication.readDatabaseTime(tx);
  const { bodies, shortage } = await desiredBodies(tx, publication, wanted, now);
  const classes = await classBodies(tx, [...publication.steering.keys()]);
  const deltas = await writeDesired(desiredChanges([...bodies, ...classes], deleted));
  const generations = new Map(
    deltas.flatMap(({ generation, changes }) => changes.map(({ policyId }) => [policyId, generation] as const)),
  );

  const states = evaluations.map((evaluation) => {
    const { policyId } = evaluation;
    const before = publication.states.get(policyId);
    const reissued = generations.has(policyId);
    const steering = publication.steering.get(headendOf(policyId));
    const event = publication.eventOf(policyId);
    const gotBindingSids = shortage.ended.has(policyId);
    const result = { evaluation, before, reissued, event, steering, gotBindingSids };
    return { evaluation, before, change: stateChange(result) };
  });
  const steered = steeringChanges(publication, wanted, generations);
  await storeStates(tx, states, head.revision);
  await storeSteeringChanges(tx, steered);
  await book(tx, evaluations, current, deleted, generations);
  await forgetDeleted(tx, deleted, generations, now);
  await storeLinkHolds(tx, publication.holds);
  await sql`
    update head set computed_through = greatest(computed_through, ${computedThrough}::bigint)
  `.execute(tx);
  const changes = states.flatMap(({ evaluation: { policyId, status }, change }) =>
    change === undefined ? [] : [{ policyId, status, ...change }],
  );
  return {
    deltas,
    evaluated,
    computedThrough,
    events: [
      ...stateEvents([...changes, ...steered], generations, head.revision),
      ...shortageEvents(shortage, head.revision),
    ],
    shortage,
  };
}

async function provedNow(tx: Transaction<Tables>, head: RevisionNumbers, offered: Publication): Promise<Proved> {
  const isEmpty = offered.evaluations.length === 0 && offered.steering.size === 0;
  return isEmpty || head.tedRevision === offered.tedRevision ? offered : offered.proveNow(tx, head);
}

interface DeletedPolicy {
  readonly id: string;
  readonly headend: NodeId;
}

/** Deleted and not created anew since. */
async function deletedPolicies(tx: Transaction<Tables>): Promise<DeletedPolicy[]> {
  await sql`delete from deleted_policy d using sr_policy p where p.id = d.policy_id`.execute(tx);
  const rows = await sql<DeletedPolicy>`
    select policy_id as id, headend from deleted_policy order by policy_id
  `.execute(tx);
  return rows.rows;
}

/** A policy with what its headend is to hold for it. `steeringOnly`: it was not evaluated. */
interface WantedPolicy {
  readonly intent: PolicyIntent;
  readonly status: StoredState['status'];
  readonly lists: readonly StoredList[];
  readonly standby: readonly StoredList[];
  readonly steeringOnly: boolean;
}

/** Those evaluated, and those whose steering alone has changed. */
async function wantedPolicies(
  tx: Transaction<Tables>,
  publication: Publication,
  evaluations: readonly PolicyEvaluation[],
): Promise<WantedPolicy[]> {
  const changed = await assignClaims(tx, [...publication.steering.keys()], podPrefixesOf(publication.ted));
  const evaluated = new Set(evaluations.map(({ policyId }) => policyId));
  const others = [...changed].filter((id) => !evaluated.has(id)).sort();
  const otherStates = await loadStates(tx, others);
  const otherIntents = await loadIntents(tx, [...otherStates.keys()]);
  const wanted: WantedPolicy[] = [];
  for (const { policyId, status, lists, standby } of evaluations) {
    const intent = publication.intents.get(policyId);
    if (intent === undefined) continue;
    const stored = { lists: lists.map(storedList), standby: standby?.lists.map(storedList) ?? [] };
    wanted.push({ intent, status, ...stored, steeringOnly: false });
  }
  for (const intent of otherIntents.values()) {
    const state = otherStates.get(intent.id);
    if (state === undefined) continue;
    const { status, lists, standby } = state;
    wanted.push({ intent, status, lists, standby: standby?.lists ?? [], steeringOnly: true });
  }
  return wanted;
}

async function desiredBodies(
  tx: Transaction<Tables>,
  { ted, bsidPool }: Publication,
  wanted: readonly WantedPolicy[],
  now: Date,
): Promise<{ readonly bodies: readonly EntryBody[]; readonly shortage: ShortageChanges }> {
  const policies = wanted.map(({ intent }) => intent);
  const bindingSids = await allocateBindingSids(tx, policies, bsidPool, ted, now);
  const isLacking = ({ intent, status }: WantedPolicy) => status !== 'down' && !bindingSids.has(intent.id);
  const lacking = wanted.filter(isLacking).map(({ intent }) => intent);
  const others = wanted.filter((policy) => !isLacking(policy)).map(({ intent }) => intent);
  const shortage = await storeShortage(tx, { lacking, others }, bsidPool, now);
  const prefixes = await steeredPrefixes(
    tx,
    policies.map(({ id }) => id),
  );
  const addresses = new Map(ted.nodes.map((node) => [node.id, node.address]));
  const bodies = wanted.map(({ intent, status, lists, standby }) => ({
    id: intent.id,
    headend: intent.headend,
    // Without BSIDs there is nothing that it could hold.
    body: desiredBody({
      policyId: intent.id,
      color: intent.color,
      endpointAddress: addresses.get(intent.endpoint) ?? null,
      status,
      lists,
      standby,
      prefixes: prefixes.get(intent.id)?.all ?? [],
      classPrefixes: prefixes.get(intent.id)?.ofClass ?? [],
      bindingSids: bindingSids.get(intent.id) ?? [],
    }),
  }));
  return { bodies, shortage };
}

function desiredChanges(bodies: readonly EntryBody[], deleted: readonly DeletedPolicy[]): DesiredChange[] {
  const all = [...bodies, ...deleted.map(({ id, headend }) => ({ id, headend, body: null }))];
  return [...groupBy(all, ({ headend }) => headend)].map(([headend, policies]) => ({
    headend,
    policies: policies.map(({ id, body }) => ({ policyId: id, body })),
  }));
}

interface PolicyChange extends StateChange {
  readonly policyId: string;
  readonly status: StoredState['status'];
}

/** Policies of which nothing but the steering has changed. */
function steeringChanges(
  { steering }: Publication,
  wanted: readonly WantedPolicy[],
  generations: ReadonlyMap<string, number>,
): PolicyChange[] {
  return wanted.flatMap(({ intent, status, steeringOnly }) => {
    const event = steering.get(intent.headend);
    if (!steeringOnly || event === undefined || !generations.has(intent.id)) return [];
    return [{ policyId: intent.id, status, event, reason: STEERING_CHANGED }];
  });
}

/**
 * Leaves out, for a later evaluation, whoever takes bandwidth from policies that would go on using it, and whoever has to
 * make room for one that does not come: some evaluations are not among these, because an intent changed meanwhile or what
 * was to be used does not hold on the newest TED.
 */
async function withRoomMade(
  tx: Transaction<Tables>,
  policies: readonly PolicyToEvaluate[],
  evaluations: readonly PolicyEvaluation[],
): Promise<{ readonly evaluations: readonly PolicyEvaluation[]; readonly early: ReadonlySet<string> }> {
  const early = new Set<string>();
  const holdPriorities = new Map(policies.map(({ policyId, holdPriority }) => [policyId, holdPriority]));
  let left = evaluations;
  for (;;) {
    const taken = takenLinks(left);
    const crowded = await preemptedPolicies(tx, { policies, evaluations: left }, new Set());
    const links = new Set(crowded.map(({ linkId }) => linkId));
    const tooEarly = left.filter(({ policyId, preempts, takenOn }) => {
      const holdPriority = holdPriorities.get(policyId) ?? 0;
      if (takenOn !== null && (taken.get(takenOn)?.setupPriority ?? holdPriority) >= holdPriority) return true;
      return preempts.some(({ linkId }) => links.has(linkId));
    });
    if (tooEarly.length === 0) return { evaluations: left, early };
    for (const { policyId } of tooEarly) early.add(policyId);
    left = left.filter(({ policyId }) => !early.has(policyId));
  }
}

function headendOf(policyId: string): NodeId {
  return policyId.slice(0, policyId.indexOf(':'));
}

async function book(
  tx: Transaction<Tables>,
  evaluations: readonly PolicyEvaluation[],
  intents: ReadonlyMap<string, PolicyIntent>,
  deleted: readonly DeletedPolicy[],
  generations: ReadonlyMap<string, number>,
): Promise<void> {
  const wanted = [
    ...evaluations.map(({ policyId, bookings }) => ({
      policyId,
      bookings,
      ...prioritiesOf(intents.get(policyId) ?? {}),
    })),
    ...deleted.map(({ id }) => ({ policyId: id, bookings: [], ...prioritiesOf({}) })),
  ];
  const current = await currentBookings(
    tx,
    wanted.map(({ policyId }) => policyId),
  );
  const different = wanted.filter((want) => !sameBookings(want, current.get(want.policyId)));
  if (different.length === 0) return;
  const answering = await headendsWithAgent(tx, [...new Set(different.map(({ policyId }) => headendOf(policyId)))]);
  const changes = different.map((want): BookingChange => {
    const generation = generations.get(want.policyId);
    return {
      ...want,
      generation: generation ?? current.get(want.policyId)?.generation ?? 0,
      // Without a new generation the headend sends as before, and the IGP has moved the traffic already.
      release: generation !== undefined && answering.has(headendOf(want.policyId)) ? 'moved' : 'at-once',
    };
  });
  await storeBookings(tx, changes);
}

type BookingTerms = Pick<CurrentBookings, 'bookings' | 'setupPriority' | 'holdPriority'>;

function sameBookings(a: BookingTerms, b: BookingTerms | undefined): boolean {
  if (a.bookings.length !== (b?.bookings.length ?? 0)) return false;
  if (b === undefined || a.bookings.length === 0) return true;
  if (a.setupPriority !== b.setupPriority || a.holdPriority !== b.holdPriority) return false;
  const amounts = new Map(b.bookings.map(({ linkId, bandwidthBps }) => [linkId, bandwidthBps]));
  return a.bookings.every(({ linkId, bandwidthBps }) => amounts.get(linkId) === bandwidthBps);
}

async function forgetDeleted(
  tx: Transaction<Tables>,
  deleted: readonly DeletedPolicy[],
  generations: ReadonlyMap<string, number>,
  now: Date,
): Promise<void> {
  if (deleted.length === 0) return;
  // Of a headend without an agent nobody will acknowledge anything, and nobody holds it.
  const answering = await headendsWithAgent(tx, [...new Set(deleted.map(({ headend }) => headend))]);
  await releaseBindingSids(
    tx,
    deleted.map(({ id, headend }) => ({
      policyId: id,
      generation: answering.has(headend) ? (generations.get(id) ?? null) : null,
    })),
    now,
  );
  const ids = deleted.map(({ id }) => id);
  await sql`delete from deleted_policy where policy_id = any(${ids}::text[])`.execute(tx);
}

function stateEvents(
  changes: readonly PolicyChange[],
  generations: ReadonlyMap<string, number>,
  revision: number,
): WaymarkEvent<'policy.state'>[] {
  const at = new Date().toISOString();
  return changes.map(({ policyId, status, event, reason }) => ({
    type: 'policy.state',
    at,
    data: { revision, policyId, status, generation: generations.get(policyId) ?? null, cause: causeOf(event, reason) },
  }));
}

/** As an agent's refusal is told. */
function shortageEvents({ begun }: ShortageChanges, revision: number): WaymarkEvent<'policy.install'>[] {
  const at = new Date().toISOString();
  return begun.map(({ policyId, reason }) => ({
    type: 'policy.install',
    at,
    data: { revision, policyId, outcome: 'failed', reason },
  }));
}
