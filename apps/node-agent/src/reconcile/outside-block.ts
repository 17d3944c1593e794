import type { Prefix } from '@waymark/agent-protocol';
import { formatAddress, inPrefix } from '../dataplane/address.js';
import type { Tunnel } from '../dataplane/port.js';

interface Entry {
  readonly policyId: string;
  readonly content: { readonly tunnels: readonly Pick<Tunnel, 'bsid' | 'alternateBsid'>[] } | { readonly kind: string };
}

/**
 * Why policies cannot be this node's, by policy id: a binding SID lies outside of the block that was assigned to the node. None
 * when no block is known.
 */
export function outsideBlock(entries: Iterable<Entry>, block: Prefix | undefined): ReadonlyMap<string, string> {
  const outside = new Map<string, string>();
  if (block === undefined) return outside;
  const text = `${formatAddress(block.address)}/${block.length}`;
  const isOurs = inPrefix(text);
  for (const { policyId, content } of entries) {
    const tunnels = 'tunnels' in content ? content.tunnels : [];
    const foreign = tunnels.flatMap(({ bsid, alternateBsid }) => [bsid, alternateBsid]).find((bsid) => !isOurs(bsid));
    if (foreign !== undefined)
      outside.set(policyId, `its binding SID ${foreign} is not in ${text}, the block of this node`);
  }
  return outside;
}
