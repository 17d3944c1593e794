import {
  apiVersion,
  conditionsOf,
  type Condition,
  type CustomResourceKind,
  type Finding,
} from '@waymark/kubernetes-resources';
import { isDeepStrictEqual } from 'node:util';
import type { ApiClient } from '../api-client.js';
import { fieldManager, tellObject } from '../tell-object.js';
import type { KubernetesObject } from '../watched-list.js';
import { pathOf } from './intent-of.js';

export interface CustomObject extends KubernetesObject {
  readonly spec?: unknown;
  readonly status?: { readonly conditions?: readonly Condition[]; readonly observedGeneration?: number };
}

export const finalizer = 'waymark.dev/withdraw';

/** Returns the object. Throws TypeError when its status is not as the API server must keep it. */
export function requireStatus(object: KubernetesObject): CustomObject {
  const { status = {} } = object as { readonly status?: { readonly conditions?: unknown } | null };
  const conditions = status?.conditions ?? [];
  const isCondition = (one: unknown): boolean => typeof one === 'object' && one !== null;
  if (status === null || !Array.isArray(conditions) || !conditions.every(isCondition))
    throw new TypeError('its status is none');
  return object;
}

/** Everything that the controller writes to objects of one API server: finalizers, status, and events about them. */
export class ObjectWriter {
  constructor(
    private readonly client: ApiClient,
    private readonly now: () => Date,
  ) {}

  /** Holds the object until what it asks for has been withdrawn; or lets go of it. */
  async setFinalizer(kind: CustomResourceKind, { metadata }: CustomObject, isHeld: boolean): Promise<void> {
    if ((metadata.finalizers?.includes(finalizer) ?? false) === isHeld) return;
    await this.client.patch(
      pathOf(kind, metadata.name),
      'apply',
      {
        ...{ apiVersion, kind: kind.kind },
        // With the uid the object is not made anew when it is gone.
        metadata: { name: metadata.name, uid: metadata.uid, finalizers: isHeld ? [finalizer] : [] },
      },
      { fieldManager, force: true },
    );
  }

  /** Writes the status where it differs, and tells of conditions that changed. */
  async setStatus(
    kind: CustomResourceKind,
    object: CustomObject,
    findings: readonly Finding[],
    fields: object,
  ): Promise<void> {
    const generation = object.metadata.generation ?? 0;
    const before = object.status?.conditions ?? [];
    const conditions = conditionsOf(findings, generation, before, this.now());
    const status = withoutNulls({ observedGeneration: generation, conditions, ...fields });
    if (isDeepStrictEqual(status, object.status)) return;
    const { name, uid } = object.metadata;
    const body = { apiVersion, kind: kind.kind, metadata: { name, uid }, status };
    await this.client.patch(`${pathOf(kind, name)}/status`, 'apply', body, { fieldManager, force: true });
    for (const condition of conditions) {
      const known = before.find(({ type }) => type === condition.type);
      if (known?.status === condition.status && known.reason === condition.reason) continue;
      await this.tell(kind, object, condition);
    }
  }

  /** A Kubernetes event about the object. */
  async tell(
    { kind }: CustomResourceKind,
    { metadata }: CustomObject,
    { type, status, reason, message }: Finding,
  ): Promise<void> {
    const told = {
      type: status === 'False' ? 'Warning' : 'Normal',
      reason,
      message: `${type}: ${message}`,
    } as const;
    await tellObject(this.client, { apiVersion, kind, metadata }, told, this.now());
  }
}

/** In an object null is not absence but a value of the wrong type. */
function withoutNulls(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, member: unknown) => (member === null ? undefined : member)));
}
