import type { Ted } from '@waymark/topology';
import type { Booking } from '../compute/evaluate-policies-model.js';
import { snapshotOf } from '../compute/snapshot-of.js';
import { affectedPolicies } from './affected-policies.js';
import { policiesBookedOn } from './bookings.js';
import type { Executor } from './policy-intents.js';
import { tedChanges } from './ted-changes.js';

/**
 * Policies that have to be evaluated if one TED became another and this were booked besides, by id: may something better exist for
 * them? Hold times are taken to be over.
 */
export async function examinedPolicies(
  db: Executor,
  before: Ted,
  after: Ted,
  demanded: readonly Booking[],
): Promise<Map<string, boolean>> {
  const changes = tedChanges(before, after);
  const improved = changes.improved.map(({ linkId }) => linkId);
  const affected = await affectedPolicies(db, { snapshot: snapshotOf(after), changes, improved });
  const examined = new Map([...affected].map(([id, { reoptimise }]) => [id, reoptimise]));
  for (const id of await policiesBookedOn(db, demanded)) examined.set(id, examined.get(id) ?? false);
  return examined;
}
