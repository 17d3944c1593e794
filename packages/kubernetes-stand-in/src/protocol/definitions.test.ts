import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Schema } from '../schema/schema.js';
import { Cluster, DEFINITIONS, definitionOf, type Defined, type Reply } from '../testing/cluster.js';

const text: Schema = { type: 'string' };
const SPEC: Schema = {
  type: 'object',
  required: ['size'],
  properties: {
    size: { type: 'integer', minimum: 1, maximum: 10 },
    ratio: { type: 'number', minimum: 0, exclusiveMinimum: true },
    colour: { type: 'string', enum: ['red', 'green'], default: 'green' },
    code: { type: 'string', pattern: '^[a-z]{3}$', maxLength: 3 },
    names: { type: 'array', items: text, maxItems: 2, 'x-kubernetes-list-type': 'set' },
    port: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    inner: { type: 'object', default: {}, properties: { depth: { type: 'integer', default: 7 } } },
    maybe: { type: 'string', nullable: true },
    rules: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: {
        type: 'object',
        required: ['name'],
        properties: { name: text, weight: { type: 'integer', default: 1 } },
      },
    },
  },
};

describe('definitions', () => {
  let cluster: Cluster;
  let widgets: Defined;
  beforeAll(async () => {
    cluster = await Cluster.open();
    const columns = [
      { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
      { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
      { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    ];
    const conditions: Schema = { type: 'array', items: { type: 'object', properties: { type: text, status: text } } };
    widgets = await cluster.define({
      spec: SPEC,
      status: { type: 'object', properties: { conditions } },
      version: { additionalPrinterColumns: columns },
    });
  });
  afterAll(() => cluster.close());

  const create = (name: string, spec: object): Promise<Reply> =>
    cluster.call('POST', widgets.path, { body: widgets.object(name, { spec }) });

  it('are served once they are established', async () => {
    const definition = await cluster.get(`${DEFINITIONS}/widgets.${widgets.group}`);
    expect(definition['status']).toMatchObject({
      acceptedNames: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      conditions: expect.arrayContaining([
        expect.objectContaining({ type: 'NamesAccepted', status: 'True' }),
        expect.objectContaining({ type: 'Established', status: 'True' }),
      ]) as unknown,
      storedVersions: ['v1'],
    });
    const discovered = await cluster.get(`/apis/${widgets.apiVersion}`);
    expect(discovered).toMatchObject({ kind: 'APIResourceList', groupVersion: widgets.apiVersion });
    expect(discovered['resources']).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'widgets', kind: 'Widget', namespaced: true, shortNames: ['wd'] }),
        expect.objectContaining({ name: 'widgets/status', kind: 'Widget' }),
      ]),
    );
    const { groups } = (await cluster.get('/apis')) as unknown as {
      readonly groups: readonly { readonly name: string }[];
    };
    expect(groups.map(({ name }) => name)).toContain(widgets.group);
  });

  it('fill in defaults, deep ones too', async () => {
    const { code, body } = await create('defaulted', { size: 1, rules: [{ name: 'a' }] });
    expect(code).toBe(201);
    expect(body.spec).toEqual({ size: 1, colour: 'green', inner: { depth: 7 }, rules: [{ name: 'a', weight: 1 }] });
  });

  it('prune what they do not name, but where all is kept', async () => {
    const { body } = await create('pruned', {
      size: 1,
      extra: 1,
      inner: { extra: 1 },
      free: { any: [1] },
      rules: [{ name: 'a', extra: 1 }],
    });
    expect(body.spec).toMatchObject({
      size: 1,
      inner: { depth: 7 },
      free: { any: [1] },
      rules: [{ name: 'a', weight: 1 }],
    });
    expect(JSON.stringify(body.spec)).not.toContain('extra');
  });

  it('refuse what a closed map has', async () => {
    const closed = await cluster.define({ spec: { type: 'object', additionalProperties: false } });
    const { code, body } = await cluster.call('POST', closed.path, { body: closed.object('full', { spec: { a: 1 } }) });
    expect(code).toBe(422);
    expect(body.message).toContain('spec.a in body is a forbidden property');
    await cluster.post(closed.path, closed.object('empty', { spec: {} }));
  });

  it('take null where it is allowed, and either of integer and text', async () => {
    expect((await create('loose', { size: 1, maybe: null, port: 80 })).body.spec).toMatchObject({
      maybe: null,
      port: 80,
    });
    expect((await create('loose-too', { size: 1, port: 'http' })).code).toBe(201);
  });

  it.each([
    ['spec.size', 'FieldValueRequired', {}],
    ['spec.size', 'FieldValueInvalid', { size: 11 }],
    ['spec.size', 'FieldValueTypeInvalid', { size: 'big' }],
    ['spec.ratio', 'FieldValueInvalid', { size: 1, ratio: 0 }],
    ['spec.colour', 'FieldValueNotSupported', { size: 1, colour: 'blue' }],
    ['spec.code', 'FieldValueInvalid', { size: 1, code: 'AB' }],
    ['spec.names', 'FieldValueTooMany', { size: 1, names: ['a', 'b', 'c'] }],
    ['spec.names[1]', 'FieldValueDuplicate', { size: 1, names: ['a', 'a'] }],
    ['spec.rules[1]', 'FieldValueDuplicate', { size: 1, rules: [{ name: 'a' }, { name: 'a' }] }],
    ['spec.rules[0].name', 'FieldValueRequired', { size: 1, rules: [{ weight: 2 }] }],
  ])('refuse a wrong %s: %s', async (field, reason, spec) => {
    const { code, body } = await create('wrong', spec);
    expect(code).toBe(422);
    expect(body).toMatchObject({
      kind: 'Status',
      status: 'Failure',
      reason: 'Invalid',
      details: { name: 'wrong', kind: 'Widget' },
    });
    const { causes } = body['details'] as {
      readonly causes: readonly { readonly field: string; readonly reason: string }[];
    };
    expect(causes.map((cause) => `${cause.field} ${cause.reason}`)).toContain(`${field} ${reason}`);
    expect(body.message).toContain(`Widget.${widgets.group} "wrong" is invalid: `);
  });

  it('hold objects to their rules, and changes to the rules about changes', async () => {
    const ruled = await cluster.define({
      spec: {
        type: 'object',
        properties: {
          low: { type: 'integer' },
          high: { type: 'integer' },
          fixed: {
            type: 'string',
            'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'cannot be changed' }],
          },
          prefix: {
            type: 'string',
            maxLength: 50,
            'x-kubernetes-validations': [{ rule: 'isCIDR(self) && cidr(self).ip().family() == 6' }],
          },
        },
        'x-kubernetes-validations': [
          { rule: '!has(self.low) || !has(self.high) || self.low <= self.high', message: 'low is above high' },
        ],
      },
    });
    const post = (name: string, spec: object): Promise<Reply> =>
      cluster.call('POST', ruled.path, { body: ruled.object(name, { spec }) });
    const crossed = await post('crossed', { low: 2, high: 1 });
    expect(crossed).toMatchObject({ code: 422, body: { details: { causes: [{ field: 'spec' }] } } });
    expect(crossed.body.message).toContain('low is above high');
    expect((await post('v4', { prefix: '10.0.0.0/8' })).code).toBe(422);
    expect((await post('right', { low: 1, high: 1, fixed: 'a', prefix: 'fd00::/8' })).code).toBe(201);
    expect((await cluster.mergePatch(`${ruled.path}/right`, { spec: { high: 3 } })).code).toBe(200);
    const changed = await cluster.mergePatch(`${ruled.path}/right`, { spec: { fixed: 'b' } });
    expect(changed).toMatchObject({ code: 422, body: { details: { causes: [{ field: 'spec.fixed' }] } } });
  });

  it('show their columns in tables', async () => {
    await create('shown', { size: 4 });
    await cluster.mergePatch(`${widgets.path}/shown/status`, {
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    });
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
    const { body } = await cluster.call('GET', `${widgets.path}?fieldSelector=metadata.name%3Dshown`, { accept });
    expect(body).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' });
    const columns = body['columnDefinitions'] as readonly { readonly name: string }[];
    expect(columns.map(({ name }) => name)).toEqual(['Name', 'Size', 'Ready', 'Age']);
    const [row] = body['rows'] as readonly { readonly cells: readonly unknown[]; readonly object: object }[];
    expect(row?.cells).toEqual(['shown', 4, 'True', expect.stringMatching(/^\d+s$/)]);
    expect(row?.object).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'shown' } });
  });

  const refused = async (spec: Schema, version: object = {}): Promise<readonly string[]> => {
    const body = definitionOf('bad.conformance.test', spec, { type: 'object' }, version);
    const reply = await cluster.call('POST', `${DEFINITIONS}?dryRun=All`, { body });
    expect(reply.code).toBe(422);
    const { causes } = reply.body['details'] as { readonly causes: readonly { readonly field: string }[] };
    return causes.map(({ field }) =>
      field.replace('spec.versions[0].schema.openAPIV3Schema.', '').replace('spec.validation.openAPIV3Schema.', ''),
    );
  };

  it.each<[string, Schema, string]>([
    ['a field without a type', { type: 'object', properties: { a: {} } }, 'properties[spec].properties[a].type'],
    [
      'a list without items',
      { type: 'object', properties: { a: { type: 'array' } } },
      'properties[spec].properties[a].items',
    ],
    [
      'a type inside a choice',
      { type: 'string', anyOf: [{ type: 'string', pattern: 'a' }] },
      'properties[spec].anyOf[0].type',
    ],
    [
      'a rule that is no CEL',
      { type: 'object', 'x-kubernetes-validations': [{ rule: 'self.a >' }] },
      'properties[spec].x-kubernetes-validations[0].rule',
    ],
    ['unique items', { type: 'array', items: text, uniqueItems: true }, 'properties[spec].uniqueItems'],
    [
      'a default that the schema refuses',
      { type: 'object', properties: { a: { type: 'integer', maximum: 1, default: 2 } } },
      'properties[spec].properties[a].default',
    ],
    [
      'map keys that are no fields',
      {
        type: 'array',
        items: { type: 'object' },
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      },
      'properties[spec].x-kubernetes-list-map-keys',
    ],
  ])('are refused with %s', async (_, spec, field) => {
    const fields = await refused(spec);
    expect(fields.some((found) => found.startsWith(field))).toBe(true);
  });

  it('are refused when they do not have the name of their group and plural', async () => {
    const body = {
      ...definitionOf('bad.conformance.test', SPEC, { type: 'object' }),
      metadata: { name: 'gadgets.bad.conformance.test' },
    };
    expect(await cluster.call('POST', DEFINITIONS, { body })).toMatchObject({ code: 422, body: { reason: 'Invalid' } });
  });

  it('take their objects with them', async () => {
    const gone = await cluster.define({ spec: { type: 'object' } });
    await cluster.post(gone.path, gone.object('last'));
    const watch = await cluster.watch(gone.path, 'timeoutSeconds=30');
    expect(await watch.change()).toMatchObject({ type: 'ADDED' });
    await cluster.call('DELETE', `${DEFINITIONS}/widgets.${gone.group}`);
    expect(await watch.change()).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'last' } } });
    watch.close();
    await expect.poll(async () => (await cluster.call('GET', gone.path)).code, { timeout: 20_000 }).toBe(404);
  });
});
