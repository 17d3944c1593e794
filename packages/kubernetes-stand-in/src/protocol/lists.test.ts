import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster, type Defined } from '../testing/cluster.js';

const NAMES = ['a', 'b', 'c', 'd', 'e'];

describe('lists', () => {
  let cluster: Cluster;
  let widgets: Defined;
  beforeAll(async () => {
    cluster = await Cluster.open();
    widgets = await cluster.define({ spec: { type: 'object', properties: { size: { type: 'integer' } } } });
    for (const [index, name] of NAMES.entries()) {
      const labels = { odd: String(index % 2 === 1), [name]: 'yes' };
      await cluster.post(widgets.path, { ...widgets.object(name), metadata: { name, labels } });
    }
  });
  afterAll(() => cluster.close());

  const names = async (query: string): Promise<readonly string[]> =>
    (await cluster.get(`${widgets.path}?${query}`)).items.map(({ metadata }) => metadata.name);

  it('tell their kind and the resourceVersion that they show', async () => {
    const list = await cluster.get(widgets.path);
    expect(list).toMatchObject({ kind: 'WidgetList', apiVersion: widgets.apiVersion });
    expect(list.items[0]).toMatchObject({ kind: 'Widget', apiVersion: widgets.apiVersion });
    const newest = Math.max(...list.items.map(({ metadata }) => Number(metadata.resourceVersion)));
    expect(Number(list.metadata.resourceVersion)).toBeGreaterThanOrEqual(newest);
  });

  it.each([
    ['odd=true', ['b', 'd']],
    ['odd!=true', ['a', 'c', 'e']],
    ['odd in (true,false),a', ['a']],
    ['odd notin (true)', ['a', 'c', 'e']],
    ['!a,!b', ['c', 'd', 'e']],
    ['odd==false,c', ['c']],
  ])('select by label: %s', async (selector, expected) => {
    expect(await names(`labelSelector=${encodeURIComponent(selector)}`)).toEqual(expected);
  });

  it('select by name, and refuse fields that cannot be selected by', async () => {
    expect(await names('fieldSelector=metadata.name%3Dc')).toEqual(['c']);
    expect(await names('fieldSelector=metadata.name!%3Dc')).toEqual(['a', 'b', 'd', 'e']);
    expect((await cluster.call('GET', `${widgets.path}?fieldSelector=spec.size%3D1`)).code).toBe(400);
    expect((await cluster.call('GET', `${widgets.path}?labelSelector=%3D%3D`)).code).toBe(400);
  });

  it('come in pages that show one state, whatever is written between them', async () => {
    const first = await cluster.get(`${widgets.path}?limit=2`);
    expect(first.metadata.remainingItemCount).toBe(3);
    await cluster.post(widgets.path, widgets.object('bb'));
    const page = (token = ''): string => `${widgets.path}?limit=2&continue=${encodeURIComponent(token)}`;
    const second = await cluster.get(page(first.metadata.continue));
    const third = await cluster.get(page(second.metadata.continue));
    const all = [first, second, third].flatMap(({ items }) => items.map(({ metadata }) => metadata.name));
    expect(all).toEqual(NAMES);
    expect(third.metadata.continue ?? '').toBe('');
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    await cluster.call('DELETE', `${widgets.path}/bb`);
  });

  it('show the state of a resourceVersion that is asked for exactly', async () => {
    const { metadata } = await cluster.get(widgets.path);
    await cluster.post(widgets.path, widgets.object('later'));
    await cluster.mergePatch(`${widgets.path}/a`, { spec: { size: 5 } });
    const { items } = await cluster.get(
      `${widgets.path}?resourceVersionMatch=Exact&resourceVersion=${metadata.resourceVersion}`,
    );
    expect(items.map((item) => item.metadata.name)).toEqual(NAMES);
    expect(items[0]?.spec).toBeUndefined();
    await cluster.call('DELETE', `${widgets.path}/later`);
  });

  it('do not go back behind a resourceVersion, and refuse one that was never given', async () => {
    const { metadata } = await cluster
      .mergePatch(`${widgets.path}/a`, { metadata: { labels: { new: 'yes' } } })
      .then(({ body }) => body);
    const { items } = await cluster.get(`${widgets.path}?resourceVersion=${metadata.resourceVersion}`);
    expect(items[0]?.metadata.labels).toHaveProperty('new');
    const future = String(Number(metadata.resourceVersion) + 1_000_000_000);
    const refused = await cluster.call(
      'GET',
      `${widgets.path}?resourceVersion=${future}&resourceVersionMatch=NotOlderThan`,
    );
    expect(refused).toMatchObject({ code: 504, body: { reason: 'Timeout' } });
    expect(refused.body.message).toContain('Too large resource version');
  });

  it('show metadata alone when that is asked for', async () => {
    const accept = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
    const { body } = await cluster.call('GET', widgets.path, { accept });
    expect(body).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' });
    expect(body.items[0]).toMatchObject({ metadata: { name: 'a' } });
    expect(body.items[0]?.spec).toBeUndefined();
  });

  it('span all namespaces at the collection above them', async () => {
    const { items } = await cluster.get(`/apis/${widgets.apiVersion}/widgets`);
    expect(items.map(({ metadata }) => metadata.namespace)).toEqual(NAMES.map(() => cluster.namespace));
  });
});
