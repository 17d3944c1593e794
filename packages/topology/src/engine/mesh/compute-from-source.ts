import { MeshStatus, type MeshRequest, type SourcePaths } from '../../model/mesh.js';
import type { NodeId } from '../../model/ted.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import type { ComputeOptions } from '../compute-options.js';
import { computePaths } from '../compute-paths.js';
import { FoundPaths } from './found-paths.js';
import { SharedSource } from './shared-source.js';

export interface SourceOptions extends ComputeOptions {
  /** Called between units of work, some microseconds to milliseconds apart; what it throws ends the computation. */
  readonly checkpoint?: () => void;
}

const goOn = (): void => undefined;

/**
 * The same request from one source to many destinations. For each the metric and the number of entries are those of `computePaths`
 * for the pair, and nothing is returned without its proof. What destinations have in common is done once: the distances, the
 * lists begun, the routers' routes in the proof. Where that cannot tell the best of a destination (a bound refuses its list, or the
 * traffic of a host splits from its first packet on), the pair is computed by itself, without looking for constraints that conflict.
 * Pure and deterministic. All pairs are one call per source, in any order and on any thread.
 */
export function computeFromSource(
  snapshot: Snapshot,
  source: NodeId,
  request: MeshRequest,
  options: SourceOptions = {},
): SourcePaths {
  const { destinations, ...shared } = request;
  const { checkpoint = goOn } = options;
  const found = new FoundPaths(snapshot, source, destinations.length);
  const unreservedBps = options.unreservedBps ?? snapshot.data.reservableBps;
  const together = SharedSource.of(snapshot, source, request, unreservedBps, checkpoint);
  for (const destination of destinations) {
    checkpoint();
    const path = destination === source ? 'same' : (together?.pathTo(destination) ?? null);
    if (path === 'same') found.addWithout(MeshStatus.same);
    else if (path === 'none') found.addWithout(MeshStatus.noPath);
    else if (path !== null) found.addProved(request.metric, path);
    else {
      const pair = { ...shared, source, destination };
      found.addAnswer(request.metric, computePaths(snapshot, pair, { ...options, skipConflict: true }));
    }
  }
  return found.paths();
}
