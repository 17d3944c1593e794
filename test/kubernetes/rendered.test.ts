import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { settingNames } from '../../apps/controller/src/config.js';
import { readKubernetesConfig } from '../../apps/controller/src/kubernetes/kubernetes-config.js';
import { environmentSchema, readConfig } from '../../apps/node-agent/src/config.js';
import { root } from '../started-system.js';
import { containersOf, podOf, workloadsOf, type Container } from './workloads.js';
import { hasKubectl, kustomizationOf, kustomizations, rendered, type Manifest } from './manifests.js';
import { schemaProblems } from './schema-problems.js';

const applied = kustomizations.filter((folder) => kustomizationOf(folder).kind === 'Kustomization');

const nameOf = ({ kind, metadata }: Manifest) => [kind, metadata?.namespace ?? '', metadata?.name ?? ''].join('/');

/** The environment of the agent on a node, as the kubelet makes it. */
function environmentOf(objects: readonly Manifest[], node: { readonly name: string; readonly addresses: string }) {
  const agent = agentOf(objects);
  const dataOf = (name: string) => {
    const map = objects.find((object) => nameOf(object) === `ConfigMap/waymark-agents/${name}`);
    expect(map, name).toBeDefined();
    return map?.['data'] as Readonly<Record<string, string>>;
  };
  const fields: Readonly<Record<string, string>> = { 'spec.nodeName': node.name, 'status.hostIPs': node.addresses };
  const own: Record<string, string> = {};
  for (const { name, value, valueFrom } of agent.env ?? []) {
    const { configMapKeyRef, fieldRef } = valueFrom ?? {};
    if (value !== undefined) own[name] = value.replace(/\$\((\w+)\)/g, (whole, other: string) => own[other] ?? whole);
    if (configMapKeyRef !== undefined) own[name] = dataOf(configMapKeyRef.name)[configMapKeyRef.key] ?? '';
    if (fieldRef !== undefined) own[name] = fields[fieldRef.fieldPath] ?? '';
  }
  const maps = (agent.envFrom ?? []).map(({ configMapRef }) => dataOf(configMapRef.name));
  return Object.assign({}, ...maps, own) as Readonly<Record<string, string>>;
}

function agentOf(objects: readonly Manifest[]): Container {
  const set = objects.find(({ kind }) => kind === 'DaemonSet');
  const [agent] = set === undefined ? [] : podOf(set).containers;
  if (agent === undefined) throw new Error('there is no agent');
  return agent;
}

