import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  apiVersion,
  customResourceDefinition,
  customResourceKinds,
  srv6ConfigNamespace,
  type Condition,
} from '@waymark/kubernetes-resources';
import { calicoDefinitions, type Grant, type PolicyRule } from '@waymark/kubernetes-stand-in';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../apps/controller/src/testing/eventually.js';
import { openApiServer, type TestApiServer } from '../../packages/kubernetes-stand-in/src/testing/test-api-server.js';
import { startSystem, type StartedSystem } from '../started-system.js';
import { resourcesOf, type Manifest } from './manifests.js';

const account = { kind: 'ServiceAccount', name: 'waymark-controller', namespace: 'waymark' };

/** What the bindings of a folder give to the account of the controller. */
function grantsOf(folder: string): readonly Grant[] {
  const objects = resourcesOf(folder).map(({ object }) => object);
  return objects
    .filter(({ kind }) => kind.endsWith('RoleBinding'))
    .map((binding) => {
      const { roleRef, subjects, metadata } = binding as Manifest & {
        roleRef: { kind: string; name: string };
        subjects: unknown;
      };
      expect(subjects).toEqual([account]);
      const namespace = metadata?.namespace;
      const role = objects.find(
        (object) =>
          object.kind === roleRef.kind &&
          object.metadata?.name === roleRef.name &&
          (roleRef.kind === 'ClusterRole' || object.metadata.namespace === namespace),
      );
      expect(role, `${roleRef.kind} ${roleRef.name}`).toBeDefined();
      return { ...(namespace === undefined ? {} : { namespace }), rules: role?.['rules'] as readonly PolicyRule[] };
    });
}

/** As the stand-in counts calls: `patch srpolicies.waymark.dev/status`. */
function callsAllowedBy(grants: readonly Grant[]): readonly string[] {
  const rules = grants.flatMap((grant) => grant.rules);
  return rules.flatMap(({ apiGroups = [], resources = [], verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => {
        const [plural = '', sub] = resource.split('/');
        const name = `${plural}${group === '' ? '' : `.${group}`}${sub === undefined ? '' : `/${sub}`}`;
        return verbs.map((verb) => `${verb} ${name}`);
      }),
    ),
  );
}

/** Discovery, which everybody may, is no call for a resource. */
function callsFor(server: TestApiServer): readonly string[] {
  return Object.keys(server.calls.counts()).filter((call) => !call.includes('/api'));
}

