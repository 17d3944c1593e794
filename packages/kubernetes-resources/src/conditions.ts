import { choice, integer, list, object, text, timestamp, token } from '@waymark/http-contract';
import { Type, type Static } from 'typebox';

/**
 * How far an object has come, in the order in which it comes that far:
 * - `Accepted`: it is valid, refers to what there is, and claims nothing that belongs to others;
 * - `Computed`: its policies have lists that meet what it demands;
 * - `Installed`: headends have read these lists back from their data planes.
 */
export const conditionTypes = ['Accepted', 'Computed', 'Installed'] as const;
export type ConditionType = (typeof conditionTypes)[number];

/** As metav1.Condition. */
export const Condition = object(undefined, 'One aspect of how far the object has come.', {
  type: choice('Which aspect.', conditionTypes),
  status: choice('Whether it holds.', ['True', 'False', 'Unknown']),
  observedGeneration: integer('Generation of the object that this was said of.'),
  lastTransitionTime: timestamp('When the status changed last.'),
  reason: token('Why, in one word for programs.', '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$', 128, ['ConstraintsMet']),
  message: text('Why, in a sentence for people.', 32_768),
});
export type Condition = Static<typeof Condition>;

/** What the status of every kind has. */
export const commonStatus = {
  observedGeneration: Type.Optional(integer('Generation of the object that this status was derived from.')),
  conditions: Type.Optional(list('How far the object has come.', Condition, conditionTypes.length)),
};

export type Finding = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/**
 * The conditions that say `findings` of a generation. One that says what it said before keeps its transition time;
 * conditions that are not found now are gone. Sorted as conditionTypes.
 */
export function conditionsOf(
  findings: readonly Finding[],
  generation: number,
  before: readonly Condition[],
  now: Date,
): Condition[] {
  return conditionTypes.flatMap((type) => {
    const finding = findings.find((candidate) => candidate.type === type);
    if (finding === undefined) return [];
    const known = before.find((condition) => condition.type === type);
    const since = known?.status === finding.status ? known.lastTransitionTime : timestampOf(now);
    return [{ ...finding, observedGeneration: generation, lastTransitionTime: since }];
  });
}

/** Kubernetes' metav1.Time has whole seconds. */
function timestampOf(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}
