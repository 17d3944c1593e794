import { isLent, nodeAnnotations, zoneLabel } from './cluster-hosts.js';
import type { BlockAffinity, IpamBlock, IpPool, KubernetesNode, ObjectMeta } from './objects.js';
import { requireReadable } from './readable.js';

/*
 * What clusterHosts reads of objects, and nothing else. A node has kilobytes of images and tells of itself every few minutes; a
 * block names each of its pods and changes with every one. Held in parts they take a fraction, and two are equal when hosts
 * are the same by them. All of these throw TypeError for an object of another shape.
 */

export function partsOfNode(node: KubernetesNode): KubernetesNode {
  requireReadable('Node', node);
  const { metadata, spec, status } = node;
  return {
    metadata: {
      ...nameOf(metadata),
      labels: textsOf(metadata?.labels, [zoneLabel]),
      annotations: textsOf(metadata?.annotations, nodeAnnotations),
    },
    spec: picked(spec, ['podCIDR', 'podCIDRs']),
    status: {
      addresses: status?.addresses ?? [],
      conditions: (status?.conditions ?? [])
        .filter(({ type }) => type === 'Ready')
        .map((condition) => picked(condition, ['type', 'status'])),
    },
  };
}

export function partsOfBlockAffinity(affinity: BlockAffinity): BlockAffinity {
  requireReadable('BlockAffinity', affinity);
  const { metadata, spec } = affinity;
  return { metadata: nameOf(metadata), spec: picked(spec, ['cidr', 'node', 'state', 'deleted', 'type']) };
}

export function partsOfIpPool(pool: IpPool): IpPool {
  requireReadable('IPPool', pool);
  const { metadata, spec } = pool;
  return { metadata: nameOf(metadata), spec: picked(spec, ['cidr', 'allowedUses']) };
}

/** Of the allocations those to pods of other nodes than the block's own; mostly there are none. */
export function partsOfIpamBlock(block: IpamBlock): IpamBlock {
  requireReadable('IPAMBlock', block);
  const { metadata, spec } = block;
  const attributes = (spec?.attributes ?? []).map(({ secondary }) =>
    isLent(secondary, spec?.affinity) ? { secondary: picked(secondary, ['node', 'pod']) } : {},
  );
  const lent = (spec?.allocations ?? []).map((index) =>
    index !== null && attributes[index]?.secondary !== undefined ? index : null,
  );
  const kept = picked(spec, ['cidr', 'affinity']);
  const isLender = lent.some((index) => index !== null);
  return { metadata: nameOf(metadata), spec: { ...kept, ...(isLender ? { allocations: lent, attributes } : {}) } };
}

function nameOf(metadata: ObjectMeta | undefined): ObjectMeta {
  return picked(metadata, ['name']);
}

function textsOf(
  from: Readonly<Record<string, string>> | null | undefined,
  names: readonly string[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(from ?? {}).filter(([name]) => names.includes(name)));
}

/** The members of these names that are there; null is as good as absent. */
function picked<T extends object>(from: T | null | undefined, names: readonly (keyof T)[]): Partial<T> {
  const parts: Partial<T> = {};
  for (const name of names) if (from?.[name] != null) parts[name] = from[name];
  return parts;
}
