import type { EndpointBehavior, LinkId } from '@waymark/topology';
import type { DocumentLink, DocumentNode, ServiceBehavior, SidPlan } from '../topology-document.js';

/** A SID that a node should have and the file does not declare. */
export interface MissingSid {
  readonly behavior: EndpointBehavior;
  readonly linkId: LinkId | null;
}

/**
 * Routers should have an End SID and an End.X SID for each link to another router, hosts the plan's service SIDs; a host
 * link needs no End.X, its router's End SID and the service SID lead over it. `linksOut` are the links from the node to
 * routers.
 */
export function missingSids(node: DocumentNode, linksOut: readonly DocumentLink[], plan: SidPlan): MissingSid[] {
  const declared = (node.sids ?? []).filter(({ algorithm }) => algorithm === 0);
  if (node.kind === 'host') {
    const has = new Set(declared.map(({ behavior }) => behavior));
    return missingServices(has, plan.services).map((behavior) => ({ behavior, linkId: null }));
  }
  const adjacencies = new Set(declared.map(({ linkId }) => linkId));
  return [
    ...(declared.some(({ behavior }) => behavior === 'End') ? [] : [{ behavior: 'End', linkId: null } as const]),
    ...linksOut
      .map(({ id }) => id)
      .filter((id) => !adjacencies.has(id))
      .sort()
      .map((linkId) => ({ behavior: 'End.X', linkId }) as const),
  ];
}

function missingServices(
  has: ReadonlySet<EndpointBehavior>,
  wanted: readonly ServiceBehavior[],
): readonly ServiceBehavior[] {
  const ipv4 = has.has('End.DT4') || has.has('End.DT46');
  const ipv6 = has.has('End.DT6') || has.has('End.DT46');
  const both = wanted.includes('End.DT46');
  if (both && !ipv4 && !ipv6) return ['End.DT46'];
  return [
    ...(!ipv4 && (both || wanted.includes('End.DT4')) ? (['End.DT4'] as const) : []),
    ...(!ipv6 && (both || wanted.includes('End.DT6')) ? (['End.DT6'] as const) : []),
  ];
}
