import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  apiVersion,
  customResourceDefinition,
  customResourceKinds,
  type Condition,
} from '@waymark/kubernetes-resources';
import {
  calicoDefinitions,
  startApiServer,
  type ApiServer,
  type Grant,
  type PolicyRule,
} from '@waymark/kubernetes-stand-in';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../apps/controller/src/testing/eventually.js';
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
function callsFor(server: ApiServer): readonly string[] {
  return Object.keys(server.calls.counts()).filter((call) => !call.includes('/api'));
}

describe('a controller with the account of deploy/access', () => {
  const granted = {
    hosts: grantsOf('deploy/access/hosts'),
    objects: grantsOf('deploy/access/objects'),
    classes: grantsOf('deploy/access/classes'),
  };
  let here: ApiServer;
  let there: ApiServer;
  let system: StartedSystem;
  let directory: string;

  beforeAll(async () => {
    const ours = customResourceKinds.map(customResourceDefinition);
    here = await startApiServer({ definitions: [...calicoDefinitions, ...ours] });
    there = await startApiServer({ definitions: calicoDefinitions });
    directory = mkdtempSync(join(tmpdir(), 'waymark-access-'));
    writeFileSync(join(directory, 'here'), here.addUser(account.name, [...granted.hosts, ...granted.objects]));
    writeFileSync(join(directory, 'there'), there.addUser(account.name, [...granted.hosts, ...granted.classes]));
    const clusters = [
      { name: 'paris', kubeconfig: join(directory, 'here'), attachedTo: ['FR'], resources: true },
      {
        name: 'rome',
        kubeconfig: join(directory, 'there'),
        attachedTo: ['IT'],
        nodeIdPrefix: 'rome-',
        serviceClasses: true,
      },
    ];
    for (const [server, name, address] of [
      [here, 'paris-1', 'fd11::1'],
      [there, '1', 'fd12::1'],
    ] as const) {
      const status = { addresses: [{ type: 'InternalIP', address }] };
      server.create({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {}, status });
    }
    const labels = { 'waymark.dev/color': '200' };
    there.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels } });
    const pod = {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'cart', namespace: 'shop' } },
      spec: { nodeName: '1', containers: [{ name: 'cart', image: 'cart' }] },
      status: { phase: 'Running', podIPs: [{ ip: '10.9.0.7' }] },
    };
    there.create(pod);
    there.replace(pod, 'status');
    writeFileSync(join(directory, 'kubernetes.yaml'), JSON.stringify({ clusters }));
    system = await startSystem({ WAYMARK_KUBERNETES: join(directory, 'kubernetes.yaml') });
  }, 240_000);

  afterAll(async () => {
    await system.stop();
    await Promise.all([here.close(), there.close()]);
    rmSync(directory, { recursive: true });
  });

  it('is denied nothing, and has no permission that it does not use', async () => {
    await eventually(async () => {
      const { items } = (await (await fetch(`${system.url}/v1/clusters`)).json()) as { items: readonly object[] };
      expect(items).toMatchObject([
        { name: 'paris', trouble: null },
        { name: 'rome', trouble: null },
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
      here.create({ apiVersion, kind, metadata: { name: 'mine' }, spec });
    }
    for (const kind of Object.keys(objects)) {
      await eventually(() => {
        const status = here.find(apiVersion, kind, 'mine')?.['status'] as
          { conditions?: readonly Condition[] } | undefined;
        expect(status?.conditions?.find(({ type }) => type === 'Accepted')?.status).toBe('True');
      }, 30_000);
    }
    await eventually(() => {
      const told = here.list('v1', 'Event').map(({ involvedObject }) => (involvedObject as { kind: string }).kind);
      expect(new Set(told)).toEqual(new Set(Object.keys(objects)));
    }, 30_000);
    for (const kind of Object.keys(objects).reverse()) {
      here.delete(apiVersion, kind, 'mine');
      await eventually(() => {
        expect(here.find(apiVersion, kind, 'mine'), kind).toBeUndefined();
      }, 30_000);
    }
    await eventually(() => {
      expect(new Set(callsFor(here))).toEqual(new Set(callsAllowedBy([...granted.hosts, ...granted.objects])));
      expect(new Set(callsFor(there))).toEqual(new Set(callsAllowedBy([...granted.hosts, ...granted.classes])));
    }, 30_000);
  }, 240_000);
});
