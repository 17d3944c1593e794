import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApiServer, type ApiServer } from './api-server.js';
import { calicoDefinitions } from './calico-definitions.js';
import { Cluster, type Defined } from './testing/cluster.js';

const NODES = '/api/v1/nodes';

/** What only a stand-in does on demand: never run against a real cluster. */
describe.skipIf((process.env['TEST_KUBECONFIG'] ?? '') !== '')('faults', () => {
  let cluster: Cluster;
  let server: ApiServer;
  beforeAll(async () => {
    cluster = await Cluster.open();
    server = cluster.standIn ?? (await startApiServer());
    server.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
  });
  afterAll(() => cluster.close());

  it('refuses with any code, so often, for the requests that match', async () => {
    server.faults.arm({ kind: 'status', code: 429, retryAfterSeconds: 2 }, { verb: 'list', resource: 'nodes' }, 2);
    const refused = await cluster.call('GET', NODES);
    expect(refused).toMatchObject({
      code: 429,
      body: { kind: 'Status', reason: 'TooManyRequests', details: { retryAfterSeconds: 2 } },
    });
    expect(refused.headers['retry-after']).toBe('2');
    expect((await cluster.call('GET', `${NODES}/n1`)).code).toBe(200);
    expect((await cluster.call('GET', NODES)).code).toBe(429);
    expect((await cluster.call('GET', NODES)).code).toBe(200);
  });

  it('answers nonsense, breaks connections, and loses answers of what it did', async () => {
    server.faults.arm({ kind: 'nonsense', body: '{"kind":"NodeList","items":[{' }, { resource: 'nodes' }, 1);
    await expect(cluster.call('GET', NODES)).rejects.toThrow(SyntaxError);
    server.faults.arm({ kind: 'reset' }, { verb: 'create' }, 1);
    await expect(cluster.call('POST', NODES, { body: { metadata: { name: 'unmade' } } })).rejects.toThrow();
    expect(server.find('v1', 'Node', 'unmade')).toBeUndefined();
    server.faults.arm({ kind: 'lost-answer' }, { verb: 'create' }, 1);
    await expect(cluster.call('POST', NODES, { body: { metadata: { name: 'made' } } })).rejects.toThrow();
    expect(server.find('v1', 'Node', 'made')).toBeDefined();
  });

  it('is late, and hangs until the connection breaks', async () => {
    let answered = false;
    server.faults.arm({ kind: 'hang' }, { resource: 'nodes' }, 1);
    const hanging = cluster.call('GET', NODES).finally(() => (answered = true));
    hanging.catch(() => undefined);
    server.faults.arm({ kind: 'delay', ms: 50 }, { resource: 'nodes' }, 1);
    expect((await cluster.call('GET', NODES)).code).toBe(200);
    expect(answered).toBe(false);
    await server.faults.goDown();
    await expect(hanging).rejects.toThrow();
    await server.faults.comeUp();
  });

  it('goes down and comes back on the same port with what it had', async () => {
    const watch = await cluster.watch(NODES, '');
    await server.faults.goDown();
    // What had arrived before may still be read.
    const drain = async (): Promise<void> => {
      while ((await watch.next()) !== undefined);
    };
    await expect(drain()).rejects.toThrow();
    await expect(cluster.call('GET', NODES)).rejects.toThrow('ECONNREFUSED');
    await server.faults.comeUp();
    expect((await cluster.get(`${NODES}/n1`)).metadata.name).toBe('n1');
  });

  it('drops watches, and stalls them until they are resumed', async () => {
    const { metadata } = await cluster.get(NODES);
    const watch = await cluster.watch(NODES, `resourceVersion=${metadata.resourceVersion}&allowWatchBookmarks=true`);
    expect(server.watches).toBe(1);
    const sent = server.watchEvents;
    server.faults.stallWatches({ resource: 'nodes' });
    server.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'silent' } });
    server.faults.bookmark();
    const event = watch.next();
    const first = await Promise.race([event.then(() => 'event'), cluster.get(NODES).then(() => 'list')]);
    expect(first).toBe('list');
    server.faults.resumeWatches();
    expect(await event).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'silent' } } });
    expect(await watch.next()).toMatchObject({
      type: 'BOOKMARK',
      object: { metadata: { resourceVersion: String(server.resourceVersion) } },
    });
    expect(server.watchEvents).toBe(sent + 2);
    server.faults.sendToWatches('{"type":"ADDED","obj\n');
    await expect(watch.next()).rejects.toThrow(SyntaxError);
    expect(server.faults.dropWatches()).toBe(1);
    await expect(watch.next()).rejects.toThrow();
  });

  it('forgets the past: watches cannot resume, pages cannot go on', async () => {
    const { metadata } = await cluster.get(`${NODES}?limit=1`);
    server.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n2' } });
    server.faults.compact();
    const watch = await cluster.watch(NODES, `resourceVersion=${metadata.resourceVersion}`);
    expect(await watch.next()).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
    const page = await cluster.call('GET', `${NODES}?limit=1&continue=${metadata.continue ?? ''}`);
    expect(page).toMatchObject({ code: 410, body: { reason: 'Expired' } });
    const { metadata: fresh } = await cluster.get(NODES);
    const resumed = await cluster.watch(NODES, `resourceVersion=${fresh.resourceVersion}`);
    server.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n3' } });
    expect(await resumed.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'n3' } } });
    resumed.close();
  });

  it('ends an open watch with 410', async () => {
    const watch = await cluster.watch(NODES, `resourceVersion=${server.resourceVersion}`);
    server.faults.expireWatches();
    expect(await watch.next()).toMatchObject({ type: 'ERROR', object: { code: 410 } });
    expect(await watch.next()).toBeUndefined();
  });

  it('ends open watches without a word, and says how many it reached', async () => {
    const watch = await cluster.watch(NODES, `resourceVersion=${server.resourceVersion}`);
    const other = await cluster.watch('/api/v1/pods', `resourceVersion=${server.resourceVersion}`);
    const nodes = { resource: 'nodes' };
    const event = { type: 'BOOKMARK', object: { kind: 'Node' } };
    expect(server.faults.sendToWatches(`${JSON.stringify(event)}\n`, nodes)).toBe(1);
    expect(server.faults.endWatches(nodes)).toBe(1);
    expect(await watch.next()).toEqual(event);
    expect(await watch.next()).toBeUndefined();
    expect(server.faults.endWatches(nodes)).toBe(0);
    expect(server.faults.expireWatches()).toBe(1);
    other.close();
  });

  it('keeps so many changes of a resource for those who resume', async () => {
    await using small = await startApiServer({ watchWindow: 2 });
    const since = small.resourceVersion;
    for (let n = 0; n < 10; n += 1) small.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: `n${n}` } });
    cluster.kubeConfig.loadFromString(small.kubeconfig);
    try {
      const old = await cluster.watch(NODES, `resourceVersion=${since}`);
      expect(await old.next()).toMatchObject({ type: 'ERROR', object: { code: 410 } });
      const near = await cluster.watch(NODES, `resourceVersion=${small.resourceVersion - 2}`);
      expect(await near.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'n8' } } });
      near.close();
    } finally {
      cluster.kubeConfig.loadFromString(server.kubeconfig);
    }
  });

  it("serves definitions that were given from the start, as Calico's", async () => {
    await using calico = await startApiServer({ definitions: calicoDefinitions });
    const spec = { cidr: '10.1.0.0/26', node: 'n1', state: 'confirmed', deleted: 'false' };
    calico.create({
      apiVersion: 'crd.projectcalico.org/v1',
      kind: 'BlockAffinity',
      metadata: { name: 'n1-10-1-0-0-26' },
      spec,
    });
    cluster.kubeConfig.loadFromString(calico.kubeconfig);
    try {
      const { items } = await cluster.get('/apis/crd.projectcalico.org/v1/blockaffinities');
      expect(items).toMatchObject([{ kind: 'BlockAffinity', spec }]);
    } finally {
      cluster.kubeConfig.loadFromString(server.kubeconfig);
    }
  });

  it('counts calls by verb and resource', async () => {
    server.calls.reset();
    await cluster.get(NODES);
    await cluster.get(`${NODES}/n1`);
    await cluster.mergePatch(`${NODES}/n1/status`, { status: {} });
    expect(server.calls.counts()).toEqual({ 'get nodes': 1, 'list nodes': 1, 'patch nodes/status': 1 });
    expect(server.calls.count('list nodes')).toBe(1);
    expect(server.calls.count()).toBe(3);
  });

  it('lets nobody in without a token, and users do what their rules say', async () => {
    const widgets: Defined = await cluster.define({ spec: { type: 'object' } });
    const { group } = widgets;
    const rules = [
      { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list'] },
      { apiGroups: [group], resources: ['widgets'], verbs: ['patch'], resourceNames: ['one'] },
      { apiGroups: [group], resources: ['widgets/status'], verbs: ['*'] },
    ];
    const inDefault = {
      namespace: 'default',
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create'] }],
    };
    cluster.kubeConfig.loadFromString(server.addUser('reader', [{ rules }, inDefault]));
    try {
      expect((await cluster.call('GET', NODES)).code).toBe(200);
      const refused = await cluster.call('DELETE', `${NODES}/n1`);
      expect(refused).toMatchObject({ code: 403, body: { kind: 'Status', reason: 'Forbidden' } });
      expect(refused.body.message).toBe(
        'nodes "n1" is forbidden: User "reader" cannot delete resource "nodes" in API group "" at the cluster scope',
      );
      // Applied into being, an object is created, and that is not allowed.
      expect((await cluster.apply(`${widgets.path}/one`, 'm', widgets.object('one'))).code).toBe(403);
      expect((await cluster.call('GET', `${widgets.path}/one/status`)).code).toBe(404);
      const map = (namespace: string): string => `/api/v1/namespaces/${namespace}/configmaps`;
      expect((await cluster.call('POST', map('default'), { body: { metadata: { name: 'x' } } })).code).toBe(201);
      expect((await cluster.call('POST', map('kube-system'), { body: { metadata: { name: 'x' } } })).code).toBe(403);
      cluster.kubeConfig.loadFromString(server.kubeconfig.replace(/token: .*/, 'token: wrong'));
      expect(await cluster.call('GET', NODES)).toMatchObject({ code: 401, body: { reason: 'Unauthorized' } });
    } finally {
      cluster.kubeConfig.loadFromString(server.kubeconfig);
    }
  });

  it('empties a namespace that is deleted, and lets nothing new in meanwhile', async () => {
    const path = '/api/v1/namespaces/doomed';
    await cluster.post('/api/v1/namespaces', { metadata: { name: 'doomed' } });
    const held = { metadata: { name: 'held', finalizers: ['conformance.test/hold'] } };
    await cluster.post(`${path}/configmaps`, held);
    await cluster.post(`${path}/configmaps`, { metadata: { name: 'free' } });
    await cluster.call('DELETE', path);
    await expect.poll(async () => (await cluster.call('GET', `${path}/configmaps/free`)).code).toBe(404);
    expect(await cluster.get(path)).toMatchObject({ status: { phase: 'Terminating' } });
    expect((await cluster.call('POST', `${path}/configmaps`, { body: { metadata: { name: 'late' } } })).code).toBe(403);
    await cluster.mergePatch(`${path}/configmaps/held`, { metadata: { finalizers: null } });
    await expect.poll(async () => (await cluster.call('GET', path)).code).toBe(404);
  });
});
