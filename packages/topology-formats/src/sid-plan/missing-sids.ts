import type { EndpointBehavior, LinkId, NodeId } from '@waymark/topology';
import type { DocumentLink, DocumentNode, ServiceBehavior, SidPlan, TopologyDocument } from '../topology-document.js';

/** A SID that a node should have and the file does not declare. */
export interface MissingSid {
  readonly behavior: EndpointBehavior;
  readonly linkId: LinkId | null;
}

/**
 * Routers should have an End SID and an End.X SID for each link in `adjacencies`, hosts the plan's service SIDs.
 */
export function missingSids(node: DocumentNode, adjacencies: readonly DocumentLink[], plan: SidPlan): MissingSid[] {
  const declared = (node.sids ?? []).filter(({ algorithm }) => algorithm === 0);
  if (node.kind === 'host') {
    const has = new Set(declared.map(({ behavior }) => behavior));
    return missingServices(has, plan.services).map((behavior) => ({ behavior, linkId: null }));
  }
  const declaredLinks = new Set(declared.map(({ linkId }) => linkId));
  return [
    ...(declared.some(({ behavior }) => behavior === 'End') ? [] : [{ behavior: 'End', linkId: null } as const]),
    ...adjacencies
      .map(({ id }) => id)
      .filter((id) => !declaredLinks.has(id))
      .sort()
      .map((linkId) => ({ behavior: 'End.X', linkId }) as const),
  ];
}

/**
 * Links that are worth an End.X SID, by the router they leave: those to other routers, and those to hosts that attach in
 * several places. To a host with one link its router's End SID and the service SID lead already.
 */
export function adjacenciesByRouter(document: TopologyDocument): ReadonlyMap<NodeId, readonly DocumentLink[]> {
  const routers = new Map<NodeId, DocumentLink[]>();
  for (const { id, kind } of document.nodes) if (kind === 'router') routers.set(id, []);
  const linksInto = new Map<NodeId, number>();
  for (const { to } of document.links) linksInto.set(to, (linksInto.get(to) ?? 0) + 1);
  for (const link of document.links) {
    if (routers.has(link.to) || linksInto.get(link.to) !== 1) routers.get(link.from)?.push(link);
  }
  return routers;
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
