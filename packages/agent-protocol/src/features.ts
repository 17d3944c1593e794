import { decodeDesiredPolicy, encodeDesiredPolicy } from './desired-policy.js';
import type { DesiredPolicy } from './generated/waymark/agent/v1/agent.js';
import { isClassId } from './identifiers.js';
import { ProtocolError } from './protocol-error.js';

/**
 * What agents may or may not understand beyond version 1 of the protocol, sorted. An agent refuses an entry with anything
 * that it does not know, so a new kind of entry, or a new field of one, gets a name here and a rule below.
 */
export const FEATURES = ['service-classes'] as const;

export type Feature = (typeof FEATURES)[number];

/** An entry of the desired state, as far as an agent understands it. */
export interface UnderstoodEntry {
  /** null: nothing of it. */
  readonly body: Uint8Array | null;
  /** What the agent cannot do, for operators; null: it understands all. */
  readonly lacks: string | null;
}

/** Those of an agent's features that this code knows; sorted, each once. */
export function knownFeatures(told: readonly string[]): Feature[] {
  return FEATURES.filter((feature) => told.includes(feature));
}

/** A body that cannot be read here, of a controller of a later version, stays as it is: the agent judges it by itself. */
export function understoodEntry(policyId: string, body: Uint8Array, features: readonly string[]): UnderstoodEntry {
  if (features.includes('service-classes' satisfies Feature)) return { body, lacks: null };
  if (isClassId(policyId)) {
    return { body: null, lacks: 'the agent is of a version without service classes: its pods go like all others' };
  }
  const policy = readable(body);
  if (policy === undefined || policy.tunnels.every(({ classPrefixes }) => classPrefixes.length === 0))
    return { body, lacks: null };
  const tunnels = policy.tunnels.map((tunnel) => ({ ...tunnel, classPrefixes: [] }));
  return {
    body: encodeDesiredPolicy({ ...policy, tunnels }),
    lacks:
      'the agent is of a version without service classes: the policy is installed without the prefixes that are for ' +
      'pods of its class',
  };
}

function readable(body: Uint8Array): DesiredPolicy | undefined {
  try {
    return decodeDesiredPolicy(body);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
