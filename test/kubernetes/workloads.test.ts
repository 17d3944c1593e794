import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { readConfig, settingNames } from '../../apps/controller/src/config.js';
import { readKubernetesConfig } from '../../apps/controller/src/kubernetes/kubernetes-config.js';
import { eventually } from '../../apps/controller/src/testing/eventually.js';
import { environmentSchema } from '../../apps/node-agent/src/config.js';
import { StatusServer } from '../../apps/node-agent/src/status-server.js';
import type { NodeAgentStatus } from '../../apps/node-agent/src/node-agent.js';
import openApi from '../../openapi/openapi.json' with { type: 'json' };
import { root } from '../started-system.js';
import { podOf, workloadsOf, type Container } from './workloads.js';
import { deploy, filesBelow, objectsIn, resourcesOf } from './manifests.js';

const files = filesBelow(deploy);

describe.each([
  ['controller', 'deploy/controller/deployment.yaml', settingNames],
  ['node-agent', 'deploy/agent/daemon-set.yaml', Object.keys(environmentSchema.properties)],
] as const)('the %s', (stage, file, settings) => {
  const [workload] = objectsIn(file);
  if (workload === undefined) throw new Error(`${file} is empty`);
  const pod = podOf(workload);
  const [container] = pod.containers as readonly [Container];

  it('is the image that the Dockerfile builds, of this version', () => {
    expect(container.image).toBe(`waymark-${stage}:${packageJson.version}`);
    const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
    const lines = dockerfile.slice(dockerfile.indexOf(` AS ${stage}\n`)).split('\nFROM ')[0] ?? '';
    expect(lines).not.toBe('');
    const exposed = /^EXPOSE (.*)$/m.exec(lines)?.[1]?.split(' ').map(Number) ?? [];
    expect((container.ports ?? []).map(({ containerPort }) => containerPort)).toEqual(exposed);
    // its own command is the image's
    expect(container.command).toBeUndefined();
  });

  it('gets settings that there are', () => {
    const names = (container.env ?? []).map(({ name }) => name);
    const used = names.filter((name) => JSON.stringify(container.env).includes(`$(${name})`));
    expect(settings).toEqual(expect.arrayContaining(names.filter((name) => !used.includes(name))));
    for (const { name, valueFrom } of container.env ?? []) {
      if (name.endsWith('_URL')) expect(valueFrom?.secretKeyRef?.key).toBe(name);
    }
  });

  it('runs without privileges, in a file system that it cannot write to', () => {
    expect(pod.securityContext).toMatchObject({ seccompProfile: { type: 'RuntimeDefault' } });
    expect(container.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container.securityContext?.capabilities?.add).toBeUndefined();
    expect(container.securityContext?.privileged).toBeUndefined();
    expect(pod.enableServiceLinks).toBe(false);
    expect(container.resources).toMatchObject({ requests: { cpu: expect.any(String) as string }, limits: {} });
  });

  it('selects its own pods', () => {
    const { selector, template } = workload['spec'] as {
      selector: { matchLabels: object };
      template: { metadata: { labels: object } };
    };
    expect(template.metadata.labels).toMatchObject(selector.matchLabels);
  });
});

describe('the namespace of the controllers', () => {
  const objects = resourcesOf('deploy/controller').map(({ object }) => object);
  const [deployment] = workloadsOf(objects);
  if (deployment === undefined) throw new Error('there is no Deployment');
  const pod = podOf(deployment);
  const labels = (deployment['spec'] as { template: { metadata: { labels: Readonly<Record<string, string>> } } })
    .template.metadata.labels;
  const ports = new Map((pod.containers[0]?.ports ?? []).map(({ name, containerPort }) => [name, containerPort]));

  it('lets in what it holds: pods of the restricted standard', () => {
    const namespace = objects.find(({ kind, metadata }) => kind === 'Namespace' && metadata?.name === 'waymark');
    expect(namespace?.metadata?.labels?.['pod-security.kubernetes.io/enforce']).toBe('restricted');
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
    expect(pod.hostNetwork).toBeUndefined();
    for (const volume of pod.volumes ?? []) expect('hostPath' in volume).toBe(false);
  });

  it('finds its certificates where cert-manager and kubectl put them', () => {
    const { env = [], volumeMounts = [] } = pod.containers[0] as Container;
    const given = Object.fromEntries(env.map(({ name, value }) => [name, value ?? 'redis://redis']));
    const { grpcTls } = readConfig({ ...given, DATABASE_URL: 'postgres://postgres' });
    const folder = volumeMounts.find(({ name }) => name === 'tls')?.mountPath ?? '';
    expect(grpcTls).toEqual({
      ca: `${folder}/ca.crt`,
      pair: { cert: `${folder}/tls.crt`, key: `${folder}/tls.key` },
    });
    const volume = pod.volumes?.find(({ name }) => name === 'tls');
    expect(volume).toMatchObject({ secret: { secretName: 'waymark-controller-tls' } });
  });

  it('probes operations that there are', () => {
    const { startupProbe, livenessProbe, readinessProbe } = pod.containers[0] as Container;
    for (const probe of [startupProbe, livenessProbe, readinessProbe]) {
      expect(Object.keys(openApi.paths)).toContain(probe?.httpGet?.path);
      expect([...ports.keys()]).toContain(probe?.httpGet?.port);
    }
    expect(readinessProbe?.httpGet?.path).toBe('/readyz');
  });

  it('has services, a budget, a spread and policies that find the pods and their ports', () => {
    const selectors: unknown[] = [];
    for (const { kind, spec } of objects as unknown as readonly {
      kind: string;
      spec: Readonly<Record<string, unknown>>;
    }[]) {
      if (kind === 'Service') {
        selectors.push(spec['selector']);
        for (const { targetPort } of spec['ports'] as { targetPort: string }[])
          expect(ports.has(targetPort)).toBe(true);
      }
      if (kind === 'PodDisruptionBudget') selectors.push((spec['selector'] as { matchLabels: object }).matchLabels);
      if (kind === 'NetworkPolicy') {
        selectors.push((spec['podSelector'] as { matchLabels: object }).matchLabels);
        for (const rule of spec['ingress'] as { ports: { port: string }[] }[]) {
          for (const { port } of rule.ports) expect(ports.has(port), port).toBe(true);
        }
      }
    }
    const spread = pod.topologySpreadConstraints ?? [];
    selectors.push(...spread.map(({ labelSelector }) => labelSelector.matchLabels));
    expect(selectors).toHaveLength(6);
    for (const selector of selectors) expect(labels).toMatchObject(selector as object);
    expect((deployment['spec'] as { replicas: number }).replicas).toBe(2);
  });

  it.each(files.filter((file) => file.endsWith('/kubernetes.yaml')))('%s is one that the controller reads', (file) => {
    expect(readKubernetesConfig(join(root, file)).clusters.length).toBeGreaterThan(0);
  });
});

