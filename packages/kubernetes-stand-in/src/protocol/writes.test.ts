import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { without } from '../model/kube-object.js';
import { Cluster, type Defined, type Shown } from '../testing/cluster.js';

describe('writes', () => {
  let cluster: Cluster;
  let widgets: Defined;
  const at = (name: string): string => `${widgets.path}/${name}`;
  beforeAll(async () => {
    cluster = await Cluster.open();
    const status = { type: 'object', properties: { ready: { type: 'boolean' } } } as const;
    const spec = {
      type: 'object',
      properties: { size: { type: 'integer' }, list: { type: 'array', items: { type: 'string' } } },
    } as const;
    widgets = await cluster.define({ spec, status });
  });
  afterAll(() => cluster.close());

  const create = (name: string, fields: object = { spec: { size: 1 } }): Promise<Shown> =>
    cluster.post(widgets.path, widgets.object(name, fields));

  it('fill in what the server keeps: uid, time, generation, resourceVersion', async () => {
    const { metadata } = await create('filled');
    expect(metadata).toMatchObject({ name: 'filled', namespace: cluster.namespace, generation: 1 });
    expect(metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(Number(metadata.resourceVersion)).toBeGreaterThan(0);
  });

  it('make a name where only its beginning is given', async () => {
    const { metadata } = await cluster.post(widgets.path, {
      ...widgets.object('x'),
      metadata: { generateName: 'some-' },
    });
    expect(metadata.name).toMatch(/^some-[a-z0-9]{5}$/);
  });

  it('refuse a second object of the name, and one in a namespace that is not there', async () => {
    await create('twice');
    const again = await cluster.call('POST', widgets.path, { body: widgets.object('twice') });
    expect(again).toMatchObject({
      code: 409,
      body: { reason: 'AlreadyExists', details: { name: 'twice', kind: 'widgets', group: widgets.group } },
    });
    const path = `/apis/${widgets.apiVersion}/namespaces/no-such-namespace/widgets`;
    const body = { ...widgets.object('x'), metadata: { name: 'x' } };
    expect(await cluster.call('POST', path, { body })).toMatchObject({ code: 404, body: { reason: 'NotFound' } });
  });

  it('refuse to replace what was changed meanwhile', async () => {
    const first = await create('contended');
    const second = await cluster.put(at('contended'), { ...first, spec: { size: 2 } });
    const stale = await cluster.call('PUT', at('contended'), { body: { ...first, spec: { size: 3 } } });
    expect(stale).toMatchObject({
      code: 409,
      body: { kind: 'Status', reason: 'Conflict', details: { name: 'contended' } },
    });
    expect(stale.body.message).toContain('the object has been modified');
    const patch = { metadata: { resourceVersion: first.metadata.resourceVersion }, spec: { size: 4 } };
    expect((await cluster.mergePatch(at('contended'), patch)).code).toBe(409);
    expect(await cluster.get(at('contended'))).toEqual(second);
  });

  it('refuse to replace a custom object without its resourceVersion, or with the uid of another', async () => {
    const made = await create('blind');
    const metadata = without(made.metadata, 'resourceVersion');
    expect((await cluster.call('PUT', at('blind'), { body: { ...made, metadata } })).code).toBe(422);
    const other = { ...made, metadata: { ...made.metadata, uid: '00000000-0000-0000-0000-000000000000' } };
    expect((await cluster.call('PUT', at('blind'), { body: other })).code).toBe(409);
  });

  it('count a generation for a change of the spec, and for nothing else', async () => {
    await create('counted');
    const generation = async (patch: object): Promise<number | undefined> =>
      (await cluster.mergePatch(at('counted'), patch)).body.metadata.generation;
    expect(await generation({ metadata: { labels: { a: 'b' } } })).toBe(1);
    expect(await generation({ spec: { size: 2 } })).toBe(2);
    const status = await cluster.mergePatch(`${at('counted')}/status`, { status: { ready: true } });
    expect(status.body.metadata.generation).toBe(2);
  });

  it('change nothing, not even the resourceVersion, when nothing differs', async () => {
    const made = await create('same');
    expect((await cluster.put(at('same'), made)).metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    expect((await cluster.mergePatch(at('same'), { spec: { size: 1 } })).body).toEqual(made);
  });

  it('keep status and the rest apart', async () => {
    const made = await create('apart', { spec: { size: 1 }, status: { ready: true } });
    expect(made.status).toBeUndefined();
    const both = { spec: { size: 9 }, status: { ready: true } };
    const whole = (await cluster.mergePatch(at('apart'), both)).body;
    expect(whole.spec).toEqual({ size: 9 });
    expect(whole.status).toBeUndefined();
    const body = { ...whole, spec: { size: 100 }, status: { ready: true } };
    const part = await cluster.put(`${at('apart')}/status`, body);
    expect(part).toMatchObject({ spec: { size: 9 }, status: { ready: true } });
    expect(await cluster.get(`${at('apart')}/status`)).toEqual(part);
    const replaced = await cluster.put(at('apart'), { ...part, spec: { size: 10 }, status: undefined });
    expect(replaced).toMatchObject({ spec: { size: 10 }, status: { ready: true } });
  });

  it('take JSON patches, and refuse them whole when a test fails', async () => {
    await create('patched', { spec: { size: 1, list: ['a'] } });
    const contentType = 'application/json-patch+json';
    const add = [{ op: 'add', path: '/spec/list/-', value: 'b' }];
    const patched = await cluster.call('PATCH', at('patched'), { body: add, contentType });
    expect(patched).toMatchObject({ code: 200, body: { spec: { list: ['a', 'b'] } } });
    const failing = [...add, { op: 'test', path: '/spec/size', value: 7 }];
    expect((await cluster.call('PATCH', at('patched'), { body: failing, contentType })).code).toBe(422);
    expect((await cluster.get(at('patched'))).spec?.['list']).toEqual(['a', 'b']);
  });

  it('take merge patches, where null removes', async () => {
    await create('merged', { spec: { size: 1, list: ['a'] } });
    const { body } = await cluster.mergePatch(at('merged'), { spec: { list: null } });
    expect(body.spec).toEqual({ size: 1 });
  });

  it('take strategic merge patches of built-in kinds only', async () => {
    const contentType = 'application/strategic-merge-patch+json';
    const path = `/api/v1/namespaces/${cluster.namespace}/services`;
    const ports = [{ name: 'web', port: 80 }];
    await cluster.post(path, { metadata: { name: 'served', finalizers: ['conformance.test/a'] }, spec: { ports } });
    const patch = async (body: object): Promise<Shown> =>
      (await cluster.call('PATCH', `${path}/served`, { body, contentType })).body;
    const added = await patch({
      metadata: { labels: { a: 'b' }, finalizers: ['conformance.test/b'] },
      spec: { ports: [{ port: 53, name: 'dns' }] },
    });
    expect(added.spec?.['ports']).toMatchObject(
      expect.arrayContaining([{ port: 80 }, { port: 53 }].map((port) => expect.objectContaining(port) as unknown)),
    );
    expect(added.metadata.finalizers).toEqual(['conformance.test/b', 'conformance.test/a']);
    const removed = await patch({
      metadata: { labels: null, finalizers: null },
      spec: { ports: [{ port: 53, $patch: 'delete' }] },
    });
    expect(removed.spec?.['ports']).toMatchObject([{ name: 'web', port: 80 }]);
    expect(removed.metadata.labels).toBeUndefined();
    await create('strategic');
    expect((await cluster.call('PATCH', at('strategic'), { body: {}, contentType })).code).toBe(415);
  });

  it('keep nothing of a dry run', async () => {
    const dry = await cluster.call('POST', `${widgets.path}?dryRun=All`, { body: widgets.object('dry') });
    expect(dry).toMatchObject({ code: 201, body: { metadata: { name: 'dry' } } });
    expect((await cluster.call('GET', at('dry'))).code).toBe(404);
    const made = await create('dry-too');
    const path = `${at('dry-too')}?dryRun=All`;
    expect((await cluster.mergePatch(path, { spec: { size: 5 } })).body.spec?.['size']).toBe(5);
    await cluster.call('DELETE', path);
    expect(await cluster.get(at('dry-too'))).toEqual(made);
  });

  it('refuse what names another kind, version or object', async () => {
    const made = await create('named');
    for (const wrong of [{ apiVersion: 'v1' }, { metadata: { ...made.metadata, name: 'other' } }])
      expect((await cluster.call('PUT', at('named'), { body: { ...made, ...wrong } })).code).toBe(400);
    for (const [method, path] of [
      ['PUT', at('named')],
      ['POST', widgets.path],
    ] as const) {
      const reply = await cluster.call(method, path, { body: { ...made, kind: 'Gadget' } });
      expect(reply).toMatchObject({ code: 422, body: { details: { causes: [{ field: 'kind' }] } } });
    }
    const map = { apiVersion: 'v1', kind: 'Gadget', metadata: { name: 'map' } };
    const maps = `/api/v1/namespaces/${cluster.namespace}/configmaps`;
    expect((await cluster.call('POST', maps, { body: map })).code).toBe(400);
  });

  it('drop unknown fields with a warning, silently, or not at all, as asked', async () => {
    const body = (name: string): object => widgets.object(name, { spec: { size: 1, colour: 'red' } });
    const warned = await cluster.call('POST', widgets.path, { body: body('warned') });
    expect(warned.body.spec).toEqual({ size: 1 });
    expect(warned.headers['warning']).toContain('unknown field \\"spec.colour\\"');
    const silent = await cluster.call('POST', `${widgets.path}?fieldValidation=Ignore`, { body: body('silent') });
    expect(silent.body.spec).toEqual({ size: 1 });
    expect(silent.headers['warning']).toBeUndefined();
    const strict = await cluster.call('POST', `${widgets.path}?fieldValidation=Strict`, { body: body('strict') });
    expect(strict).toMatchObject({ code: 400, body: { reason: 'BadRequest' } });
    expect(strict.body.message).toContain('unknown field "spec.colour"');
  });

  it('serve built-in kinds', async () => {
    const path = `/api/v1/namespaces/${cluster.namespace}/configmaps`;
    const made = await cluster.post(path, { metadata: { name: 'settings' }, data: { a: '1' } });
    expect(made).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { a: '1' } });
    const metadata = without(made.metadata, 'resourceVersion');
    const replaced = await cluster.put(`${path}/settings`, { ...made, metadata, data: { b: '2' } });
    expect(replaced.data).toEqual({ b: '2' });
  });
});
