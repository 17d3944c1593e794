import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { calicoDefinitions, startApiServer, type ApiServer } from '@waymark/kubernetes-stand-in';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
  let paris: ApiServer;
  let rome: ApiServer;
  let kubernetes: Kubernetes;
  let leading: AbortController;

  beforeEach(async () => {
    database = await createTestDatabase();
    topology = new TedService({ ...database, clock: () => new Date() });
    await topology.importTopology({ text: ringTopology(), format: 'native', source: 'file', actor: { name: 'test' } });
    directory = mkdtempSync(join(tmpdir(), 'waymark-kubernetes-'));
    [paris, rome] = [await startApiServer(), await startApiServer()];
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

  const addNode = (server: ApiServer, name: string, ...podCIDRs: string[]) =>
    server.create({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: { podCIDRs } });
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
    addNode(paris, 'paris-1', '10.1.0.0/24');
    addNode(rome, 'rome-1', '10.2.0.0/24');
    await start();
    await settled({ 'paris-1': ['10.1.0.0/24'], 'rome-1': ['10.2.0.0/24'] });
    addNode(rome, 'rome-2', '10.2.1.0/24', 'fd20:2:1::/64');
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
    await paris.close();
    paris = await startApiServer({ definitions: calicoDefinitions });
    writeFileSync(join(directory, 'paris'), paris.kubeconfig);
    for (const name of ['paris-1', 'paris-2']) addNode(paris, name);
    paris.create({ apiVersion: calico, kind: 'IPPool', metadata: { name: 'pods' }, spec: { cidr: '10.0.0.0/8' } });
    paris.create(affinity('paris-1', '10.1.0.0/26'));
    await start({ prefixGraceMs: 60_000 });
    await settled({ 'paris-1': ['10.1.0.0/26'], 'paris-2': [] });
    const before = await topology.head();
    paris.delete(calico, 'BlockAffinity', 'paris-1-10-1-0-0-26');
    await new Promise((resolve) => setTimeout(resolve, 500));
    await settled({ 'paris-1': ['10.1.0.0/26'], 'paris-2': [] });
    paris.create(affinity('paris-2', '10.1.0.0/26'));
    await settled({ 'paris-1': [], 'paris-2': ['10.1.0.0/26'] });
    expect((await topology.head()).tedRevision).toBe(before.tedRevision + 1);
  });

  it('withdraw a prefix that nobody has claimed for a while', async () => {
    addNode(paris, 'paris-1', '10.1.0.0/24');
    await start({ prefixGraceMs: 300 });
    await settled({ 'paris-1': ['10.1.0.0/24'] });
    paris.replace({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'paris-1' }, spec: { podCIDRs: [] } });
    await settled({ 'paris-1': [] });
  });

  it('withdraw the host of a deleted node after the grace period, also when the controller is another one then', async () => {
    for (const i of [1, 2, 3, 4]) addNode(paris, `paris-${i}`);
    await start({ nodeGraceMs: 60_000 });
    const all = { 'paris-1': [], 'paris-2': [], 'paris-3': [], 'paris-4': [] };
    await settled(all);
    paris.delete('v1', 'Node', 'paris-4');
    await eventually(() => {
      expect(kubernetes.clusters()[0]?.nodes).toBe(3);
    });
    await settled(all);
    await stop();
    await start({ nodeGraceMs: 500 });
    await settled({ 'paris-1': [], 'paris-2': [], 'paris-3': [] });
  });

  it('keep their hosts while their API server is down, also when the controller starts then', async () => {
    addNode(paris, 'paris-1', '10.1.0.0/24');
    addNode(rome, 'rome-1', '10.2.0.0/24');
    await start();
    const all = { 'paris-1': ['10.1.0.0/24'], 'rome-1': ['10.2.0.0/24'] };
    await settled(all);
    await stop();
    await paris.faults.goDown();
    rome.replace({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'rome-1' }, spec: { podCIDRs: ['10.1.0.0/16'] } });
    await start();
    await eventually(() => {
      expect(kubernetes.clusters()[0]?.trouble).toContain('ECONNREFUSED');
      expect(problems()[1]).toEqual(['pod prefix 10.1.0.0/16 overlaps 10.1.0.0/24 of paris-1 in cluster paris']);
    });
    await settled({ 'paris-1': ['10.1.0.0/24'], 'rome-1': [] });
    await paris.faults.comeUp();
    paris.delete('v1', 'Node', 'paris-1');
    await settled({ 'rome-1': ['10.1.0.0/16'] });
  });

  it('are held when most of their nodes go at once', async () => {
    for (const i of [1, 2, 3, 4, 5]) addNode(paris, `paris-${i}`);
    await start();
    await eventually(async () => {
      expect(Object.keys(await prefixes())).toHaveLength(5);
    });
    await paris.faults.goDown();
    for (const i of [1, 2, 3]) paris.delete('v1', 'Node', `paris-${i}`);
    await paris.faults.comeUp();
    await eventually(() => {
      expect(kubernetes.clusters()[0]?.held).toBe('3 of 5 hosts of kubernetes:paris would be gone at once');
    });
    expect(Object.keys(await prefixes())).toHaveLength(5);
    await topology.releaseSource('kubernetes:paris', 'apply', { name: 'alice' });
    expect(Object.keys(await prefixes())).toEqual(['paris-4', 'paris-5']);
  });

  it('may have the same names of nodes: the later cluster is told', async () => {
    addNode(paris, 'node-1', '10.1.0.0/24');
    addNode(rome, 'node-1', '10.2.0.0/24');
    await start();
    await eventually(() => {
      expect(problems()).toEqual([[], ['the node id node-1 belongs to cluster paris']]);
    });
    await settled({ 'node-1': ['10.1.0.0/24'] });
  });
});
