import { overlaidTed, type Overlay } from '@waymark/topology';
import type { PolicyEvaluation, PolicyToEvaluate } from '../compute/evaluate-policies-model.js';
import type { DemandBookings } from '../compute/overlaid.js';
import { requireKnownOverlay } from '../compute/overlay-ids.js';
import type { ProposedChange, TopologyService } from '../model/ports.js';
import { prioritiesOf, type DryRunResult, type PolicyList, type PolicyMove } from '../model/sr-policy.js';
import type { Database } from '../storage/database.js';
import { newAffinities } from '../storage/affinity-registry.js';
import { bookedPerLink, ownBookings, returned } from './bookings.js';
import { evaluateBatch } from './evaluate-batch.js';
import { examinedPolicies } from './examined-policies.js';
import { loadPolicies, type LoadedPolicies } from './evaluation-input.js';
import type { StoredState } from './policy-states.js';
import { loadStates } from './policy-states.js';
import { proposedIntents } from './proposed-intents.js';
import { changesTopology, proposedTed } from './proposed-topology.js';
import type { BookDemands, Evaluate } from './reaction-dependencies.js';
import { snapshotOf } from '../compute/snapshot-of.js';
import { policyList } from './stored-lists.js';

const NO_DEMANDS: DemandBookings = { booked: [], unroutedDemands: [] };

export interface DryRunDependencies {
  readonly db: Database;
  readonly topology: Pick<TopologyService, 'ted' | 'link' | 'node'>;
  readonly evaluate: Evaluate;
  readonly bookDemands: BookDemands;
}

/**
 * What changes would move, once everything has settled: hold times are taken to be over, and removed policies to have
 * released their bandwidth. Nothing is written. Throws the Problems that making the changes would throw.
 */
export async function dryRun(
  { db, topology, evaluate, bookDemands }: DryRunDependencies,
  changes: readonly ProposedChange[],
  overlay?: Overlay,
  signal?: AbortSignal,
): Promise<DryRunResult> {
  const ted = await topology.ted();
  if (overlay !== undefined) requireKnownOverlay(snapshotOf(ted), overlay);
  const indexed = changes.map((change, index) => ({ index, change }));
  const topologyChanges = indexed.flatMap(({ index, change }) => (changesTopology(change) ? [{ index, change }] : []));
  await newAffinities(
    db,
    topologyChanges.flatMap(
      ({ change }) => (change.kind === 'link-constraints' && change.constraints.affinities) || [],
    ),
  );
  const changed = await proposedTed(ted, topologyChanges, topology);
  const proposed = overlay === undefined ? changed : overlaidTed(changed, overlay);
  const intents = await proposedIntents(db, changes, proposed);
  const snapshot = snapshotOf(proposed);
  const demands = overlay?.demands ? await bookDemands(snapshot, overlay.demands) : NO_DEMANDS;
  const examined = await examinedPolicies(db, ted, proposed, demands.booked);
  for (const id of [...intents.put.keys(), ...intents.pinned.keys()]) examined.set(id, true);
  for (const id of intents.removed) examined.delete(id);

  const loaded = await loadPolicies(db, [...examined.keys()], (id) => examined.get(id) ?? false);
  const policies = withProposals(loaded, intents.put).map((policy) => {
    const pinned = intents.pinned.get(policy.policyId);
    return pinned === undefined ? policy : { ...policy, pinned };
  });
  const removedIds = [...intents.removed].sort();
  const released = [...(await ownBookings(db, removedIds)).values()].flat();
  const batch = await evaluateBatch(
    db,
    { ...loaded, policies },
    {
      heldLinks: [],
      parallelism: 1,
      evaluate: (task) => evaluate(snapshot, task, signal),
      reoptimise: () => false,
      leaveOut: new Set([...intents.put.keys(), ...removedIds]),
      booked: [...(await bookedPerLink(db)), ...released.map(returned), ...demands.booked],
    },
  );
  const removedStates = await loadStates(db, removedIds);

  const moves = [
    ...batch.evaluations.flatMap((evaluation) => moveOf(evaluation, batch.loaded.states.get(evaluation.policyId))),
    ...removedIds.map((id) => removal(id, removedStates.get(id))),
  ];
  return {
    revision: ted.revision,
    policiesExamined: batch.loaded.policies.length + removedIds.length,
    moves: moves.sort((a, b) => (a.policyId < b.policyId ? -1 : 1)),
    ...(overlay && { hypothetical: { overlay, unroutedDemands: demands.unroutedDemands } }),
  };
}

type Proposals = Awaited<ReturnType<typeof proposedIntents>>['put'];

function withProposals({ policies }: LoadedPolicies, proposals: Proposals): PolicyToEvaluate[] {
  const known = new Map(policies.map((policy) => [policy.policyId, policy]));
  for (const [policyId, { headend, endpoint, candidatePaths, fallback, ...rest }] of proposals) {
    const terms = { policyId, headend, endpoint, candidatePaths, fallback, ...prioritiesOf(rest), reoptimise: true };
    const existing = known.get(policyId) ?? { incumbent: null, bookings: [], pinned: null };
    known.set(policyId, { ...existing, ...terms });
  }
  return [...known.values()];
}

/** Nothing for a policy that stays as it is. */
function moveOf(evaluation: PolicyEvaluation, before: StoredState | undefined): PolicyMove[] {
  const beforeLists = before?.lists.map(policyList) ?? [];
  const change = kindOfMove(evaluation, before, beforeLists);
  if (change === undefined) return [];
  return [
    {
      policyId: evaluation.policyId,
      change,
      before: beforeLists.map(route),
      after: evaluation.lists.map(route),
      metricsBefore: beforeLists[0]?.metrics ?? null,
      metricsAfter: evaluation.lists[0]?.metrics ?? null,
      message: evaluation.decision === 'kept' ? 'the IGP moves it; its lists stay' : evaluation.cause,
    },
  ];
}

function kindOfMove(
  evaluation: PolicyEvaluation,
  before: StoredState | undefined,
  beforeLists: readonly PolicyList[],
): PolicyMove['change'] | undefined {
  if (before === undefined) return 'created';
  if (evaluation.decision === 'blocked') return 'unchanged-blocked';
  if (evaluation.status !== before.status) return evaluation.status === 'up' ? 'restored' : evaluation.status;
  const after = JSON.stringify(evaluation.lists.map(route));
  return evaluation.decision === 'changed' || after !== JSON.stringify(beforeLists.map(route)) ? 'moved' : undefined;
}

function removal(policyId: string, before: StoredState | undefined): PolicyMove {
  const lists = before?.lists.map(policyList) ?? [];
  return {
    policyId,
    change: 'removed',
    before: lists.map(route),
    after: [],
    metricsBefore: lists[0]?.metrics ?? null,
    metricsAfter: null,
    message: 'the policy is deleted',
  };
}

function route({ weight, links }: PolicyList): PolicyMove['before'][number] {
  return { weight, links };
}
