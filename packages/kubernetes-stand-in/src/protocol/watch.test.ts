import { CustomObjectsApi, makeInformer, type KubernetesObject } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Cluster, type Defined } from '../testing/cluster.js';

const SPEC = { type: 'object', properties: { size: { type: 'integer' } } } as const;

describe('watch', () => {
  let cluster: Cluster;
  let widgets: Defined;
  beforeAll(async () => {
    cluster = await Cluster.open();
    widgets = await cluster.define({ spec: SPEC });
  });
  afterAll(() => cluster.close());

  const listVersion = async (): Promise<string> => (await cluster.get(widgets.path)).metadata.resourceVersion;

  it('feeds an informer: what is there, then what comes, changes and goes', async () => {
    await cluster.post(widgets.path, widgets.object('early', { spec: { size: 1 } }));
    const api = cluster.kubeConfig.makeApiClient(CustomObjectsApi);
    const { group, plural } = widgets;
    const list = async (): Promise<{ kind: string; apiVersion: string; metadata: object; items: KubernetesObject[] }> =>
      (await api.listNamespacedCustomObject({ group, version: 'v1', namespace: cluster.namespace, plural })) as never;
    const seen: string[] = [];
    const informer = makeInformer(cluster.kubeConfig, widgets.path, list);
    for (const event of ['add', 'update', 'delete'] as const)
      informer.on(event, ({ metadata }) => seen.push(`${event} ${metadata?.name ?? ''}`));
    await informer.start();
    expect(informer.get('early', cluster.namespace)).toMatchObject({ spec: { size: 1 } });

    await cluster.post(widgets.path, widgets.object('late'));
    await cluster.mergePatch(`${widgets.path}/early`, { spec: { size: 2 } });
    await cluster.call('DELETE', `${widgets.path}/late`);
    await vi.waitFor(() => expect(seen).toEqual(['add early', 'add late', 'update early', 'delete late']), 10_000);
    await informer.stop();
  });

  it('resumes after a resourceVersion with each change since then, once and in order', async () => {
    const since = await listVersion();
    const made = await cluster.post(widgets.path, widgets.object('resumed'));
    const changed = (await cluster.mergePatch(`${widgets.path}/resumed`, { spec: { size: 3 } })).body;
    await cluster.call('DELETE', `${widgets.path}/resumed`);
    const watch = await cluster.watch(widgets.path, `resourceVersion=${since}&timeoutSeconds=30`);
    expect(await watch.change()).toMatchObject({ type: 'ADDED', object: { metadata: made.metadata } });
    expect(await watch.change()).toMatchObject({
      type: 'MODIFIED',
      object: { spec: { size: 3 }, metadata: changed.metadata },
    });
    const gone = await watch.change();
    expect(gone).toMatchObject({ type: 'DELETED', object: { spec: { size: 3 }, metadata: { name: 'resumed' } } });
    expect(Number(gone?.object.metadata.resourceVersion)).toBeGreaterThan(Number(changed.metadata.resourceVersion));
    watch.close();
  });

  it('begins with what is there when it names no resourceVersion', async () => {
    await cluster.post(widgets.path, widgets.object('standing'));
    const watch = await cluster.watch(widgets.path, 'timeoutSeconds=30&fieldSelector=metadata.name%3Dstanding');
    expect(await watch.change()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'standing' } } });
    watch.close();
  });

  it('shows what comes to match a selector as added, and what no longer does as deleted', async () => {
    const since = await listVersion();
    const watch = await cluster.watch(widgets.path, `resourceVersion=${since}&labelSelector=side%3Dleft`);
    await cluster.post(widgets.path, widgets.object('mover'));
    await cluster.mergePatch(`${widgets.path}/mover`, { metadata: { labels: { side: 'left' } } });
    const moved = (await cluster.mergePatch(`${widgets.path}/mover`, { metadata: { labels: { side: 'right' } } })).body;
    expect(await watch.change()).toMatchObject({ type: 'ADDED', object: { metadata: { labels: { side: 'left' } } } });
    const gone = await watch.change();
    expect(gone).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'mover' } } });
    expect(gone?.object.metadata.resourceVersion).toBe(moved.metadata.resourceVersion);
    watch.close();
  });

  it('ends when its time is over, with a bookmark shortly before when they are allowed', async () => {
    const since = await listVersion();
    const watch = await cluster.watch(
      widgets.path,
      `resourceVersion=${since}&allowWatchBookmarks=true&timeoutSeconds=8`,
    );
    // A server that has seen no change since has no later version to tell.
    await cluster.post(widgets.path, widgets.object('before-the-end'));
    expect(await watch.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'before-the-end' } } });
    const bookmark = await watch.next();
    expect(bookmark).toMatchObject({ type: 'BOOKMARK', object: { kind: 'Widget', apiVersion: widgets.apiVersion } });
    expect(Number(bookmark?.object.metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(since));
    expect(await watch.change()).toBeUndefined();
  });

  it('answers a resourceVersion from before its memory with an event of 410', async () => {
    const watch = await cluster.watch(widgets.path, 'resourceVersion=1');
    expect(watch.code).toBe(200);
    expect(await watch.next()).toMatchObject({
      type: 'ERROR',
      object: { kind: 'Status', code: 410, reason: 'Expired' },
    });
    expect(await watch.next()).toBeUndefined();
  });

  it('sends the state and marks its end when asked for initial events', async (context) => {
    const { items } = await cluster.get(widgets.path);
    const query = 'sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=30';
    const watch = await cluster.watch(widgets.path, query);
    // Some releases of the real server have this switched off.
    if (cluster.standIn === undefined && watch.code === 422) context.skip();
    const names: string[] = [];
    for (;;) {
      const event = await watch.next();
      if (event?.type === 'BOOKMARK') {
        expect(event.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
        break;
      }
      expect(event?.type).toBe('ADDED');
      names.push(event?.object.metadata.name ?? '');
    }
    expect(names.sort()).toEqual(items.map(({ metadata }) => metadata.name));
    watch.close();
  });
});
