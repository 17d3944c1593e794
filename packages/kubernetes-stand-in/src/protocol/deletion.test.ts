import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster, type Defined, type Shown } from '../testing/cluster.js';

describe('deletion', () => {
  let cluster: Cluster;
  let widgets: Defined;
  beforeAll(async () => {
    cluster = await Cluster.open();
    widgets = await cluster.define({ spec: { type: 'object', properties: { size: { type: 'integer' } } } });
  });
  afterAll(() => cluster.close());

  const at = (name: string): string => `${widgets.path}/${name}`;
  const create = (name: string, metadata: object = {}): Promise<Shown> =>
    cluster.post(widgets.path, { ...widgets.object(name), metadata: { name, ...metadata } });
  const finalizers = ['conformance.test/hold', 'conformance.test/wait'];

  it('is answered with a Status, and then the object is not found', async () => {
    const { metadata } = await create('plain');
    const { code, body } = await cluster.call('DELETE', at('plain'));
    expect(code).toBe(200);
    expect(body).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { name: 'plain', kind: 'widgets', uid: metadata.uid },
    });
    const gone = await cluster.call('GET', at('plain'));
    expect(gone).toMatchObject({
      code: 404,
      body: { reason: 'NotFound', details: { name: 'plain', kind: 'widgets' } },
    });
    expect((await cluster.call('DELETE', at('plain'))).code).toBe(404);
  });

  it('waits for finalizers, and ends with the last of them', async () => {
    const made = await create('held', { finalizers });
    const watch = await cluster.watch(
      widgets.path,
      `resourceVersion=${made.metadata.resourceVersion}&timeoutSeconds=30`,
    );
    const { code, body } = await cluster.call('DELETE', at('held'));
    expect(code).toBe(200);
    expect(body).toMatchObject({
      kind: 'Widget',
      metadata: { name: 'held', deletionGracePeriodSeconds: 0, generation: 2 },
    });
    expect(body.metadata.deletionTimestamp).toMatch(/Z$/);
    expect((await cluster.call('DELETE', at('held'))).body.metadata.resourceVersion).toBe(
      body.metadata.resourceVersion,
    );

    const added = await cluster.mergePatch(at('held'), {
      metadata: { finalizers: [...finalizers, 'conformance.test/more'] },
    });
    expect(added).toMatchObject({ code: 422, body: { reason: 'Invalid' } });
    await cluster.mergePatch(at('held'), { metadata: { finalizers: finalizers.slice(1) } });
    expect((await cluster.get(at('held'))).metadata.finalizers).toEqual(finalizers.slice(1));
    await cluster.mergePatch(at('held'), { metadata: { finalizers: [] } });
    expect((await cluster.call('GET', at('held'))).code).toBe(404);
    expect([await watch.change(), await watch.change(), await watch.change()].map((event) => event?.type)).toEqual([
      'MODIFIED',
      'MODIFIED',
      'DELETED',
    ]);
    watch.close();
  });

  it('gives a name free for a new object with a new uid', async () => {
    const first = await create('again');
    await cluster.call('DELETE', at('again'));
    const second = await create('again');
    expect(second.metadata.uid).not.toBe(first.metadata.uid);
  });

  it('is refused when a precondition does not hold', async () => {
    const { metadata } = await create('guarded');
    const wrong = [{ uid: '00000000-0000-0000-0000-000000000000' }, { resourceVersion: '1' }];
    for (const preconditions of wrong)
      expect((await cluster.call('DELETE', at('guarded'), { body: { preconditions } })).code).toBe(409);
    const preconditions = { uid: metadata.uid, resourceVersion: metadata.resourceVersion };
    expect((await cluster.call('DELETE', at('guarded'), { body: { preconditions } })).code).toBe(200);
  });

  it('of a collection takes what the selector selects', async () => {
    for (const side of ['left', 'right']) for (const n of [1, 2]) await create(`${side}-${n}`, { labels: { side } });
    const { code } = await cluster.call('DELETE', `${widgets.path}?labelSelector=side%3Dleft`);
    expect(code).toBe(200);
    const { items } = await cluster.get(`${widgets.path}?labelSelector=side`);
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['right-1', 'right-2']);
  });
});
