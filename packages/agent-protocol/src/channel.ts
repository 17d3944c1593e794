/** Redis channel of one node's deltas. The instance keeps two controllers on one Redis apart. */
export function nodeChannel(instance: string, nodeId: string): string {
  return `waymark:${instance}:node:${nodeId}`;
}
