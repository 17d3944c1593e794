import type { NoPath } from '../model/path-answer.js';
import type { FinishedPath } from './finish-path.js';
import { refusal, type PreparedRequest } from './prepare-request.js';

/** Paths exist, but none that the headend can express. */
export function explainFailures(prepared: PreparedRequest, failures: readonly FinishedPath[]): NoPath {
  const { snapshot, request, msd } = prepared;
  const tried = `${failures.length} ${failures.length === 1 ? 'path' : 'paths'} tried`;
  const depths = failures.flatMap((failure) => (failure.kind === 'too-deep' ? [failure.srhEntries] : []));
  if (depths.length > 0) {
    const least = Math.min(...depths);
    const message = `${request.source} can push ${msd} SRH entries; the shortest encoding needs ${least} (${tried})`;
    return refusal(snapshot, 'msd-exceeded', message, {
      nearestFeasible: least,
      constraint: request.maxSegments === msd ? '/maxSegments' : null,
      blockingNodes: [request.source],
    });
  }
  const [unencodable] = failures.flatMap((failure) => (failure.kind === 'unencodable' ? [failure.arc] : []));
  if (unencodable !== undefined) {
    const link = snapshot.linkIdOf(unencodable);
    const node = snapshot.nodeIdOf(snapshot.data.arcFrom[unencodable] as number);
    const message = `no SID makes ${node} use link ${link} as the path needs it (${tried})`;
    return refusal(snapshot, 'sid-unresolved', message, { blockingLinks: [link], blockingNodes: [node] });
  }
  const [refuted] = failures.flatMap((failure) => (failure.kind === 'refuted' ? [failure] : []));
  return refusal(snapshot, 'path-not-found', `no path passed its proof: ${refuted?.message ?? ''} (${tried})`);
}
