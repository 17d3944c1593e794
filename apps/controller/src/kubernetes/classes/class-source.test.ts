import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  openApiServer,
  type TestApiServer,
} from '../../../../../packages/kubernetes-stand-in/src/testing/test-api-server.js';
import { fencedTransaction } from '../../distribution/fence.js';
import { ServiceClasses } from '../../policies/service-classes.js';
import type { RevisionNumbers } from '../../storage/revision.js';
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
  let paris: TestApiServer;
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
    paris = await openApiServer();
    writeFileSync(join(directory, 'paris'), paris.kubeconfig);
    for (const name of ['paris-1', 'paris-2']) {
      await paris.create({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} });
    }
    for (const name of ['shop', 'plain']) await addNamespace(name);
  });

  afterEach(async () => {
    await stop();
    await topology.stop();
    await paris.close();
    rmSync(directory, { recursive: true });
    await database.drop();
  });

  const start = async (nodeGraceMs = 0, seen: Partial<Pick<TedService, 'clusterHosts' | 'onRevision'>> = {}) => {
    kubernetes = await Kubernetes.create({
      settings: {
        clusters: [{ name: 'paris', kubeconfig: join(directory, 'paris'), attachedTo: ['r1'], serviceClasses: true }],
        ...{ nodeGraceMs, prefixGraceMs: 0 },
      },
      ...{ topology, log, timing },
      objects: {
        classes,
        topology: {
          clusterHosts: (cluster: string) => topology.clusterHosts(cluster),
          onRevision: (listener: (numbers: RevisionNumbers) => void) => topology.onRevision(listener),
          ...seen,
        },
      } as never,
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
  const addNamespace = async (name: string) =>
    paris.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const labelNamespace = async (name: string, value?: string) =>
    paris.replace({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...labelled(value) } });
  const podObject = (path: string, { ip, node = 'paris-1', label }: Pod) => {
    const [namespace = '', name = ''] = path.split('/');
    return {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, ...labelled(label) } },
      spec: { nodeName: node, containers: [{ name: 'main', image: 'main' }] },
      status: { phase: 'Running', podIP: ip, podIPs: [{ ip }] },
    };
  };
  const addPod = async (path: string, some: Pod) => paris.create(podObject(path, some));
  const deletePod = async (path: string) => {
    const [namespace = '', name = ''] = path.split('/');
    await paris.delete('v1', 'Pod', name, namespace);
  };
  const members = async () =>
    (await classes.members('paris')).map(({ headend, address, color }) => `${headend} ${address} ${color}`);
  const settled = (...expected: string[]) =>
    eventually(async () => {
      expect(await members()).toEqual(expected);
    });
  const view = () => kubernetes.clusters()[0];

  it('follow labels of namespaces, and of pods that say another or none', async () => {
    await labelNamespace('shop', '200');
    await addPod('shop/a', { ip: '10.1.0.1' });
    await addPod('shop/b', { ip: '10.1.0.2', label: '300', node: 'paris-2' });
    await addPod('shop/c', { ip: '10.1.0.3', label: '' });
    await addPod('plain/d', { ip: '10.1.0.4' });
    await addPod('plain/e', { ip: 'fd10:1::5', label: '300' });
    await start();
    await settled('paris-1 10.1.0.1 200', 'paris-1 fd10:1::5 300', 'paris-2 10.1.0.2 300');
    await addPod('shop/f', { ip: '10.1.0.6' });
    await settled('paris-1 10.1.0.1 200', 'paris-1 10.1.0.6 200', 'paris-1 fd10:1::5 300', 'paris-2 10.1.0.2 300');
    await deletePod('shop/a');
    await paris.replace(podObject('shop/b', { ip: '10.1.0.2', node: 'paris-2' }));
    await settled('paris-1 10.1.0.6 200', 'paris-1 fd10:1::5 300', 'paris-2 10.1.0.2 200');
    await labelNamespace('plain', '200');
    await settled(...['paris-1 10.1.0.4 200', 'paris-1 10.1.0.6 200', 'paris-1 fd10:1::5 300', 'paris-2 10.1.0.2 200']);
    await labelNamespace('shop');
    await settled('paris-1 10.1.0.4 200', 'paris-1 fd10:1::5 300');
    expect(view()).toMatchObject({ trouble: null, problems: [] });
  });

  it('never list the pods of namespaces that have no label', async () => {
    await labelNamespace('shop', '200');
    await addPod('shop/a', { ip: '10.1.0.1' });
    await start();
    await settled('paris-1 10.1.0.1 200');
    // Namespaces, pods with the label, pods of shop, nodes.
    await eventually(() => {
      expect(paris.watches).toBe(4);
    });
    await labelNamespace('shop');
    await settled();
    await eventually(() => {
      expect(paris.watches).toBe(3);
    });
  });

  it('move to another color in one revision, and a pod by its own label too', async () => {
    await labelNamespace('shop', '200');
    for (const i of [1, 2, 3, 4, 5]) await addPod(`shop/p${i}`, { ip: `10.1.0.${i}` });
    await start();
    const all = (color: number) => [1, 2, 3, 4, 5].map((i) => `paris-1 10.1.0.${i} ${color}`);
    await settled(...all(200));
    await hostsKnown();
    const before = await topology.head();
    await labelNamespace('shop', '300');
    await settled(...all(300));
    expect((await topology.head()).revision).toBe(before.revision + 1);
    await paris.replace(podObject('shop/p1', { ip: '10.1.0.1', label: '200' }));
    await settled('paris-1 10.1.0.1 200', ...all(300).slice(1));
    expect((await topology.head()).revision).toBe(before.revision + 2);
    await paris.replace(podObject('shop/p1', { ip: '10.1.0.1', label: '400' }));
    await settled('paris-1 10.1.0.1 400', ...all(300).slice(1));
    expect((await topology.head()).revision).toBe(before.revision + 3);
  });

  it('stay while the API server is down, also when the controller starts then, and catch up with it', async () => {
    await labelNamespace('shop', '200');
    await addPod('shop/a', { ip: '10.1.0.1' });
    await addPod('plain/b', { ip: '10.1.0.2', label: '300' });
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
    await deletePod('shop/a');
    await labelNamespace('plain', '400');
    await addPod('plain/c', { ip: '10.1.0.3' });
    await paris.faults.comeUp();
    await settled('paris-1 10.1.0.2 300', 'paris-1 10.1.0.3 400');
  });

  it('are listed anew when the API server has forgotten, and lose nothing by nonsense', async () => {
    await labelNamespace('shop', '200');
    await addPod('shop/a', { ip: '10.1.0.1' });
    await start();
    await settled('paris-1 10.1.0.1 200');
    paris.faults.compact();
    paris.faults.expireWatches();
    await addPod('shop/b', { ip: '10.1.0.2' });
    await settled('paris-1 10.1.0.1 200', 'paris-1 10.1.0.2 200');
    paris.faults.sendToWatches('{"type":"DELETED","object":{"kind":"Pod"}}\n');
    await deletePod('shop/b');
    await settled('paris-1 10.1.0.1 200');
  });

  it('wait for their node to be a host, and are told meanwhile', async () => {
    await addPod('shop/a', { ip: '10.1.0.1', node: 'paris-3', label: '200' });
    await addPod('shop/b', { ip: '10.1.0.2', label: 'gold' });
    await addPod('shop/c', { ip: '10.1.0.3', label: '200' });
    await start();
    await settled('paris-1 10.1.0.3 200');
    await eventually(() => {
      expect(
        view()
          ?.problems.map(({ object }) => object)
          .sort(),
      ).toEqual(['Node paris-3', 'Pod shop/b']);
    });
    await paris.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'paris-3' }, spec: {} });
    await settled('paris-1 10.1.0.3 200', 'paris-3 10.1.0.1 200');
    await eventually(() => {
      expect(view()?.problems.map(({ object }) => object)).toEqual(['Pod shop/b']);
    });
  });

  it('see a host that comes while hosts are being read', async () => {
    await addPod('shop/a', { ip: '10.1.0.1', label: '200' });
    let changed: (numbers: RevisionNumbers) => void = () => undefined;
    let reads = 0;
    await start(0, {
      onRevision: (listener) => {
        changed = listener;
        return () => undefined;
      },
      clusterHosts: () => {
        reads += 1;
        if (reads > 1) return topology.clusterHosts('paris');
        return hostsKnown().then(() => {
          changed({ revision: 9, tedRevision: 9 });
          return [];
        });
      },
    });
    await settled('paris-1 10.1.0.1 200');
    expect(reads).toBe(2);
  });

  it('stay for a while when most of their namespaces are gone', async () => {
    const names = ['a', 'b', 'c', 'd'];
    for (const [i, name] of names.entries()) {
      await addNamespace(name);
      await addPod(`${name}/p`, { ip: `10.1.0.${i}`, label: '200' });
    }
    await start();
    const all = names.map((_, i) => `paris-1 10.1.0.${i} 200`);
    await settled(...all);
    // Another API server, which knows nothing.
    await stop();
    await paris.close();
    paris = await openApiServer();
    writeFileSync(join(directory, 'paris'), paris.kubeconfig);
    await start(60_000);
    await eventually(() => {
      expect(view()?.problems.map(({ object }) => object)).toEqual(names.map((name) => `Namespace ${name}`));
    });
    expect(await members()).toEqual(all);
    await stop();
    // One that cannot be written is no reason to wait as long once more.
    const change = vi.spyOn(classes, 'changeMembers').mockRejectedValueOnce(new Error('the database is away'));
    await start(500);
    const toldSince: unknown[] = [];
    await eventually(async () => {
      if (change.mock.calls.length > 0) toldSince.push(...(view()?.problems ?? []));
      expect(await members()).toEqual([]);
    });
    expect(toldSince).toEqual([]);
  });

  it('of many pods that come at once are few revisions', async () => {
    await labelNamespace('shop', '200');
    await start();
    await hostsKnown();
    const before = await topology.head();
    const count = 600;
    // However fast they can be made: the watch tells of all at once.
    paris.faults.stallWatches();
    await Promise.all(
      Array.from({ length: count }, async (_, i) => addPod(`shop/p${i}`, { ip: `10.1.${i >> 8}.${i & 255}` })),
    );
    paris.faults.resumeWatches();
    await eventually(async () => {
      expect(await members()).toHaveLength(count);
    });
    expect((await topology.head()).revision - before.revision).toBeLessThan(count / 10);
  }, 120_000);
});
