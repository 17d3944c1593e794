import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSrv6Config, srv6ConfigNamespace, type ConfigMap } from '@waymark/kubernetes-resources';
import { calicoDefinitions, type KubeObject } from '@waymark/kubernetes-stand-in';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../apps/controller/src/testing/eventually.js';
import { openApiServer, type TestApiServer } from '../../packages/kubernetes-stand-in/src/testing/test-api-server.js';
import { startSystem, type StartedSystem } from '../started-system.js';

/** Of the demo topology. */
const hosts = {
  london: { address: 'fd00:ffff:1:4::1', pods: ['10.4.0.0/16', 'fd00:4::/48'], sids: 'fcbb:bb00:2c' },
  athens: { address: 'fd00:ffff:1:2::1', pods: ['10.2.0.0/16', 'fd00:2::/48'], sids: 'fcbb:bb00:2a' },
  frankfurt: { address: 'fd00:ffff:1:3::1', pods: ['10.3.0.0/16', 'fd00:3::/48'], sids: 'fcbb:bb00:2b' },
  amsterdam: { address: 'fd00:ffff:1:1::1', pods: ['10.1.0.0/16', 'fd00:1::/48'], sids: 'fcbb:bb00:29' },
};
type Name = keyof typeof hosts;
const names = Object.keys(hosts) as Name[];
const dt4 = (name: Name) => `${hosts[name].sids}:1::`;
const dt6 = (name: Name) => `${hosts[name].sids}:2::`;
const [germany, austria, italy] = ['fcbb:bb00:8:1::', 'fcbb:bb00:1:1::', 'fcbb:bb00:14:1::'];

let server: TestApiServer;
let system: StartedSystem;
let directory: string;

async function start(configMaps: 'read' | 'write'): Promise<void> {
  const file = join(directory, 'kubernetes.json');
  const cluster = { name: 'paris', kubeconfig: join(directory, 'kubeconfig'), nodeIdPrefix: 'dc-', configMaps };
  writeFileSync(file, JSON.stringify({ clusters: [cluster] }));
  system = await startSystem({ WAYMARK_KUBERNETES: file });
  await system.settled();
}

const calico = 'crd.projectcalico.org/v1';

function node(name: Name) {
  const annotations = { 'projectcalico.org/IPv6Address': `${hosts[name].address}/64` };
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, annotations } };
}

/** Calico's word for a prefix of pods that the node has. */
function block(name: Name, cidr: string) {
  return {
    ...{ apiVersion: calico, kind: 'BlockAffinity' },
    metadata: { name: `${name}-${cidr.replace(/[^0-9a-f]+/g, '-')}` },
    spec: { node: name, cidr, state: 'confirmed', deleted: 'false' },
  };
}

const find = async (name: string) => server.find('v1', 'ConfigMap', name, srv6ConfigNamespace);
const remove = async (name: string) => server.delete('v1', 'ConfigMap', name, srv6ConfigNamespace);

async function put(name: string, data: Readonly<Record<string, string>>): Promise<void> {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: srv6ConfigNamespace }, data };
  if ((await find(name)) === undefined) await server.create(object);
  else await server.replace(object);
}

/** A ConfigMap of the paper, as it is written by hand. */
const text = (headend: Name, policies: readonly { egress: string; traffic: string; list: readonly string[] }[]) => `
localsids: {DT4: "${dt4(headend)}", DT6: "${dt6(headend)}"}
node: ${headend}
policies:${policies.length === 0 ? ' []' : ''}
${policies
  .map(
    ({ egress, traffic, list }, i) => `- bsid: "cafe::${i + 1}"
  node: "${egress}"
  segment_list: [${list.map((sid) => `"${sid}"`).join(', ')}]
  traffic: ${traffic}`,
  )
  .join('\n')}
`;

const both = (headend: Name, egress: Name, via4: readonly string[], via6: readonly string[]) =>
  text(headend, [
    { egress: hosts[egress].address, traffic: 'IPv6', list: [...via6, dt6(egress)] },
    { egress: hosts[egress].address, traffic: 'IPv4', list: [...via4, dt4(egress)] },
  ]);

async function rest(path: string, init?: RequestInit) {
  const response = await fetch(system.url + path, init);
  const body = await response.text();
  return { status: response.status, body: body === '' ? null : (JSON.parse(body) as Record<string, unknown>) };
}

