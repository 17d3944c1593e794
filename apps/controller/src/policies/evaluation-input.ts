import type { PolicyToEvaluate } from '../compute/evaluate-policies-model.js';
import { prioritiesOf } from '../model/sr-policy.js';
import { ownBookings } from './bookings.js';
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
    ...prioritiesOf(intent),
    bookings: bookings.get(intent.id) ?? [],
    pinned: intent.pinned,
    reoptimise: reoptimise(intent.id),
  }));
  return { intents, states, policies };
}
