import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { calicoDefinitions } from '@waymark/kubernetes-stand-in';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  openApiServer,
  type TestApiServer,
} from '../../../../packages/kubernetes-stand-in/src/testing/test-api-server.js';
import { TedService } from '../ted/ted-service.js';
import { eventually } from '../testing/eventually.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { ringTopology } from '../testing/topology-text.js';
import { Kubernetes, type KubernetesOptions } from './kubernetes.js';

const log = pino({ level: 'silent' });
const timing = { watchMs: 60_000, stallMs: 5_000, relistMs: 60_000, firstRetryMs: 10, maxRetryMs: 100 };
const calico = 'crd.projectcalico.org/v1';

/** No cluster here has objects of ours. */
const unused = new Proxy({} as KubernetesOptions['objects'], {
  get: (_, name) => {
    throw new Error(`${String(name)} is not for this test`);
  },
});

describe('clusters as sources of topology', () => {
  let database: TestDatabase;
  let topology: TedService;
  let directory: string;
  let paris: TestApiServer;
  let rome: TestApiServer;
  let kubernetes: Kubernetes;
  let leading: AbortController;

  beforeEach(async () => {
    database = await createTestDatabase();
    topology = new TedService({ ...database, clock: () => new Date() });
    await topology.importTopology({ text: ringTopology(), format: 'native', source: 'file', actor: { name: 'test' } });
    directory = mkdtempSync(join(tmpdir(), 'waymark-kubernetes-'));
    [paris, rome] = [await openApiServer(), await openApiServer()];
    writeFileSync(join(directory, 'paris'), paris.kubeconfig);
    writeFileSync(join(directory, 'rome'), rome.kubeconfig);
  });

  afterEach(async () => {
    await stop();
    await Promise.all([paris.close(), rome.close()]);
    rmSync(directory, { recursive: true });
    await database.drop();
  });

  const start = async (settings: { readonly nodeGraceMs?: number; readonly prefixGraceMs?: number } = {}) => {
    kubernetes = await Kubernetes.create({
      settings: {
        clusters: [
          { name: 'paris', kubeconfig: join(directory, 'paris'), attachedTo: ['r1'], site: 'paris' },
          { name: 'rome', kubeconfig: join(directory, 'rome'), attachedTo: ['r3'], site: 'rome' },
        ],
        ...{ nodeGraceMs: 0, prefixGraceMs: 0, ...settings },
      },
      ...{ topology, log, timing },
      objects: unused,
    });
    leading = new AbortController();
    kubernetes.start();
    kubernetes.lead(leading.signal, 1);
  };
  const stop = async () => {
    leading.abort();
    await kubernetes.stop();
  };

  const addNode = (server: TestApiServer, name: string, ...podCIDRs: string[]) =>
    server.create({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: { podCIDRs } });
  const giveParisCalico = async () => {
    await paris.close();
    paris = await openApiServer(calicoDefinitions);
    writeFileSync(join(directory, 'paris'), paris.kubeconfig);
    await paris.create({
      apiVersion: calico,
      kind: 'IPPool',
      metadata: { name: 'pods' },
      spec: { cidr: '10.0.0.0/8' },
    });
  };
  const affinity = (node: string, cidr: string, state = 'confirmed') => ({
    ...{ apiVersion: calico, kind: 'BlockAffinity' },
    metadata: { name: `${node}-${cidr.replace(/[/.]/g, '-')}` },
    spec: { node, cidr, state, deleted: 'false' },
  });
  const prefixes = async () => {
    const { nodes } = await topology.ted();
    const hosts = nodes.filter(({ kind, id }) => kind === 'host' && !id.startsWith('h'));
    return Object.fromEntries(hosts.map(({ id, podPrefixes }) => [id, podPrefixes]));
  };
  const settled = (expected: Readonly<Record<string, readonly string[]>>) =>
    eventually(async () => {
      expect(await prefixes()).toEqual(expected);
    });
  const problems = () => kubernetes.clusters().map(({ problems: all }) => all.map(({ message }) => message));

  it('make hosts of their nodes, with the prefixes of their pods', async () => {
    await addNode(paris, 'paris-1', '10.1.0.0/24');
    await addNode(rome, 'rome-1', '10.2.0.0/24');
    await start();
    await settled({ 'paris-1': ['10.1.0.0/24'], 'rome-1': ['10.2.0.0/24'] });
    await addNode(rome, 'rome-2', '10.2.1.0/24', 'fd20:2:1::/64');
    await settled({
      'paris-1': ['10.1.0.0/24'],
      'rome-1': ['10.2.0.0/24'],
      'rome-2': ['10.2.1.0/24', 'fd20:2:1::/64'],
    });
    expect(kubernetes.clusters()).toMatchObject([
      { name: 'paris', server: paris.url, synced: true, trouble: null, nodes: 1, notReady: ['paris-1'] },
      { name: 'rome', nodes: 2 },
    ]);
  });

  it('move a prefix from one host to the next in one revision, though no node claims it in between', async () => {
    await giveParisCalico();
    for (const name of ['paris-1', 'paris-2']) await addNode(paris, name);
    await paris.create(affinity('paris-1', '10.1.0.0/26'));
    await start({ prefixGraceMs: 60_000 });
    await settled({ 'paris-1': ['10.1.0.0/26'], 'paris-2': [] });
    const before = await topology.head();
    await paris.delete(calico, 'BlockAffinity', 'paris-1-10-1-0-0-26');
    await new Promise((resolve) => setTimeout(resolve, 500));
    await settled({ 'paris-1': ['10.1.0.0/26'], 'paris-2': [] });
    await paris.create(affinity('paris-2', '10.1.0.0/26'));
    await settled({ 'paris-1': [], 'paris-2': ['10.1.0.0/26'] });
    expect((await topology.head()).tedRevision).toBe(before.tedRevision + 1);
  });

  it('withdraw a prefix that nobody has claimed for a while', async () => {
    await giveParisCalico();
    await addNode(paris, 'paris-1');
    await paris.create(affinity('paris-1', '10.1.0.0/26'));
    await start({ prefixGraceMs: 300 });
    await settled({ 'paris-1': ['10.1.0.0/26'] });
    await paris.delete(calico, 'BlockAffinity', 'paris-1-10-1-0-0-26');
    await settled({ 'paris-1': [] });
  });

  it('withdraw the host of a deleted node after the grace period, also when the controller is another one then', async () => {
    for (const i of [1, 2, 3, 4]) await addNode(paris, `paris-${i}`);
    await start({ nodeGraceMs: 60_000 });
    const all = { 'paris-1': [], 'paris-2': [], 'paris-3': [], 'paris-4': [] };
    await settled(all);
    await paris.delete('v1', 'Node', 'paris-4');
    await eventually(() => {
      expect(kubernetes.clusters()[0]?.nodes).toBe(3);
    });
    await settled(all);
    await stop();
    await start({ nodeGraceMs: 500 });
    await settled({ 'paris-1': [], 'paris-2': [], 'paris-3': [] });
  });

  it('keep their hosts while their API server is down, also when the controller starts then', async () => {
    await addNode(paris, 'paris-1', '10.1.0.0/24');
    await addNode(rome, 'rome-1', '10.2.0.0/24');
    await start();
    const all = { 'paris-1': ['10.1.0.0/24'], 'rome-1': ['10.2.0.0/24'] };
    await settled(all);
    await stop();
    await paris.faults.goDown();
    // The podCIDRs of a node never change.
    await rome.delete('v1', 'Node', 'rome-1');
    await addNode(rome, 'rome-1', '10.1.0.0/16');
    await start();
    await eventually(() => {
      expect(kubernetes.clusters()[0]?.trouble).toContain('ECONNREFUSED');
      expect(problems()[1]).toEqual(['pod prefix 10.1.0.0/16 overlaps 10.1.0.0/24 of paris-1 in cluster paris']);
    });
    await settled({ 'paris-1': ['10.1.0.0/24'], 'rome-1': [] });
    await paris.faults.comeUp();
    await paris.delete('v1', 'Node', 'paris-1');
    await settled({ 'rome-1': ['10.1.0.0/16'] });
  });

  it('are held when most of their nodes go at once', async () => {
    for (const i of [1, 2, 3, 4, 5]) await addNode(paris, `paris-${i}`);
    await start();
    await eventually(async () => {
      expect(Object.keys(await prefixes())).toHaveLength(5);
    });
    await paris.faults.goDown();
    for (const i of [1, 2, 3]) await paris.delete('v1', 'Node', `paris-${i}`);
    await paris.faults.comeUp();
    await eventually(() => {
      expect(kubernetes.clusters()[0]?.held).toBe('3 of 5 hosts of kubernetes:paris would be gone at once');
    });
    expect(Object.keys(await prefixes())).toHaveLength(5);
    await topology.releaseSource('kubernetes:paris', 'apply', { name: 'alice' });
    expect(Object.keys(await prefixes())).toEqual(['paris-4', 'paris-5']);
  });

  it('may claim the same node id: the later cluster is told', async () => {
    const annotations = { 'waymark.dev/node-id': 'node-1' };
    for (const [server, name, cidr] of [
      [paris, 'paris-1', '10.1.0.0/24'],
      [rome, 'rome-1', '10.2.0.0/24'],
    ] as const) {
      await server.create({
        ...{ apiVersion: 'v1', kind: 'Node', metadata: { name, annotations } },
        spec: { podCIDRs: [cidr] },
      });
    }
    await start();
    await eventually(() => {
      expect(problems()).toEqual([[], ['the node id node-1 belongs to cluster paris']]);
    });
    await settled({ 'node-1': ['10.1.0.0/24'] });
  });
});
