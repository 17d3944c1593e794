import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ManagedFieldsEntry } from '../model/kube-object.js';
import type { Schema } from '../schema/schema.js';
import { Cluster, type Defined, type Reply, type Shown } from '../testing/cluster.js';

const text: Schema = { type: 'string' };
const SPEC: Schema = {
  type: 'object',
  properties: {
    size: { type: 'integer' },
    colour: text,
    words: { type: 'array', items: text },
    tags: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
    limits: { type: 'object', additionalProperties: { type: 'integer' } },
    point: {
      type: 'object',
      'x-kubernetes-map-type': 'atomic',
      properties: { x: { type: 'integer' }, y: { type: 'integer' } },
    },
    ports: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', required: ['name'], properties: { name: text, port: { type: 'integer' }, note: text } },
    },
  },
};

describe('server-side apply', () => {
  let cluster: Cluster;
  let widgets: Defined;
  beforeAll(async () => {
    cluster = await Cluster.open();
    widgets = await cluster.define({ spec: SPEC, status: { type: 'object', properties: { phase: text } } });
  });
  afterAll(() => cluster.close());

  const apply = (manager: string, name: string, spec: object, more = ''): Promise<Reply> =>
    cluster.apply(`${widgets.path}/${name}`, manager, widgets.object(name, { spec }), more);
  const entryOf = ({ metadata }: Shown, manager: string): ManagedFieldsEntry | undefined =>
    metadata.managedFields?.find((entry) => entry.manager === manager);

  it('creates what is not there, and changes nothing when applied again', async () => {
    const first = await apply('alice', 'created', { size: 1 });
    expect(first).toMatchObject({ code: 201, body: { metadata: { generation: 1 }, spec: { size: 1 } } });
    const again = await apply('alice', 'created', { size: 1 });
    expect(again).toMatchObject({ code: 200, body: first.body });
  });

  it('tells who owns which fields', async () => {
    const spec = {
      size: 1,
      limits: { cpu: 2 },
      point: { x: 1 },
      words: ['a'],
      tags: ['t'],
      ports: [{ name: 'web', port: 80 }],
    };
    const { body } = await apply('alice', 'owned', spec);
    const { apiVersion } = widgets;
    expect(entryOf(body, 'alice')).toMatchObject({
      manager: 'alice',
      operation: 'Apply',
      apiVersion,
      fieldsType: 'FieldsV1',
    });
    expect(entryOf(body, 'alice')?.fieldsV1).toEqual({
      'f:spec': {
        'f:size': {},
        'f:limits': { 'f:cpu': {} },
        'f:point': {},
        'f:words': {},
        'f:tags': { 'v:"t"': {} },
        'f:ports': { 'k:{"name":"web"}': { '.': {}, 'f:name': {}, 'f:port': {} } },
      },
    });
    await cluster.mergePatch(`${widgets.path}/owned?fieldManager=bob`, {
      metadata: { labels: { a: 'b' } },
      spec: { size: 2 },
    });
    const patched = await cluster.get(`${widgets.path}/owned`);
    expect(entryOf(patched, 'bob')).toMatchObject({ operation: 'Update' });
    expect(entryOf(patched, 'bob')?.fieldsV1).toEqual({
      'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } },
      'f:spec': { 'f:size': {} },
    });
    expect(entryOf(patched, 'alice')?.fieldsV1).not.toHaveProperty(['f:spec', 'f:size']);
  });

  it('refuses to change what another manager owns, naming each field, unless forced', async () => {
    await apply('alice', 'disputed', { size: 1, ports: [{ name: 'web', port: 80 }] });
    const refused = await apply('bob', 'disputed', { size: 2, ports: [{ name: 'web', port: 81 }], colour: 'red' });
    expect(refused).toMatchObject({ code: 409, body: { reason: 'Conflict' } });
    const { causes } = refused.body['details'] as { readonly causes: readonly Record<string, string>[] };
    expect(causes).toHaveLength(2);
    expect(causes).toEqual(
      expect.arrayContaining([
        { reason: 'FieldManagerConflict', message: 'conflict with "alice"', field: '.spec.size' },
        { reason: 'FieldManagerConflict', message: 'conflict with "alice"', field: '.spec.ports[name="web"].port' },
      ]),
    );
    expect((await cluster.get(`${widgets.path}/disputed`)).spec).toEqual({
      size: 1,
      ports: [{ name: 'web', port: 80 }],
    });

    const forced = await apply('bob', 'disputed', { size: 2 }, '&force=true');
    expect(forced).toMatchObject({ code: 200, body: { spec: { size: 2 } } });
    expect(entryOf(forced.body, 'alice')?.fieldsV1).not.toHaveProperty(['f:spec', 'f:size']);
    expect(entryOf(forced.body, 'bob')?.fieldsV1).toEqual({ 'f:spec': { 'f:size': {} } });
  });

  it('lets managers share a field that they agree on', async () => {
    await apply('alice', 'shared', { size: 1 });
    expect((await apply('bob', 'shared', { size: 1 })).code).toBe(200);
    const { body } = await apply('alice', 'shared', { colour: 'red' });
    expect(body.spec).toEqual({ size: 1, colour: 'red' });
    expect((await apply('bob', 'shared', { colour: 'red' })).body.spec).toEqual({ colour: 'red' });
  });

  it('removes what its manager no longer applies and nobody else owns', async () => {
    const spec = { size: 1, colour: 'red', limits: { cpu: 1, memory: 2 }, words: ['a'], tags: ['t', 'u'] };
    await apply('alice', 'shrinking', {
      ...spec,
      ports: [
        { name: 'web', port: 80 },
        { name: 'dns', port: 53 },
      ],
    });
    await apply('bob', 'shrinking', { limits: { disk: 3 }, ports: [{ name: 'ssh', port: 22 }] });
    const { body } = await apply('alice', 'shrinking', {
      size: 1,
      limits: { cpu: 1 },
      tags: ['u'],
      ports: [{ name: 'dns', port: 53 }],
    });
    expect(body.spec).toEqual({
      size: 1,
      limits: { cpu: 1, disk: 3 },
      tags: ['u'],
      ports: [
        { name: 'dns', port: 53 },
        { name: 'ssh', port: 22 },
      ],
    });
    const { body: last } = await cluster.apply(`${widgets.path}/shrinking`, 'alice', widgets.object('shrinking'));
    expect(last.spec).toEqual({ limits: { disk: 3 }, ports: [{ name: 'ssh', port: 22 }] });
    expect(entryOf(last, 'alice')).toBeUndefined();
  });

  it('keeps what another manager wrote into an item', async () => {
    await apply('alice', 'annotated', { ports: [{ name: 'web', port: 80 }] });
    const contentType = 'application/json-patch+json';
    const body = [{ op: 'add', path: '/spec/ports/0/note', value: 'busy' }];
    await cluster.call('PATCH', `${widgets.path}/annotated?fieldManager=bob`, { body, contentType });
    const applied = await apply('alice', 'annotated', { ports: [{ name: 'web', port: 81 }] });
    expect(applied.body.spec).toEqual({ ports: [{ name: 'web', port: 81, note: 'busy' }] });
  });

  it('replaces atomic lists and maps whole', async () => {
    await apply('alice', 'atomic', { words: ['a', 'b'], point: { x: 1, y: 2 } });
    const { body } = await apply('alice', 'atomic', { words: ['c'], point: { x: 3 } });
    expect(body.spec).toEqual({ words: ['c'], point: { x: 3 } });
    const conflict = await apply('bob', 'atomic', { point: { y: 1 } });
    expect(
      (conflict.body['details'] as { causes: readonly { field: string }[] }).causes.map(({ field }) => field),
    ).toEqual(['.spec.point']);
  });

  it('writes the status over its subresource only, and each with its own owner', async () => {
    await apply('alice', 'staged', { size: 1 });
    const path = `${widgets.path}/staged`;
    const { body } = await cluster.apply(
      `${path}/status`,
      'alice',
      widgets.object('staged', { spec: { size: 9 }, status: { phase: 'on' } }),
    );
    expect(body).toMatchObject({ spec: { size: 1 }, status: { phase: 'on' } });
    expect(body.metadata.managedFields?.map(({ subresource, fieldsV1 }) => ({ subresource, fieldsV1 }))).toEqual(
      expect.arrayContaining([
        { subresource: undefined, fieldsV1: { 'f:spec': { 'f:size': {} } } },
        { subresource: 'status', fieldsV1: { 'f:status': { 'f:phase': {} } } },
      ]),
    );
    const ignored = await cluster.apply(
      path,
      'alice',
      widgets.object('staged', { spec: { size: 1 }, status: { phase: 'off' } }),
    );
    expect(ignored.body['status']).toEqual({ phase: 'on' });
    const missing = await cluster.apply(
      `${widgets.path}/nothing/status`,
      'alice',
      widgets.object('nothing', { status: {} }),
    );
    expect(missing.code).toBe(404);
  });

  it('refuses a stale resourceVersion, a configuration with owners, and one without a manager', async () => {
    const { body } = await apply('alice', 'checked', { size: 1 });
    await cluster.mergePatch(`${widgets.path}/checked`, { spec: { colour: 'red' } });
    const path = `${widgets.path}/checked`;
    const stale = {
      ...widgets.object('checked'),
      metadata: { name: 'checked', resourceVersion: body.metadata.resourceVersion },
      spec: { size: 2 },
    };
    expect((await cluster.apply(path, 'alice', stale)).code).toBe(409);
    const owned = {
      ...widgets.object('checked'),
      metadata: { name: 'checked', managedFields: body.metadata.managedFields },
    };
    expect((await cluster.apply(path, 'alice', owned)).code).toBe(400);
    const contentType = 'application/apply-patch+yaml';
    expect((await cluster.call('PATCH', path, { body: widgets.object('checked'), contentType })).code).toBe(422);
  });

  it('refuses fields that the schema does not know, and reads YAML', async () => {
    expect((await apply('alice', 'unknown', { colur: 'red' })).code).toBeGreaterThanOrEqual(400);
    const yaml = `apiVersion: ${widgets.apiVersion}\nkind: Widget\nmetadata: {name: written}\nspec:\n  size: 3\n`;
    expect((await cluster.apply(`${widgets.path}/written`, 'alice', yaml)).body.spec).toEqual({ size: 3 });
  });
});