interface Policy {
  readonly id: string;
  readonly owner: string | null;
  readonly intent: { readonly steeredPrefixes?: readonly string[] };
  readonly state: {
    readonly status: string;
    readonly steering: readonly unknown[];
    readonly lists: readonly {
      readonly segmentLists: readonly { readonly family: string; readonly entries: readonly { address: string }[] }[];
    }[];
  } | null;
}

const policies = async () => (await rest('/v1/sr-policies?limit=1000')).body?.['items'] as readonly Policy[];
/** Lists in use, by policy and family. */
const lists = async () =>
  Object.fromEntries(
    (await policies()).map(({ id, state }) => [
      id,
      Object.fromEntries(
        (state?.lists[0]?.segmentLists ?? []).map(({ family, entries }) => [family, entries.map((one) => one.address)]),
      ),
    ]),
  );
const problems = async () => {
  const { items } = (await rest('/v1/clusters')).body as {
    items: readonly { problems: readonly { object: string; message: string }[] }[];
  };
  return items.flatMap((cluster) => cluster.problems.map(({ object, message }) => `${object}: ${message}`));
};
const events = async (reason: string) =>
  ((await server.list('v1', 'Event')) as unknown as readonly { reason: string; message: string }[])
    .filter((event) => event.reason === reason)
    .map(({ message }) => message);

beforeAll(async () => {
  server = await openApiServer(calicoDefinitions);
  directory = mkdtempSync(join(tmpdir(), 'waymark-config-maps-'));
  writeFileSync(join(directory, 'kubeconfig'), server.kubeconfig);
  await server.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: srv6ConfigNamespace } });
  for (const [name, cidr] of [
    ['ipv4', '10.0.0.0/8'],
    ['ipv6', 'fd00::/16'],
  ] as const) {
    await server.create({ apiVersion: calico, kind: 'IPPool', metadata: { name }, spec: { cidr } });
  }
  for (const name of names) {
    await server.create(node(name));
    for (const cidr of hosts[name].pods) await server.create(block(name, cidr));
  }
});

afterAll(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
});

