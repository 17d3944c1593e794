import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApiServer, type ApiServer } from '@waymark/kubernetes-stand-in';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fencedTransaction } from '../../distribution/fence.js';
import { ServiceClasses } from '../../policies/service-classes.js';
import { TedService } from '../../ted/ted-service.js';
import { eventually } from '../../testing/eventually.js';
import { createTestDatabase, type TestDatabase } from '../../testing/test-database.js';
import { ringTopology } from '../../testing/topology-text.js';
import { Kubernetes } from '../kubernetes.js';

const log = pino({ level: 'silent' });
const timing = { watchMs: 60_000, stallMs: 5_000, relistMs: 60_000, firstRetryMs: 10, maxRetryMs: 100 };

interface Pod {
  readonly ip: string;
  readonly node?: string;
  readonly label?: string;
}

describe('service classes of a cluster', () => {
  let database: TestDatabase;
  let topology: TedService;
  let directory: string;
  let paris: ApiServer;
  let classes: ServiceClasses;
  let kubernetes: Kubernetes;
  let leading: AbortController;

  beforeEach(async () => {
    database = await createTestDatabase();
    topology = new TedService({ ...database, clock: () => new Date() });
    await topology.importTopology({ text: ringTopology(), format: 'native', source: 'file', actor: { name: 'test' } });
    // As in a controller: who leads hears of new hosts.
    await topology.start();
    classes = new ServiceClasses(database.db, (epoch, work) => fencedTransaction(database.db, epoch, work));
    directory = mkdtempSync(join(tmpdir(), 'waymark-classes-'));
    paris = await startApiServer();
    writeFileSync(join(directory, 'paris'), paris.kubeconfig);
    for (const name of ['paris-1', 'paris-2']) {
      paris.create({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} });
    }
    for (const name of ['shop', 'plain']) paris.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  });

  afterEach(async () => {
    await stop();
    await topology.stop();
    await paris.close();
    rmSync(directory, { recursive: true });
    await database.drop();
  });

  const start = async (nodeGraceMs = 0) => {
    kubernetes = await Kubernetes.create({
      settings: {
        clusters: [{ name: 'paris', kubeconfig: join(directory, 'paris'), attachedTo: ['r1'], serviceClasses: true }],
        ...{ nodeGraceMs, prefixGraceMs: 0 },
      },
      ...{ topology, log, timing },
      objects: { topology, classes } as never,
    });
    leading = new AbortController();
    kubernetes.start();
    const { epoch } = await database.db
      .updateTable('leader')
      .set((eb) => ({ epoch: eb('epoch', '+', 1) }))
      .returning('epoch')
      .executeTakeFirstOrThrow();
    kubernetes.lead(leading.signal, epoch);
  };
  const stop = async () => {
    leading.abort();
    await kubernetes.stop();
  };

  const hostsKnown = () =>
    eventually(async () => {
      expect(await topology.clusterHosts('paris')).toHaveLength(2);
    });

  const labelled = (value: string | undefined) =>
    value === undefined ? {} : { labels: { 'waymark.dev/color': value } };
  const labelNamespace = (name: string, value?: string) =>
    paris.replace({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...labelled(value) } });
  const podObject = (path: string, { ip, node = 'paris-1', label }: Pod) => {
    const [namespace = '', name = ''] = path.split('/');
    return {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, ...labelled(label) } },
      spec: { nodeName: node, containers: [{ name: 'main', image: 'main' }] },
      status: { phase: 'Running', podIP: ip, podIPs: [{ ip }] },
    };
  };
  const addPod = (path: string, some: Pod) => {
    const pod = podObject(path, some);
    paris.create(pod);
    paris.replace(pod, 'status');
  };
  const deletePod = (path: string) => {
    const [namespace = '', name = ''] = path.split('/');
    paris.delete('v1', 'Pod', name, namespace);
  };
  const members = async () =>
    (await classes.members('paris')).map(({ headend, address, color }) => `${headend} ${address} ${color}`);
  const settled = (...expected: string[]) =>
    eventually(async () => {
      expect(await members()).toEqual(expected);
    });
  const view = () => kubernetes.clusters()[0];

  it('follow labels of namespaces, and of pods that say another or none', async () => {
    labelNamespace('shop', '200');
    addPod('shop/a', { ip: '10.1.0.1' });
    addPod('shop/b', { ip: '10.1.0.2', label: '300', node: 'paris-2' });
    addPod('shop/c', { ip: '10.1.0.3', label: '' });
    addPod('plain/d', { ip: '10.1.0.4' });
    addPod('plain/e', { ip: 'fd10:1::5', label: '300' });
    await start();
    await settled('paris-1 10.1.0.1 200', 'paris-1 fd10:1::5 300', 'paris-2 10.1.0.2 300');
    addPod('shop/f', { ip: '10.1.0.6' });
    await settled('paris-1 10.1.0.1 200', 'paris-1 10.1.0.6 200', 'paris-1 fd10:1::5 300', 'paris-2 10.1.0.2 300');
    deletePod('shop/a');
    paris.replace(podObject('shop/b', { ip: '10.1.0.2', node: 'paris-2' }));
    await settled('paris-1 10.1.0.6 200', 'paris-1 fd10:1::5 300', 'paris-2 10.1.0.2 200');
    labelNamespace('plain', '200');
    await settled(...['paris-1 10.1.0.4 200', 'paris-1 10.1.0.6 200', 'paris-1 fd10:1::5 300', 'paris-2 10.1.0.2 200']);
    labelNamespace('shop');
    await settled('paris-1 10.1.0.4 200', 'paris-1 fd10:1::5 300');
    expect(view()).toMatchObject({ trouble: null, problems: [] });
  });

  it('never list the pods of namespaces that have no label', async () => {
    labelNamespace('shop', '200');
    addPod('shop/a', { ip: '10.1.0.1' });
    await start();
    await settled('paris-1 10.1.0.1 200');
    // Namespaces, pods with the label, pods of shop, nodes.
    await eventually(() => {
      expect(paris.watches).toBe(4);
    });
    labelNamespace('shop');
    await settled();
    await eventually(() => {
      expect(paris.watches).toBe(3);
    });
  });

  it('move to another color in one revision, and a pod by its own label too', async () => {
    labelNamespace('shop', '200');
    for (const i of [1, 2, 3, 4, 5]) addPod(`shop/p${i}`, { ip: `10.1.0.${i}` });
    await start();
    const all = (color: number) => [1, 2, 3, 4, 5].map((i) => `paris-1 10.1.0.${i} ${color}`);
    await settled(...all(200));
    await hostsKnown();
    const before = await topology.head();
    labelNamespace('shop', '300');
    await settled(...all(300));
    expect((await topology.head()).revision).toBe(before.revision + 1);
    paris.replace(podObject('shop/p1', { ip: '10.1.0.1', label: '200' }));
    await settled('paris-1 10.1.0.1 200', ...all(300).slice(1));
    expect((await topology.head()).revision).toBe(before.revision + 2);
    paris.replace(podObject('shop/p1', { ip: '10.1.0.1', label: '400' }));
    await settled('paris-1 10.1.0.1 400', ...all(300).slice(1));
    expect((await topology.head()).revision).toBe(before.revision + 3);
  });

  it('stay while the API server is down, also when the controller starts then, and catch up with it', async () => {
    labelNamespace('shop', '200');
    addPod('shop/a', { ip: '10.1.0.1' });
    addPod('plain/b', { ip: '10.1.0.2', label: '300' });
    await start();
    const both = ['paris-1 10.1.0.1 200', 'paris-1 10.1.0.2 300'];
    await settled(...both);
    await paris.faults.goDown();
    await eventually(() => {
      expect(view()?.trouble).not.toBeNull();
    });
    expect(await members()).toEqual(both);
    await stop();
    await start();
    await eventually(() => {
      expect(view()?.trouble).not.toBeNull();
    });
    expect(await members()).toEqual(both);
    deletePod('shop/a');
    labelNamespace('plain', '400');
    addPod('plain/c', { ip: '10.1.0.3' });
    await paris.faults.comeUp();
    await settled('paris-1 10.1.0.2 300', 'paris-1 10.1.0.3 400');
  });

  it('are listed anew when the API server has forgotten, and lose nothing by nonsense', async () => {
    labelNamespace('shop', '200');
    addPod('shop/a', { ip: '10.1.0.1' });
    await start();
    await settled('paris-1 10.1.0.1 200');
    paris.faults.compact();
    paris.faults.expireWatches();
    addPod('shop/b', { ip: '10.1.0.2' });
    await settled('paris-1 10.1.0.1 200', 'paris-1 10.1.0.2 200');
    paris.faults.sendToWatches('{"type":"DELETED","object":{"kind":"Pod"}}\n');
    deletePod('shop/b');
    await settled('paris-1 10.1.0.1 200');
  });

  it('wait for their node to be a host, and are told meanwhile', async () => {
    addPod('shop/a', { ip: '10.1.0.1', node: 'paris-3', label: '200' });
    addPod('shop/b', { ip: '10.1.0.2', label: 'gold' });
    addPod('shop/c', { ip: '10.1.0.3', label: '200' });
    await start();
    await settled('paris-1 10.1.0.3 200');
    await eventually(() => {
      expect(
        view()
          ?.problems.map(({ object }) => object)
          .sort(),
      ).toEqual(['Node paris-3', 'Pod shop/b']);
    });
    paris.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'paris-3' }, spec: {} });
    await settled('paris-1 10.1.0.3 200', 'paris-3 10.1.0.1 200');
    await eventually(() => {
      expect(view()?.problems.map(({ object }) => object)).toEqual(['Pod shop/b']);
    });
  });

  it('stay for a while when most of their namespaces are gone', async () => {
    const names = ['a', 'b', 'c', 'd'];
    for (const [i, name] of names.entries()) {
      paris.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      addPod(`${name}/p`, { ip: `10.1.0.${i}`, label: '200' });
    }
    await start();
    const all = names.map((_, i) => `paris-1 10.1.0.${i} 200`);
    await settled(...all);
    // Another API server, which knows nothing.
    await stop();
    const port = Number(new URL(paris.url).port);
    await paris.close();
    paris = await startApiServer({ port });
    writeFileSync(join(directory, 'paris'), paris.kubeconfig);
    await start(60_000);
    await eventually(() => {
      expect(view()?.problems.map(({ object }) => object)).toEqual(names.map((name) => `Namespace ${name}`));
    });
    expect(await members()).toEqual(all);
    await stop();
    await start(500);
    await settled();
  });

  it('of many pods that come at once are few revisions', async () => {
    labelNamespace('shop', '200');
    await start();
    await hostsKnown();
    const before = await topology.head();
    const count = 1_200;
    for (let i = 0; i < count; i++) addPod(`shop/p${i}`, { ip: `10.1.${i >> 8}.${i & 255}` });
    await eventually(async () => {
      expect(await members()).toHaveLength(count);
    });
    expect((await topology.head()).revision - before.revision).toBeLessThan(count / 10);
  });
});
