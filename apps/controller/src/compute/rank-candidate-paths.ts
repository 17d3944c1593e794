import { metricOf } from '@waymark/topology';
import type { CandidatePathIntent } from '../model/sr-policy.js';
import type { ValidLists } from './candidate-outcome.js';
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

/**
 * What a dynamic path is optimised for and its value over the worst branch, of several lists the mean by weight; null when
 * unknown or not optimised.
 */
export function objectiveOf(
  candidate: CandidatePathIntent | undefined,
  valid: ValidLists | undefined,
): PolicyEvaluation['objective'] {
  if (candidate?.path.kind !== 'dynamic' || valid === undefined) return null;
  const { metric } = candidate.path;
  let [sum, weights] = [0, 0];
  for (const { weight, metrics } of valid.lists) {
    const value = metricOf(metrics, metric);
    if (value === null) return null;
    sum += weight * value;
    weights += weight;
  }
  return weights === 0 ? null : { metric, value: sum / weights };
}