// The demo topology, with dry-run agents.
describe('ConfigMaps of the paper, read', () => {
  beforeAll(() => start('read'), 240_000);
  afterAll(() => system.stop());

  it('become explicit paths that REST cannot change: one policy where both families go the same way', async () => {
    await put('srv6-config-london', { srv6: both('london', 'athens', [germany, austria], [germany, austria]) });
    await put('calico-vpp-config', { CALICOVPP_SRV6: '{}' });
    const id = 'dc-london:1001:dc-athens';
    await eventually(async () => {
      expect(await lists()).toEqual({
        [id]: { ipv4: [germany, austria, dt4('athens')], ipv6: [germany, austria, dt6('athens')] },
      });
    }, 30_000);
    const [policy] = await policies();
    expect(policy).toMatchObject({
      owner: 'kubernetes:paris/ConfigMap/srv6-config-london',
      state: { status: 'up', steering: hosts.athens.pods.map((prefix) => ({ prefix, heldBy: null })) },
    });
    const refused = await rest(`/v1/sr-policies/${id}`, { method: 'DELETE', headers: { 'if-match': '*' } });
    expect(refused).toMatchObject({ status: 409, body: { code: 'owned-elsewhere' } });
    expect(await problems()).toEqual([]);
  }, 120_000);

  it('are a policy for each family where these go different ways, with the prefixes that the endpoint has now', async () => {
    await put('srv6-config-london', { srv6: both('london', 'athens', [germany, italy], [germany, austria]) });
    await eventually(async () => {
      expect(await lists()).toEqual({
        'dc-london:1001:dc-athens': expect.objectContaining({ ipv6: [germany, austria, dt6('athens')] }) as unknown,
        'dc-london:1002:dc-athens': expect.objectContaining({ ipv4: [germany, italy, dt4('athens')] }) as unknown,
      });
    }, 30_000);
    const steered = async () => (await policies()).map(({ intent }) => intent.steeredPrefixes);
    expect(await steered()).toEqual([['fd00:2::/48'], ['10.2.0.0/16']]);
    const more = block('athens', '10.22.0.0/16');
    await server.create(more);
    await eventually(async () => {
      expect(await steered()).toEqual([['fd00:2::/48'], ['10.2.0.0/16', '10.22.0.0/16']]);
    }, 30_000);
    await server.delete(calico, 'BlockAffinity', more.metadata.name);
    await put('srv6-config-london', { srv6: both('london', 'athens', [austria], [austria]) });
    await eventually(async () => {
      expect(await lists()).toEqual({
        'dc-london:1001:dc-athens': { ipv4: [austria, dt4('athens')], ipv6: [austria, dt6('athens')] },
      });
      expect(await steered()).toEqual([undefined]);
    }, 30_000);
  }, 120_000);

  it('withdraw nothing by what cannot be used, and are told what that is', async () => {
    const good = await lists();
    const says = async (message: string) => {
      await eventually(async () => {
        expect((await problems()).join()).toContain(`ConfigMap srv6-config-london: ${message}`);
        expect((await events('Refused')).join()).toContain(message);
      }, 30_000);
      expect(await lists()).toEqual(good);
    };
    await put('srv6-config-london', { srv6: 'node: [' });
    await says('data.srv6: is not YAML');
    await put('srv6-config-london', {
      srv6: text('london', [{ egress: 'fd00::99', traffic: 'IPv4', list: [dt4('athens')] }]),
    });
    await says('node london, policy to fd00::99: no node of the topology has this address');
    const wrong = { egress: hosts.athens.address, traffic: 'IPv4', list: [italy, dt6('athens')] };
    await put('srv6-config-london', { srv6: text('london', [wrong]) });
    await says(`node london, policy to ${hosts.athens.address}: the ipv4 list ends in ${dt6('athens')}`);
    await put('srv6-config-london', { srv6: both('london', 'athens', [austria], [austria]) });
    await eventually(async () => {
      expect(await problems()).toEqual([]);
      expect(await events('Accepted')).toHaveLength(1);
    }, 30_000);
  }, 120_000);

  it('withdraw what they asked for when they are deleted; that most go at once is not believed', async () => {
    await remove('srv6-config-london');
    await eventually(async () => {
      expect(await lists()).toEqual({});
    }, 30_000);
    const pairs = [...names.keys()].map((i) => [names[i], names[(i + 1) % names.length]] as [Name, Name]);
    for (const [from, to] of pairs) await put(`srv6-config-${from}`, { srv6: both(from, to, [], []) });
    const expected = pairs.map(([from, to]) => `dc-${from}:1001:dc-${to}`).sort();
    await eventually(async () => {
      expect(Object.keys(await lists()).sort()).toEqual(expected);
    }, 30_000);
    for (const [from] of pairs) await remove(`srv6-config-${from}`);
    await eventually(async () => {
      expect(await problems()).toHaveLength(4);
    }, 30_000);
    expect(Object.keys(await lists()).sort()).toEqual(expected);
    for (const [from] of pairs) await put(`srv6-config-${from}`, { srv6: text(from, []) });
    await eventually(async () => {
      expect(await lists()).toEqual({});
      expect(await problems()).toEqual([]);
    }, 30_000);
    for (const [from] of pairs) await remove(`srv6-config-${from}`);
  }, 180_000);

  it('may be one for all nodes', async () => {
    await put('srv6-config', {
      london: both('london', 'athens', [germany], [germany]),
      athens: text('athens', [{ egress: hosts.london.address, traffic: 'IPv4', list: [austria, dt4('london')] }]),
    });
    await eventually(async () => {
      expect(Object.keys(await lists())).toEqual(['dc-athens:1002:dc-london', 'dc-london:1001:dc-athens']);
    }, 30_000);
    await remove('srv6-config');
    await eventually(async () => {
      expect(await lists()).toEqual({});
    }, 30_000);
  }, 120_000);
});

