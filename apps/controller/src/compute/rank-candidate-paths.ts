import { metricOf } from '@waymark/topology';
import type { CandidatePathIntent } from '../model/sr-policy.js';
import type { ValidLists } from './evaluate-candidate-path.js';
import type { PolicyEvaluation } from './evaluate-policies-model.js';

/**
 * The order in which candidate paths are selected, best first (RFC 9256 section 2.9): higher preference, then the one
 * that is installed, then the higher discriminator. Origin and originator are the same for all that operators give.
 */
export function rankCandidatePaths(
  candidatePaths: readonly CandidatePathIntent[],
  installed: number | null,
): readonly CandidatePathIntent[] {
  const isInstalled = (candidate: CandidatePathIntent) => (candidate.discriminator === installed ? 1 : 0);
  return [...candidatePaths].sort(
    (a, b) => b.preference - a.preference || isInstalled(b) - isInstalled(a) || b.discriminator - a.discriminator,
  );
}

/** What a dynamic path is optimised for and its value over the worst branch; null when unknown or not optimised. */
export function objectiveOf(
  candidate: CandidatePathIntent | undefined,
  lists: ValidLists | undefined,
): PolicyEvaluation['objective'] {
  const metrics = lists?.lists[0]?.metrics;
  if (candidate?.path.kind !== 'dynamic' || metrics === undefined) return null;
  const value = metricOf(metrics, candidate.path.metric);
  return value === null ? null : { metric: candidate.path.metric, value };
}