describe('a controller with the account of deploy/access', () => {
  const granted = {
    hosts: grantsOf('deploy/access/hosts'),
    objects: grantsOf('deploy/access/objects'),
    classes: grantsOf('deploy/access/classes'),
    reading: grantsOf('deploy/access/config-maps-read'),
    writing: grantsOf('deploy/access/config-maps-write'),
  };
  let here: TestApiServer;
  let there: TestApiServer;
  let reading: TestApiServer;
  let writing: TestApiServer;
  let system: StartedSystem;
  let directory: string;

  beforeAll(async () => {
    const ours = customResourceKinds.map(customResourceDefinition);
    here = await openApiServer([...calicoDefinitions, ...ours]);
    there = await openApiServer(calicoDefinitions);
    [reading, writing] = [await openApiServer(calicoDefinitions), await openApiServer(calicoDefinitions)];
    directory = mkdtempSync(join(tmpdir(), 'waymark-access-'));
    // All of them may be one real server.
    for (const server of [reading, writing]) {
      if ((await server.find('v1', 'Namespace', srv6ConfigNamespace)) !== undefined) continue;
      await server.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: srv6ConfigNamespace } });
    }
    const clusters = [
      { name: 'paris', attachedTo: ['FR'], resources: true },
      { name: 'rome', attachedTo: ['IT'], nodeIdPrefix: 'rome-', serviceClasses: true },
      { name: 'vienna', configMaps: 'read' },
      { name: 'london', nodeIdPrefix: 'dc-', configMaps: 'write' },
    ];
    const accounts = [
      [here, granted.objects],
      [there, granted.classes],
      [reading, granted.reading],
      [writing, granted.writing],
    ] as const;
    for (const [i, [server, grants]] of accounts.entries()) {
      const kubeconfig = await server.addUser(account.name, [...granted.hosts, ...grants]);
      writeFileSync(join(directory, String(i)), kubeconfig);
    }
    for (const [server, name, address] of [
      [here, 'paris-1', 'fd11::1'],
      [there, '1', 'fd12::1'],
      [writing, 'london', 'fd00:ffff:1:4::1'], // a host of the demo topology
    ] as const) {
      const status = { addresses: [{ type: 'InternalIP', address }] };
      await server.create({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {}, status });
    }
    const labels = { 'waymark.dev/color': '200' };
    await there.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels } });
    const pod = {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'cart', namespace: 'shop' } },
      spec: { nodeName: '1', containers: [{ name: 'cart', image: 'cart' }] },
      status: { phase: 'Running', podIPs: [{ ip: '10.9.0.7' }] },
    };
    await there.create(pod);
    const file = { clusters: clusters.map((one, i) => ({ ...one, kubeconfig: join(directory, String(i)) })) };
    writeFileSync(join(directory, 'kubernetes.yaml'), JSON.stringify(file));
    system = await startSystem({ WAYMARK_KUBERNETES: join(directory, 'kubernetes.yaml') });
  }, 240_000);

  afterAll(async () => {
    await system.stop();
    for (const server of [here, there, reading, writing]) await server.close();
    rmSync(directory, { recursive: true });
  });

  it('is denied nothing, and has no permission that it does not use', async () => {
    await eventually(async () => {
      const { items } = (await (await fetch(`${system.url}/v1/clusters`)).json()) as { items: readonly object[] };
      expect(items).toMatchObject([
        { name: 'paris', trouble: null },
        { name: 'rome', trouble: null },
        { name: 'vienna', trouble: null },
        { name: 'london', trouble: null },
      ]);
      for (const id of ['paris-1', 'rome-1']) expect((await fetch(`${system.url}/v1/nodes/${id}`)).status).toBe(200);
    }, 60_000);

    await eventually(async () => {
      const { items } = (await (await fetch(`${system.url}/v1/service-classes`)).json()) as {
        items: readonly object[];
      };
      const source = { address: '10.9.0.7', cluster: 'rome', namespace: 'shop', pod: 'cart' };
      expect(items).toMatchObject([{ headend: 'rome-1', color: 200, sources: [source], generation: 1 }]);
    }, 60_000);

    const candidatePaths = [{ discriminator: 1, path: { kind: 'dynamic', metric: 'delay', constraints: {} } }];
    const objects: Readonly<Record<string, object>> = {
      PathProfile: { candidatePaths },
      SRPolicy: { headend: 'dc-london', color: 900, endpoint: 'dc-athens', profile: 'mine' },
      PolicyMesh: { color: 903, selector: { nodes: ['dc-london', 'dc-athens'] }, candidatePaths },
      LinkConstraint: { links: ['UK:FR'], constraints: { adminState: 'drained' } },
    };
    for (const [kind, spec] of Object.entries(objects)) {
      await here.create({ apiVersion, kind, metadata: { name: 'mine' }, spec });
    }
    for (const kind of Object.keys(objects)) {
      await eventually(async () => {
        const status = (await here.find(apiVersion, kind, 'mine'))?.['status'] as
          { conditions?: readonly Condition[] } | undefined;
        expect(status?.conditions?.find(({ type }) => type === 'Accepted')?.status).toBe('True');
      }, 30_000);
    }
    await eventually(async () => {
      const told = (await here.list('v1', 'Event')).map(
        ({ involvedObject }) => (involvedObject as { kind: string }).kind,
      );
      expect(new Set(told)).toEqual(new Set(Object.keys(objects)));
    }, 30_000);
    for (const kind of Object.keys(objects).reverse()) {
      await here.delete(apiVersion, kind, 'mine');
      await eventually(async () => {
        expect(await here.find(apiVersion, kind, 'mine'), kind).toBeUndefined();
      }, 30_000);
    }
    await eventually(() => {
      expect(new Set(callsFor(here))).toEqual(new Set(callsAllowedBy([...granted.hosts, ...granted.objects])));
      expect(new Set(callsFor(there))).toEqual(new Set(callsAllowedBy([...granted.hosts, ...granted.classes])));
    }, 30_000);
  }, 240_000);

  it('reads ConfigMaps with the role for that, and writes them with the other', async () => {
    const wrong = { name: 'srv6-config-nobody', namespace: srv6ConfigNamespace };
    await reading.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: wrong, data: { srv6: 'node: [' } });
    await eventually(async () => {
      const told = await reading.list('v1', 'Event');
      expect(told.map(({ involvedObject }) => (involvedObject as { name: string }).name)).toEqual([wrong.name]);
    }, 30_000);
    await reading.delete('v1', 'ConfigMap', wrong.name, wrong.namespace);

    const policy = '/v1/sr-policies/dc-london:905:dc-athens';
    const path = { kind: 'dynamic', metric: 'delay', constraints: {} };
    const created = await fetch(`${system.url}/v1/sr-policies`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ headend: 'dc-london', endpoint: 'dc-athens', color: 905 },
        candidatePaths: [{ discriminator: 1, preference: 100, path }],
        fallback: 'shortest-path',
      }),
    });
    expect(created.status).toBe(201);
    const written = () => writing.find('v1', 'ConfigMap', 'srv6-config-london', srv6ConfigNamespace);
    await eventually(async () => {
      expect(await written()).toBeDefined();
    }, 30_000);
    const deleted = await fetch(system.url + policy, { method: 'DELETE', headers: { 'if-match': '*' } });
    expect(deleted.status).toBe(204);
    await eventually(async () => {
      expect(await written()).toBeUndefined();
    }, 30_000);
    // A patch that applies an object into being needs `create`, too: it was not there, and came.
    const applied = (call: string) => call !== 'create configmaps';
    await eventually(() => {
      expect(new Set(callsFor(reading))).toEqual(new Set(callsAllowedBy([...granted.hosts, ...granted.reading])));
      const used = callsAllowedBy([...granted.hosts, ...granted.writing]).filter(applied);
      expect(new Set(callsFor(writing))).toEqual(new Set(used));
    }, 30_000);
  }, 120_000);
});
