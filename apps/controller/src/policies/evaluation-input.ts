import type { NodeId } from '@waymark/topology';
import type { EvaluationTask, PolicyToEvaluate } from '../compute/evaluate-policies-model.js';
import { bookedPerLink, ownBookings } from './bookings.js';
import { loadIntents, type Executor, type PolicyIntent } from './policy-intents.js';
import { incumbentOf, loadStates, type StoredState } from './policy-states.js';

/** Policies with all that an evaluation needs to know of them. */
export interface LoadedPolicies {
  readonly intents: ReadonlyMap<string, PolicyIntent>;
  readonly states: ReadonlyMap<string, StoredState>;
  readonly policies: readonly PolicyToEvaluate[];
}

/** Loads policies in a handful of queries, however many they are. Ids that do not exist are left out. */
export async function loadPolicies(
  db: Executor,
  ids: readonly string[],
  reoptimise: (id: string) => boolean,
): Promise<LoadedPolicies> {
  const intents = await loadIntents(db, ids);
  const states = await loadStates(db, ids);
  const bookings = await ownBookings(db, ids);
  const policies = [...intents.values()].map((intent): PolicyToEvaluate => ({
    policyId: intent.id,
    headend: intent.headend,
    endpoint: intent.endpoint,
    candidatePaths: intent.candidatePaths,
    fallback: intent.fallback,
    incumbent: incumbentOf(states.get(intent.id)),
    bookings: bookings.get(intent.id) ?? [],
    pinned: intent.pinned,
    reoptimise: reoptimise(intent.id),
  }));
  return { intents, states, policies };
}

/**
 * Cuts a batch into tasks that may run at the same time. Policies that book bandwidth compete for it and stay together;
 * the others do not know of each other.
 */
export async function evaluationTasks(
  db: Executor,
  policies: readonly PolicyToEvaluate[],
  heldLinks: readonly NodeId[],
  parallelism: number,
): Promise<EvaluationTask[]> {
  const booking = policies.filter(wantsBandwidth);
  const free = policies.filter((policy) => !wantsBandwidth(policy));
  const tasks: EvaluationTask[] = [];
  if (booking.length > 0) tasks.push({ policies: booking, booked: await bookedPerLink(db), heldLinks });
  const size = Math.max(1, Math.ceil(free.length / parallelism));
  for (let start = 0; start < free.length; start += size) {
    tasks.push({ policies: free.slice(start, start + size), booked: [], heldLinks });
  }
  return tasks;
}

function wantsBandwidth({ candidatePaths }: PolicyToEvaluate): boolean {
  return candidatePaths.some(({ path }) => path.constraints?.bandwidthBps !== undefined);
}