describe('ConfigMaps of the paper, written', () => {
  const written = async (name: string) => {
    const [config] = readSrv6Config((await find(name)) as unknown as ConfigMap);
    return config;
  };
  const create = (headend: Name, endpoint: Name, color: number, sids?: readonly (readonly string[])[]) => {
    const path =
      sids === undefined
        ? { kind: 'dynamic', metric: 'delay', constraints: {} }
        : { kind: 'explicit', segmentLists: sids.map((one, i) => ({ weight: i + 1, sids: one })) };
    return rest('/v1/sr-policies', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ headend: `dc-${headend}`, endpoint: `dc-${endpoint}`, color },
        candidatePaths: [{ discriminator: 1, preference: 100, path }],
        fallback: 'shortest-path',
      }),
    });
  };

  beforeAll(() => start('write'), 240_000);
  afterAll(() => system.stop());

  it('say what is in force, are put right, and go with their policies', async () => {
    await put('srv6-config-frankfurt', { srv6: 'by hand' });
    expect(await create('london', 'athens', 900)).toMatchObject({ status: 201 });
    await create('london', 'frankfurt', 901, [[austria], [germany, italy]]);
    await create('frankfurt', 'london', 902);
    await system.settled();
    await eventually(async () => {
      const config = await written('srv6-config-london');
      const { 'dc-london:900:dc-athens': toAthens, 'dc-london:901:dc-frankfurt': toFrankfurt } = await lists();
      expect(config?.localSids).toEqual({ ipv4: dt4('london'), ipv6: dt6('london') });
      expect(config?.policies.map(({ egress, family, sids }) => ({ egress, family, sids }))).toEqual([
        { egress: hosts.athens.address, family: 'ipv4', sids: toAthens?.['ipv4'] },
        { egress: hosts.athens.address, family: 'ipv6', sids: toAthens?.['ipv6'] },
        { egress: hosts.frankfurt.address, family: 'ipv4', sids: [germany, italy, dt4('frankfurt')] },
        { egress: hosts.frankfurt.address, family: 'ipv6', sids: [germany, italy, dt6('frankfurt')] },
      ]);
      expect(toFrankfurt).toBeDefined();
    }, 30_000);
    const { metadata } = (await find('srv6-config-london')) as KubeObject;
    expect(metadata.labels).toEqual({ 'app.kubernetes.io/managed-by': 'waymark' });
    expect(metadata.annotations?.['waymark.dev/left-out']).toContain('2 weighted lists; the heaviest is written');
    await eventually(async () => {
      expect((await problems()).join()).toContain('ConfigMap srv6-config-frankfurt: it is not written');
    }, 30_000);
    expect(await find('srv6-config-frankfurt')).toMatchObject({ data: { srv6: 'by hand' } });

    const before = await written('srv6-config-london');
    await server.replace({ ...((await find('srv6-config-london')) as KubeObject), data: { srv6: 'changed' } });
    await eventually(async () => {
      expect(await written('srv6-config-london')).toEqual(before);
    }, 30_000);
    await remove('srv6-config-london');
    await eventually(async () => {
      expect(await written('srv6-config-london')).toEqual(before);
    }, 30_000);

    for (const id of ['dc-london:901:dc-frankfurt', 'dc-frankfurt:902:dc-london']) {
      expect(await rest(`/v1/sr-policies/${id}`, { method: 'DELETE', headers: { 'if-match': '*' } })).toMatchObject({
        status: 204,
      });
    }
    await eventually(async () => {
      expect((await written('srv6-config-london'))?.policies).toHaveLength(2);
    }, 30_000);
    await rest('/v1/sr-policies/dc-london:900:dc-athens', { method: 'DELETE', headers: { 'if-match': '*' } });
    await eventually(async () => {
      expect(await find('srv6-config-london')).toBeUndefined();
    }, 30_000);
    await remove('srv6-config-frankfurt');
  }, 240_000);

  it('are read back as the same lists', async () => {
    await create('london', 'athens', 910, [[germany, austria]]);
    await create('athens', 'london', 911);
    await create('frankfurt', 'athens', 912);
    await system.settled();
    await eventually(async () => {
      for (const name of ['london', 'athens', 'frankfurt']) expect(await find(`srv6-config-${name}`)).toBeDefined();
    }, 30_000);
    const sent = Object.entries(await lists()).map(([id, byFamily]) => [id.replace(/:\d+:/, ':'), byFamily]);
    await system.stop();
    const refused = await events('Refused');
    await start('read');
    await eventually(async () => {
      const read = Object.entries(await lists()).map(([id, byFamily]) => [id.replace(/:\d+:/, ':'), byFamily]);
      expect(Object.fromEntries(read)).toEqual(Object.fromEntries(sent));
    }, 30_000);
    expect(await problems()).toEqual([]);
    expect(await events('Refused')).toEqual(refused);
  }, 240_000);
});
