import type { ApiClient } from './api-client.js';

/** Under this name server-side apply knows which fields are ours. */
export const fieldManager = 'waymark-controller';

export interface ToldObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly uid?: string };
}

export interface Told {
  readonly type: 'Normal' | 'Warning';
  /** One word. */
  readonly reason: string;
  readonly message: string;
}

const MAX_MESSAGE = 1024;

/** A Kubernetes event about the object, which `kubectl describe` shows. */
export async function tellObject(
  client: ApiClient,
  { apiVersion, kind, metadata: { name, namespace, uid } }: ToldObject,
  { type, reason, message }: Told,
  now: Date,
): Promise<void> {
  const at = now.toISOString();
  // Events about objects without a namespace are in this one.
  const home = namespace ?? 'default';
  await client.post(`/api/v1/namespaces/${home}/events`, {
    ...{ apiVersion: 'v1', kind: 'Event' },
    metadata: { generateName: `${name}.`, namespace: home },
    involvedObject: { apiVersion, kind, name, uid, ...(namespace === undefined ? {} : { namespace }) },
    ...{ reason, message: message.slice(0, MAX_MESSAGE), type },
    ...{ source: { component: fieldManager }, firstTimestamp: at, lastTimestamp: at, count: 1 },
  });
}
