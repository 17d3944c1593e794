import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClusterHost } from '../model/topology.js';
import { ringTopology } from '../testing/topology-text.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { TedService } from './ted-service.js';

const actor = { name: 'kubernetes:paris' };

function host(id: string, changed: Partial<ClusterHost> = {}): ClusterHost {
  return { id, name: id, site: 'paris', address: null, podPrefixes: [], attachedTo: [], ...changed };
}

describe('the hosts of a cluster', () => {
  let database: TestDatabase;
  let topology: TedService;

  beforeEach(async () => {
    database = await createTestDatabase();
    topology = new TedService({ ...database, clock: () => new Date() });
    await topology.importTopology({ text: ringTopology(), format: 'native', source: 'file', actor });
  });

  afterEach(async () => {
    await database.drop();
  });

  const say = (...hosts: readonly ClusterHost[]) => topology.applyClusterHosts('paris', hosts, actor);
  const node = async (id: string) => (await topology.ted()).nodes.find((one) => one.id === id);
  const five = ['a', 'b', 'c', 'd', 'e'].map((id) => host(id, { attachedTo: ['r1'] }));

  it('add to what others say of a host, and take it back', async () => {
    await say(host('h1', { address: 'fd11::1', podPrefixes: ['10.1.0.0/26'] }));
    expect(await node('h1')).toMatchObject({ site: 'paris', address: 'fd11::1', podPrefixes: ['10.1.0.0/26'] });
    await say();
    expect(await node('h1')).toMatchObject({ site: null, address: null, podPrefixes: [] });
  });

  it('are hosts by themselves where they say to which routers they are attached', async () => {
    await say(host('k1', { attachedTo: ['r1', 'r2'] }), host('k2'), host('k3', { attachedTo: ['nowhere'] }));
    expect(await node('k1')).toMatchObject({ kind: 'host' });
    expect(await node('k2')).toBeUndefined();
    const links = (await topology.ted()).links.filter(({ from, to }) => [from, to].some((id) => id.startsWith('k')));
    expect(links.map(({ id, igpMetric }) => [id, igpMetric])).toEqual([
      ['k1:r1', 10],
      ['k1:r2', 10],
      ['r1:k1', 10],
      ['r2:k1', 10],
    ]);
  });

  it('are as far from their routers as the cluster says', async () => {
    const said = host('k1', { attachedTo: ['r1'], attachmentDelayUs: 20 });
    await say(said);
    const delays = async () => {
      const { links } = await topology.ted();
      return links.filter(({ id }) => id === 'k1:r1' || id === 'r1:k1').map(({ delayUs }) => delayUs);
    };
    expect(await delays()).toEqual([20, 20]);
    expect(await topology.clusterHosts('paris')).toEqual([said]);
    await say(host('k1', { attachedTo: ['r1'] }));
    expect(await delays()).toEqual([null, null]);
  });

  it('are read back as they were said', async () => {
    await say(...five, host('k', { address: 'fd11::1', podPrefixes: ['10.1.0.0/26'], attachedTo: ['r1', 'r2'] }));
    expect(await topology.clusterHosts('paris')).toEqual([
      ...five,
      host('k', { address: 'fd11::1', podPrefixes: ['10.1.0.0/26'], attachedTo: ['r1', 'r2'] }),
    ]);
    expect(await topology.clusterHosts('rome')).toEqual([]);
  });

  it('make no revision when the cluster says the same again', async () => {
    const first = await say(...five);
    expect(first).toEqual({ outcome: 'applied', revision: 2 });
    expect(await say(...[...five].reverse())).toEqual(first);
  });

  it('move a prefix from one to another in one revision', async () => {
    await say(host('h1', { podPrefixes: ['10.1.0.0/26'] }), host('h2'));
    const { revision } = await say(host('h1'), host('h2', { podPrefixes: ['10.1.0.0/26'] }));
    const { entities } = await topology.change(revision);
    expect(entities.map(({ id }) => id).sort()).toEqual(['h1', 'h2']);
  });

  it('are held when most of them go at once, until most are back', async () => {
    await say(...five);
    const held = await say(...five.slice(0, 2));
    expect(held).toMatchObject({ outcome: 'held', reason: '3 of 5 hosts of kubernetes:paris would be gone at once' });
    expect((await topology.source('kubernetes:paris')).held).not.toBeNull();
    expect(await node('e')).toBeDefined();
    expect(await say(...five.slice(0, 2))).toEqual(held);
    expect(await say(...five.slice(0, 4))).toMatchObject({ outcome: 'applied' });
    expect((await topology.source('kubernetes:paris')).held).toBeNull();
    expect(await node('e')).toBeUndefined();
  });

  it('are withdrawn when an operator believes it', async () => {
    await say(...five);
    await say();
    await topology.releaseSource('kubernetes:paris', 'apply', { name: 'alice' });
    expect(await node('a')).toBeUndefined();
    expect(await say()).toMatchObject({ outcome: 'applied' });
  });
});
