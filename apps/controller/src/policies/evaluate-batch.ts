import type { LinkId } from '@waymark/topology';
import type { EvaluationTask, PolicyEvaluation, PolicyToEvaluate } from '../compute/evaluate-policies-model.js';
import { bookedPerLink, preemptedPolicies } from './bookings.js';
import { loadPolicies, type LoadedPolicies } from './evaluation-input.js';
import type { Executor } from './policy-intents.js';

/** Whose doing it is that a policy is evaluated together with others. */
export interface Preempted {
  readonly by: string;
}

export interface EvaluatedBatch {
  /** Those asked for and those that they may preempt. */
  readonly loaded: LoadedPolicies;
  readonly evaluations: readonly PolicyEvaluation[];
  /** The policies that were added, and why. */
  readonly preempted: ReadonlyMap<string, Preempted>;
}

export interface BatchSettings {
  readonly heldLinks: readonly LinkId[];
  /** Tasks that may run at the same time. */
  readonly parallelism: number;
  readonly evaluate: (task: EvaluationTask) => Promise<readonly PolicyEvaluation[]>;
  /** Of a policy that is added: may it be re-optimised? */
  readonly reoptimise: (policyId: string) => boolean;
  /** Policies that are not added. */
  readonly leaveOut?: ReadonlySet<string>;
  /** Booked by all policies; by default what the database says. */
  readonly booked?: EvaluationTask['booked'];
}

/**
 * Evaluates policies. Those that book bandwidth compete for it and stay together, and with them those whose bandwidth they
 * take: these are added until nobody else has to make room. The others do not know of each other and are cut into tasks.
 */
export async function evaluateBatch(
  db: Executor,
  asked: LoadedPolicies,
  settings: BatchSettings,
): Promise<EvaluatedBatch> {
  const free = asked.policies.filter((policy) => !wantsBandwidth(policy));
  const booking = asked.policies.filter(wantsBandwidth);
  const [competed, ...others] = await Promise.all([
    compete(db, { ...asked, policies: booking }, settings),
    ...parts(free, settings.parallelism).map((policies) =>
      settings.evaluate({ policies, booked: [], heldLinks: settings.heldLinks }),
    ),
  ]);
  return {
    loaded: { ...competed.loaded, policies: [...free, ...competed.loaded.policies] },
    evaluations: [...competed.evaluations, ...others.flat()],
    preempted: competed.preempted,
  };
}

async function compete(db: Executor, asked: LoadedPolicies, settings: BatchSettings): Promise<EvaluatedBatch> {
  const { heldLinks, evaluate } = settings;
  const preempted = new Map<string, Preempted>();
  const known = new Set([...(settings.leaveOut ?? []), ...asked.intents.keys()]);
  let loaded = asked;
  for (;;) {
    const { policies } = loaded;
    if (policies.length === 0) return { loaded, evaluations: [], preempted };
    const booked = settings.booked ?? (await bookedPerLink(db));
    const evaluations = await evaluate({ policies, booked, heldLinks });
    const preemptions = evaluations.flatMap(({ preempts }) => preempts);
    const more = await preemptedPolicies(db, preemptions, known);
    if (more.length === 0) return { loaded, evaluations, preempted };
    for (const { policyId, linkId } of more) {
      known.add(policyId);
      const by = evaluations.find(({ preempts }) => preempts.some((one) => one.linkId === linkId))?.policyId ?? '';
      preempted.set(policyId, { by });
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

function wantsBandwidth({ candidatePaths }: PolicyToEvaluate): boolean {
  return candidatePaths.some(({ path }) => path.constraints?.bandwidthBps !== undefined);
}

function parts(policies: readonly PolicyToEvaluate[], count: number): (readonly PolicyToEvaluate[])[] {
  const size = Math.max(1, Math.ceil(policies.length / count));
  const cut: (readonly PolicyToEvaluate[])[] = [];
  for (let start = 0; start < policies.length; start += size) cut.push(policies.slice(start, start + size));
  return cut;
}