describe('agents', () => {
  const pod = podOf(objectsIn('deploy/agent/daemon-set.yaml')[0] ?? { apiVersion: '', kind: '' });

  it('are probed where they answer', async () => {
    const healthy = { health: { error: null } } as unknown as NodeAgentStatus;
    const server = new StatusServer(() => healthy);
    const port = await server.listen(0);
    const { livenessProbe, readinessProbe } = pod.containers[0] as Container;
    for (const { httpGet } of [livenessProbe, readinessProbe].filter((probe) => probe !== undefined)) {
      expect(httpGet?.port).toBe(environmentSchema.properties.WAYMARK_STATUS_PORT.default);
      expect((await fetch(`http://${httpGet?.host ?? ''}:${port}${httpGet?.path ?? ''}`)).status).toBe(200);
    }
    await server.close();
  });

  it('are on every node, in its network, one restarted after the other', () => {
    expect(pod).toMatchObject({
      hostNetwork: true,
      dnsPolicy: 'ClusterFirstWithHostNet',
      tolerations: [{ operator: 'Exists' }],
    });
    const { updateStrategy } = objectsIn('deploy/agent/daemon-set.yaml')[0]?.['spec'] as { updateStrategy: object };
    expect(updateStrategy).toEqual({ rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } });
    // What it knows outlives its pod: there where the agent keeps it.
    const state = pod.volumes?.find(({ name }) => name === 'state');
    expect(state).toMatchObject({ hostPath: { path: '/var/lib/waymark' } });
    expect(pod.containers[0]?.volumeMounts).toContainEqual({
      name: 'state',
      mountPath: environmentSchema.properties.WAYMARK_DATA_DIR.default,
    });
  });

  describe('that leave', () => {
    const patched = podOf(objectsIn('deploy/withdraw/withdraw.yaml')[0] ?? { apiVersion: '', kind: '' });
    const [program = '', ...args] = patched.containers[0]?.command ?? [];
    let folder: string;
    let leaving: ChildProcess | undefined;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'waymark-leaving-'));
      mkdirSync(join(folder, 'state/node-1'), { recursive: true });
    });
    afterEach(() => {
      leaving?.kill('SIGKILL');
      rmSync(folder, { recursive: true });
    });
    const leave = (settings: NodeJS.ProcessEnv = {}): ChildProcess => {
      const env = { WAYMARK_NODE_ID: 'node-1', NODE_NAME: 'node-1', WAYMARK_DATA_DIR: join(folder, 'state') };
      return (leaving = spawn(program, args, { cwd: root, env: { ...process.env, ...env, ...settings } }));
    };

    it.each([{}, { NODE_SETTINGS: true }])('withdraw, forget, and then sleep: %j', async ({ NODE_SETTINGS }) => {
      writeFileSync(join(folder, 'node-1'), 'WAYMARK_DATAPLANE=dry-run\n');
      const { pid } = leave(NODE_SETTINGS === true ? { NODE_SETTINGS: folder } : {});
      await eventually(() => {
        expect(readFileSync(`/proc/${pid ?? 0}/comm`, 'utf8').trim()).toBe('sleep');
      }, 20_000);
      expect(readdirSync(join(folder, 'state'))).toEqual([]);
    });

    it('do not forget what they could not withdraw, by the settings of their node', async () => {
      writeFileSync(join(folder, 'node-1'), 'WAYMARK_DATAPLANE=vpp\n');
      const [code] = (await once(leave({ NODE_SETTINGS: folder }), 'exit')) as [number];
      expect(code).not.toBe(0);
      expect(readdirSync(join(folder, 'state'))).toEqual(['node-1']);
    });
  });
});
