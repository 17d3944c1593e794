import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startApiServer, type ApiServer } from '../api-server.js';
import { calicoDefinitions } from '../calico-definitions.js';
import { Cluster } from './cluster.js';
import { RealApiServer } from './real-api-server.js';

const NODES = '/api/v1/nodes';
const CALICO = 'crd.projectcalico.org/v1';

// Here the stand-in plays the real server.
describe('a test on a real server', () => {
  let upstream: ApiServer;
  let paris: RealApiServer;
  let rome: RealApiServer;
  let cluster: Cluster;

  const node = (name: string) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
  const namesIn = async (path: string) => (await cluster.get(path)).items.map(({ metadata }) => metadata.name);

  beforeEach(async () => {
    upstream = await startApiServer();
    const folder = mkdtempSync(join(tmpdir(), 'waymark-real-'));
    writeFileSync(join(folder, 'config'), upstream.kubeconfig);
    paris = await RealApiServer.open(join(folder, 'config'), calicoDefinitions);
    rome = await RealApiServer.open(join(folder, 'config'), []);
    rmSync(folder, { recursive: true });
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromString(paris.kubeconfig);
    cluster = await Cluster.of(kubeConfig);
    upstream.create(node('of-nobody'));
  });

  afterEach(async () => {
    await Promise.all([paris.close(), rome.close()]);
    await upstream.close();
  });

  it('sees what it made, and only kinds that it asked for', async () => {
    await paris.create({ ...node('paris-1'), status: { phase: 'Running' } });
    await rome.create(node('rome-1'));
    expect(await namesIn(NODES)).toEqual(['paris-1']);
    expect(await paris.find('v1', 'Node', 'paris-1')).toMatchObject({ status: { phase: 'Running' } });
    expect((await paris.find('v1', 'Node', 'paris-1'))?.metadata.labels).toBeUndefined();
    expect((await paris.list('v1', 'Node')).map(({ metadata }) => metadata.name)).toEqual(['paris-1']);
    expect(await namesIn(`/apis/${CALICO}/blockaffinities`)).toEqual([]);
    cluster.kubeConfig.loadFromString(rome.kubeconfig);
    expect(await namesIn(NODES)).toEqual(['rome-1']);
    expect((await cluster.call('GET', `/apis/${CALICO}/blockaffinities`)).code).toBe(404);
  });

  it('follows it by a watch, which faults befall', async () => {
    const watch = await cluster.watch(NODES, 'resourceVersion=0');
    await paris.create(node('one'));
    expect(await watch.change()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'one' } } });
    await paris.replace({ ...node('one'), metadata: { name: 'one', labels: { a: 'b' } } });
    expect(await watch.change()).toMatchObject({ type: 'MODIFIED', object: { metadata: { labels: { a: 'b' } } } });
    expect(paris.watches).toBe(1);
    paris.faults.stallWatches();
    await paris.create(node('silent'));
    paris.faults.resumeWatches();
    expect(await watch.change()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'silent' } } });
    paris.faults.expireWatches();
    expect(await watch.next()).toMatchObject({ type: 'ERROR', object: { code: 410 } });
    expect(await watch.next()).toBeUndefined();
    const since = (await cluster.get(NODES)).metadata.resourceVersion;
    await paris.create(node('two'));
    paris.faults.compact();
    const late = await cluster.watch(NODES, `resourceVersion=${since}`);
    expect(await late.next()).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
    const dropped = await cluster.watch(NODES, `resourceVersion=${upstream.resourceVersion}`);
    expect(paris.faults.dropWatches()).toBe(1);
    await expect(dropped.next()).rejects.toThrow();
  });

  it('is refused, unanswered, or cut off as told, and every call is counted', async () => {
    paris.calls.reset();
    paris.faults.arm({ kind: 'status', code: 503 }, { verb: 'list' }, 1);
    expect((await cluster.call('GET', NODES)).code).toBe(503);
    paris.faults.arm({ kind: 'lost-answer' }, { verb: 'create' }, 1);
    const labels = { made: 'yes' };
    const body = { metadata: { name: 'made', labels } };
    await expect(cluster.call('POST', NODES, { body })).rejects.toThrow();
    expect(await paris.find('v1', 'Node', 'made')).toMatchObject({ metadata: { labels } });
    await paris.faults.goDown();
    await expect(cluster.call('GET', NODES)).rejects.toThrow('ECONNREFUSED');
    await paris.faults.comeUp();
    expect(await namesIn(NODES)).toEqual([]);
    expect(paris.calls.counts()).toEqual({ 'create nodes': 1, 'list nodes': 2 });
  });

  it('leaves nothing behind but definitions, whatever held it', async () => {
    const metadata = { name: 'held', finalizers: ['conformance.test/hold'] };
    await paris.create({ ...node('held'), metadata });
    await paris.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'map' }, data: { a: 'b' } });
    const { uid } = (await paris.find('v1', 'ConfigMap', 'map'))?.metadata ?? {};
    const event = { ...{ apiVersion: 'v1', kind: 'Event' }, metadata: { name: 'told' }, involvedObject: { uid } };
    upstream.create(event);
    expect((await paris.list('v1', 'Event')).map((one) => one.metadata.name)).toEqual(['told']);
    expect(await paris.delete('v1', 'Node', 'held')).toBe(false);
    await paris.close();
    expect(upstream.list('v1', 'Node').map((one) => one.metadata.name)).toEqual(['of-nobody']);
    expect([...upstream.list('v1', 'ConfigMap'), ...upstream.list('v1', 'Event')]).toEqual([]);
  });
});
