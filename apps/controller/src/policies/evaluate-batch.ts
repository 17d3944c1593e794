import type { LinkId } from '@waymark/topology';
import type { Preempted } from '../compute/contenders.js';
import type { EvaluationTask, PolicyEvaluation, PolicyToEvaluate } from '../compute/evaluate-policies-model.js';
import { wantsBandwidth } from '../compute/evaluation-job.js';
import { bookedPerLink } from './bookings.js';
import { loadPolicies, type LoadedPolicies } from './evaluation-input.js';
import type { Executor } from './policy-intents.js';
import { preemptedPolicies } from './preempted-policies.js';

export interface EvaluatedBatch {
  /** Those asked for and those that they may preempt. */
  readonly loaded: LoadedPolicies;
  readonly evaluations: readonly PolicyEvaluation[];
  /** The policies that were added, and why. */
  readonly preempted: ReadonlyMap<string, Preempted>;
}

export interface EvaluationSettings {
  readonly heldLinks: readonly LinkId[];
  /** Tasks that may run at the same time. */
  readonly parallelism: number;
  readonly evaluate: (task: EvaluationTask) => Promise<readonly PolicyEvaluation[]>;
}

export interface BatchSettings extends EvaluationSettings {
  /** Of a policy that is added: may it be re-optimised? */
  readonly reoptimise: (policyId: string) => boolean;
  /** Policies that are not added. */
  readonly leaveOut?: ReadonlySet<string>;
  /** Booked by all policies; by default what the database says. */
  readonly booked?: EvaluationTask['booked'];
}

/**
 * Evaluates policies. Those that book bandwidth compete for it and stay together, and with them those that may have to
 * make room for them: these are added until nobody else has to. The others do not know of each other and are cut into
 * tasks.
 */
export async function evaluateBatch(
  db: Executor,
  asked: LoadedPolicies,
  settings: BatchSettings,
): Promise<EvaluatedBatch> {
  const free = asked.policies.filter((policy) => !competes(policy));
  const [competed, independent] = await Promise.all([
    compete(db, { ...asked, policies: asked.policies.filter(competes) }, settings),
    evaluateApart(free, settings),
  ]);
  return {
    loaded: { ...competed.loaded, policies: [...free, ...competed.loaded.policies] },
    evaluations: [...competed.evaluations, ...independent],
    preempted: competed.preempted,
  };
}

/** Evaluates just these policies, whoever has to make room for them. */
export async function evaluateOnly(
  db: Executor,
  policies: readonly PolicyToEvaluate[],
  settings: EvaluationSettings,
): Promise<readonly PolicyEvaluation[]> {
  const free = policies.filter((policy) => !competes(policy));
  const together = policies.filter(competes);
  const booked = together.length === 0 ? [] : await bookedPerLink(db);
  const parted = await Promise.all([evaluateTogether(together, booked, settings), evaluateApart(free, settings)]);
  return parted.flat();
}

async function compete(db: Executor, asked: LoadedPolicies, settings: BatchSettings): Promise<EvaluatedBatch> {
  const preempted = new Map<string, Preempted>();
  if (asked.policies.length === 0) return { loaded: asked, evaluations: [], preempted };
  // Nobody but the leader books.
  const booked = settings.booked ?? (await bookedPerLink(db));
  const known = new Set([...(settings.leaveOut ?? []), ...asked.intents.keys()]);
  let loaded = asked;
  for (;;) {
    const { policies } = loaded;
    const evaluations = await evaluateTogether(policies, booked, settings);
    const more = await preemptedPolicies(db, { policies, evaluations }, known);
    if (more.length === 0) return { loaded, evaluations, preempted };
    for (const one of more) {
      known.add(one.policyId);
      preempted.set(one.policyId, one);
    }
    const added = await loadPolicies(
      db,
      more.map(({ policyId }) => policyId),
      settings.reoptimise,
    );
    loaded = {
      intents: new Map([...loaded.intents, ...added.intents]),
      states: new Map([...loaded.states, ...added.states]),
      policies: [...loaded.policies, ...added.policies],
    };
  }
}

async function evaluateTogether(
  policies: readonly PolicyToEvaluate[],
  booked: EvaluationTask['booked'],
  { heldLinks, evaluate }: EvaluationSettings,
): Promise<readonly PolicyEvaluation[]> {
  return policies.length === 0 ? [] : evaluate({ policies, booked, heldLinks });
}

async function evaluateApart(
  policies: readonly PolicyToEvaluate[],
  { heldLinks, parallelism, evaluate }: EvaluationSettings,
): Promise<readonly PolicyEvaluation[]> {
  const tasks = parts(policies, parallelism).map((part) => evaluate({ policies: part, booked: [], heldLinks }));
  return (await Promise.all(tasks)).flat();
}

function competes({ candidatePaths }: PolicyToEvaluate): boolean {
  return candidatePaths.some(wantsBandwidth);
}

function parts(policies: readonly PolicyToEvaluate[], count: number): (readonly PolicyToEvaluate[])[] {
  const size = Math.max(1, Math.ceil(policies.length / count));
  const cut: (readonly PolicyToEvaluate[])[] = [];
  for (let start = 0; start < policies.length; start += size) cut.push(policies.slice(start, start + size));
  return cut;
}
