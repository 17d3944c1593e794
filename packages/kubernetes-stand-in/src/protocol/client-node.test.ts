import {
  ApiException,
  CoordinationV1Api,
  CoreV1Api,
  KubernetesObjectApi,
  PatchStrategy,
  type KubernetesObject,
} from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster, type Defined } from '../testing/cluster.js';

interface Widget extends KubernetesObject {
  spec?: { size?: number; colour?: string };
}

describe('@kubernetes/client-node', () => {
  let cluster: Cluster;
  let widgets: Defined;
  beforeAll(async () => {
    cluster = await Cluster.open();
    const properties = { size: { type: 'integer' }, colour: { type: 'string' } } as const;
    widgets = await cluster.define({ spec: { type: 'object', properties } });
  });
  afterAll(() => cluster.close());

  const codeOf = async (call: Promise<unknown>): Promise<number | undefined> => {
    try {
      await call;
      return undefined;
    } catch (error) {
      if (error instanceof ApiException) return error.code;
      throw error;
    }
  };

  it('finds a custom resource by discovery, and writes it', async () => {
    const api = KubernetesObjectApi.makeApiClient(cluster.kubeConfig);
    const widget = (spec: Widget['spec']): Widget => widgets.object('web', { spec });
    const made = await api.create(widget({ size: 1 }));
    const header = { metadata: { name: 'web', namespace: cluster.namespace } };
    const id = { apiVersion: widgets.apiVersion, kind: widgets.kind, ...header };
    expect(await api.read(id)).toMatchObject({ spec: { size: 1 } });

    const replaced = await api.replace<Widget>({ ...made, spec: { size: 2 } });
    expect(replaced.metadata?.generation).toBe(2);
    expect(await codeOf(api.replace<Widget>({ ...made, spec: { size: 3 } }))).toBe(409);

    const patch = (spec: Widget['spec'], manager: string, force: boolean): Promise<Widget> =>
      api.patch(widget(spec), undefined, undefined, manager, force, PatchStrategy.ServerSideApply);
    expect(await codeOf(patch({ size: 9 }, 'waymark', false))).toBe(409);
    expect((await patch({ size: 9 }, 'waymark', true)).spec).toEqual({ size: 9 });
    expect((await patch({ colour: 'red' }, 'waymark', true)).spec).toEqual({ colour: 'red' });
    await api.delete(id);
    expect(await codeOf(api.read(id))).toBe(404);
  });

  it('lists built-in kinds in pages, and reads labels and times', async () => {
    const api = cluster.kubeConfig.makeApiClient(CoreV1Api);
    const { namespace } = cluster;
    for (const name of ['a', 'b', 'c'])
      await cluster.post(`/api/v1/namespaces/${namespace}/configmaps`, { metadata: { name, labels: { page: 'yes' } } });
    const first = await api.listNamespacedConfigMap({ namespace, labelSelector: 'page=yes', limit: 2 });
    const rest = await api.listNamespacedConfigMap({
      ...{ namespace, labelSelector: 'page=yes', limit: 2 },
      ...(first.metadata?._continue === undefined ? {} : { _continue: first.metadata._continue }),
    });
    expect([...first.items, ...rest.items].map(({ metadata }) => metadata?.name)).toEqual(['a', 'b', 'c']);
    expect(first.items[0]?.metadata?.creationTimestamp).toBeInstanceOf(Date);
  });

  it('holds a lease', async () => {
    const api = cluster.kubeConfig.makeApiClient(CoordinationV1Api);
    const of = { name: 'leader', namespace: cluster.namespace };
    await cluster.post(`/apis/coordination.k8s.io/v1/namespaces/${cluster.namespace}/leases`, {
      metadata: { name: 'leader' },
      spec: { holderIdentity: 'one', leaseDurationSeconds: 15 },
    });
    const [first, second] = [await api.readNamespacedLease(of), await api.readNamespacedLease(of)];
    if (first.spec !== undefined) first.spec.holderIdentity = 'two';
    await api.replaceNamespacedLease({ ...of, body: first });
    expect((await api.readNamespacedLease(of)).spec).toMatchObject({ holderIdentity: 'two', leaseDurationSeconds: 15 });
    if (second.spec !== undefined) second.spec.holderIdentity = 'three';
    expect(await codeOf(api.replaceNamespacedLease({ ...of, body: second }))).toBe(409);
  });
});
