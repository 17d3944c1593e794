import type { NodeId, NoPath } from '@waymark/topology';
import type { HeldSource, TopologyElements } from '../model/topology.js';

/** The source that is held and speaks of any of these elements; of anything, when there are none. */
export type FindHeldSource = (elements: TopologyElements) => Promise<HeldSource | undefined>;

/**
 * No path on a topology that may be out of date: `ted-stale` when a source is held that speaks of what blocks, or of where
 * the paths were to begin and end. What the engine found on the topology as it is stays in the message and beside it.
 */
export async function staleOr<Answer extends Pick<NoPath, 'reason' | 'message' | 'blockingLinks' | 'blockingNodes'>>(
  answer: Answer,
  endpoints: readonly NodeId[],
  findHeld: FindHeldSource,
): Promise<Answer> {
  const { blockingLinks: links, blockingNodes } = answer;
  const blocks = links.length + blockingNodes.length > 0;
  const held = await findHeld(blocks ? { links, nodes: [...blockingNodes, ...endpoints] } : { links: [], nodes: [] });
  if (held === undefined) return answer;
  const since = `source ${held.id} has been held since revision ${held.heldRevision}, so the topology may be out of date`;
  return { ...answer, reason: 'ted-stale', message: `${since}: ${answer.message}` };
}
