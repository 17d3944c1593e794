import type { KubernetesObject } from '../watched-list.js';
import { labelledClass, type LabelledClass } from './class-label.js';

/** What is kept of a namespace. */
export interface ClassNamespace extends KubernetesObject {
  readonly labelled: LabelledClass;
}

/** What is kept of a pod; there may be many. */
export interface ClassPod extends KubernetesObject {
  readonly labelled: LabelledClass;
  /** Name of its node; undefined: it has none yet. */
  readonly node: string | undefined;
  /** Of both families, as the API server gives them. Empty while it has none of its own: at the host's, or ended. */
  readonly addresses: readonly string[];
  readonly isBeingDeleted: boolean;
}

export function classNamespace(object: KubernetesObject): ClassNamespace {
  const { name, resourceVersion, labels } = object.metadata;
  return { metadata: { name, resourceVersion }, labelled: labelledClass(labels) };
}

export function classPod(object: KubernetesObject): ClassPod {
  const { name, namespace = '', resourceVersion, labels, deletionTimestamp } = object.metadata;
  // An API server may send anything.
  const { spec, status } = object as {
    readonly spec?: { readonly nodeName?: unknown; readonly hostNetwork?: unknown } | null;
    readonly status?: { readonly phase?: unknown; readonly podIPs?: unknown } | null;
  };
  const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  return {
    metadata: { name, namespace, resourceVersion },
    labelled: labelledClass(labels),
    node: typeof spec?.nodeName === 'string' && spec.nodeName !== '' ? spec.nodeName : undefined,
    addresses: isOver || spec?.hostNetwork === true ? [] : addressesOf(status?.podIPs),
    isBeingDeleted: deletionTimestamp !== undefined,
  };
}

function addressesOf(podIps: unknown): string[] {
  if (!Array.isArray(podIps)) return [];
  return podIps.flatMap((entry: { readonly ip?: unknown } | null) => (typeof entry?.ip === 'string' ? [entry.ip] : []));
}