describe.skipIf(!hasKubectl)('what kubectl makes of deploy/ (skipped without kubectl)', () => {
  let all: ReadonlyMap<string, readonly Manifest[]>;
  beforeAll(() => {
    all = new Map(applied.map((folder) => [folder, rendered(folder)]));
  }, 120_000);
  const of = (folder: string) => all.get(`deploy/${folder}`) ?? [];

  it.each(applied)('%s is as the schemas say, each object once, with all that it refers to', async (folder) => {
    const objects = all.get(folder) ?? [];
    const names = objects.map(nameOf);
    expect(names.length).toBeGreaterThan(0);
    expect(new Set(names).size).toBe(names.length);
    for (const object of objects) expect(await schemaProblems(object), nameOf(object)).toEqual([]);
    for (const workload of workloadsOf(objects)) {
      const { namespace = '' } = workload.metadata ?? {};
      const { volumes = [], containers } = podOf(workload);
      for (const { configMap } of volumes) {
        if (configMap !== undefined) expect(names).toContain(`ConfigMap/${namespace}/${configMap.name}`);
      }
      for (const { volumeMounts = [] } of containers) {
        expect(volumes.map(({ name }) => name).sort()).toEqual(volumeMounts.map(({ name }) => name).sort());
      }
      expect(names).toContain(`Namespace//${namespace}`);
    }
  });

  it.each([
    ['agent', 'dry-run', undefined],
    ['agent-vpp', 'vpp', undefined],
    ['agent-linux', 'linux', ['NET_ADMIN']],
  ] as const)('%s has settings that the agent takes, and no more capabilities than it needs', (folder, kind, add) => {
    const objects = of(folder);
    const environment = environmentOf(objects, { name: 'node-1', addresses: '10.0.0.1,fd11::1' });
    const known = [...Object.keys(environmentSchema.properties), 'NODE_NAME', 'NODE_ID_PREFIX'];
    expect(known).toEqual(expect.arrayContaining(Object.keys(environment)));
    const { nodeId, dataPlane, controllers, grpcTls } = readConfig(environment);
    expect({ nodeId, kind: dataPlane.kind }).toEqual({ nodeId: 'node-1', kind });
    expect(controllers).toEqual(['waymark-grpc.waymark.svc:50051']);
    const { capabilities } = agentOf(objects).securityContext ?? {};
    expect(capabilities).toEqual({ drop: ['ALL'], ...(add === undefined ? {} : { add }) });
    const mounts = agentOf(objects).volumeMounts ?? [];
    for (const file of [grpcTls?.ca, grpcTls?.pair?.cert, grpcTls?.pair?.key]) {
      expect(mounts.some(({ mountPath }) => file?.startsWith(`${mountPath}/`))).toBe(true);
    }
    if (dataPlane.kind !== 'vpp') return;
    const { socketPath } = dataPlane.settings;
    expect(mounts.some(({ mountPath }) => socketPath.startsWith(`${mountPath}/`))).toBe(true);
  });

  it('agents connect to a service of the controllers', () => {
    const service = of('controller').find((object) => nameOf(object) === 'Service/waymark/waymark-grpc');
    expect((service?.['spec'] as { ports: { port: number }[] }).ports.map(({ port }) => port)).toEqual([50051]);
  });

  describe('of two data centres', () => {
    const paris = () => of('examples/two-data-centres/paris');
    const rome = () => of('examples/two-data-centres/rome');
    const clusters = () =>
      readKubernetesConfig(join(root, 'deploy/examples/two-data-centres/paris/kubernetes.yaml')).clusters;

    it('names nodes as the controllers do', () => {
      for (const [i, objects] of [paris(), rome()].entries()) {
        const { nodeId } = readConfig(environmentOf(objects, { name: 'node-1', addresses: '10.0.0.1,fd11::1' }));
        expect(nodeId).toBe(`${clusters()[i]?.nodeIdPrefix ?? ''}node-1`);
      }
    });

    it('runs controllers in one, which find the kubeconfig of the other', () => {
      const [controller] = paris()
        .filter(({ kind }) => kind === 'Deployment')
        .flatMap(containersOf);
      expect(rome().some(({ kind }) => kind === 'Deployment')).toBe(false);
      const map = paris().find(({ metadata }) => metadata?.name?.startsWith('waymark-kubernetes-') === true);
      expect(map?.['data']).toHaveProperty(['kubernetes.yaml'], expect.stringContaining('rome.kubeconfig'));
      const folders = controller?.volumeMounts?.map(({ mountPath }) => mountPath) ?? [];
      for (const file of [
        controller?.env?.find(({ name }) => name === 'WAYMARK_KUBERNETES')?.value,
        clusters()[1]?.kubeconfig,
      ]) {
        expect(
          folders.some((folder) => file?.startsWith(`${folder}/`) === true),
          file,
        ).toBe(true);
      }
    });

    it('gives the account in the other the rights on hosts and no others', () => {
      expect(
        rome()
          .filter(({ kind }) => kind.endsWith('Role'))
          .map(nameOf),
      ).toEqual(['ClusterRole//waymark-hosts']);
      expect(rome().some(({ kind }) => kind === 'CustomResourceDefinition')).toBe(false);
    });
  });

  describe('with components', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'waymark-components-'));
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    const overlaid = async (base: string, ...components: readonly string[]) => {
      const at = (path: string) => relative(folder, join(root, 'deploy', path));
      const nodes = { name: 'waymark-nodes', namespace: 'waymark-agents', literals: ['node-1=WAYMARK_LOCAL_SIDS='] };
      const kustomization = {
        ...{ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' },
        ...{ resources: [at(base)], components: components.map(at), configMapGenerator: [nodes] },
      };
      writeFileSync(join(folder, 'kustomization.yaml'), stringify(kustomization));
      const objects = rendered(relative(root, folder));
      for (const object of objects) expect(await schemaProblems(object)).toEqual([]);
      return objects;
    };

    it('withdraws with the settings that the agent had, and is ready once it did', async () => {
      const left = agentOf(await overlaid('agent-vpp', 'withdraw'));
      const { command, readinessProbe } = left;
      expect(left).toEqual({ ...agentOf(of('agent-vpp')), command, livenessProbe: undefined, readinessProbe });
      expect(command?.slice(0, 2)).toEqual(['sh', '-c']);
      expect(readinessProbe?.httpGet).toBeUndefined();
      expect(readinessProbe?.exec?.command).toEqual(['grep', '-q', 'sleep', '/proc/1/comm']);
    });

    const tls = ['redis-tls', 'redis-client-certificates', 'rest-tls', 'postgres-tls', 'revoked-certificates'];

    it('find every file of their settings for TLS where one is mounted', async () => {
      const objects = await overlaid('examples/two-data-centres/paris', ...tls);
      const [controller] = objects.filter(({ kind }) => kind === 'Deployment').flatMap(containersOf);
      // what they write themselves
      const written = ['WAYMARK_RECORD_FILE', 'WAYMARK_DRY_RUN_FILE'];
      for (const [container, settings] of [
        [controller, settingNames],
        [agentOf(objects), Object.keys(environmentSchema.properties)],
      ] as const) {
        const own = (container?.env ?? []).filter(({ name }) => name.endsWith('_FILE'));
        const given = new Map(own.map(({ name, value = '' }) => [name, value]));
        if (container !== controller) {
          for (const [name, value] of Object.entries(environmentOf(objects, { name: 'n', addresses: 'fd11::1' })))
            if (name.endsWith('_FILE')) given.set(name, value);
        }
        const needed = settings.filter((name) => name.endsWith('_FILE') && !written.includes(name));
        expect([...given.keys()].sort()).toEqual(needed.sort());
        const folders = (container?.volumeMounts ?? []).map(({ mountPath }) => mountPath);
        for (const [name, file] of given) expect(folders, name).toContain(dirname(file));
      }
      const deployment = objects.find(({ kind }) => kind === 'Deployment') as Manifest;
      const { volumes = [] } = podOf(deployment);
      expect(volumes.map(({ name }) => name)).toEqual(expect.arrayContaining(['postgres', 'revoked', 'rest']));
      for (const probe of [controller?.startupProbe, controller?.livenessProbe, controller?.readinessProbe]) {
        expect(probe?.httpGet).toMatchObject({ scheme: 'HTTPS', port: 'http' });
      }
      const service = objects.find((object) => nameOf(object) === 'Service/waymark/waymark');
      expect((service?.['spec'] as { ports: object[] }).ports).toMatchObject([{ port: 443, targetPort: 'http' }]);
    });

    it('are for a cluster that has agents only, too', async () => {
      const agent = agentOf(await overlaid('examples/two-data-centres/rome', 'redis-tls'));
      expect(agent.env).toContainEqual({ name: 'REDIS_CA_FILE', value: '/etc/waymark/redis/ca.crt' });
    });

    it('reads settings of its node, and keeps them when it leaves', async () => {
      const objects = await overlaid('agent-linux', 'node-settings');
      const agent = agentOf(objects);
      expect(agent.command).toEqual([
        'node',
        '--env-file=$(NODE_SETTINGS)/$(NODE_NAME)',
        'apps/node-agent/dist/main.js',
      ]);
      const { NODE_SETTINGS } = environmentOf(objects, { name: 'node-1', addresses: '10.0.0.1' });
      const mount = agent.volumeMounts?.find(({ mountPath }) => mountPath === NODE_SETTINGS);
      const set = objects.find(({ kind }) => kind === 'DaemonSet') as Manifest;
      const volume = podOf(set).volumes?.find(({ name }) => name === mount?.name);
      expect(objects.map(nameOf)).toContain(`ConfigMap/waymark-agents/${volume?.configMap?.name ?? ''}`);
      const leaving = agentOf(await overlaid('agent-linux', 'node-settings', 'withdraw'));
      expect(leaving.env).toEqual(agent.env);
      expect(leaving.command?.[0]).toBe('sh');
    });
  });
});
