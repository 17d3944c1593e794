import { describe, expect, it } from 'vitest';
import { clusterHosts, type FoundHost } from './cluster-hosts.js';
import type { ClusterObjects, IpamBlock } from './objects.js';

const paris = {
  metadata: {
    name: 'paris-1',
    labels: { 'topology.kubernetes.io/zone': 'paris' },
    annotations: { 'projectcalico.org/IPv6Address': 'fd11:0::1000/64', 'waymark.dev/attached-to': 'par-a, par-b' },
  },
  spec: { podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24', 'fd20:0:1::/64'] },
  status: {
    addresses: [
      { type: 'Hostname', address: 'paris-1' },
      { type: 'InternalIP', address: '192.0.2.1' },
      { type: 'InternalIP', address: 'fd11::1' },
    ],
    conditions: [
      { type: 'MemoryPressure', status: 'False' },
      { type: 'Ready', status: 'True' },
    ],
  },
};
const rome = {
  metadata: { name: 'rome-1', annotations: { 'waymark.dev/node-id': 'dc-rome' } },
  status: {
    addresses: [{ type: 'InternalIP', address: 'FD11::2' }],
    conditions: [{ type: 'Ready', status: 'Unknown' }],
  },
};

const pool = (cidr: string, allowedUses?: string[]) => ({
  metadata: { name: cidr },
  spec: allowedUses === undefined ? { cidr } : { cidr, allowedUses },
});
const affinity = (node: string, cidr: string, more: object = {}) => ({
  metadata: { name: `${node}-${cidr}` },
  spec: { node, cidr, state: 'confirmed', deleted: 'false', ...more },
});

function prefixesOf(
  calico: Partial<NonNullable<ClusterObjects['calico']>>,
): Readonly<Record<string, readonly string[]>> {
  const { hosts, problems } = clusterHosts({
    nodes: [rome, paris],
    calico: { blockAffinities: [], ipPools: [pool('10.0.0.0/8'), pool('fd20::/16')], ipamBlocks: [], ...calico },
  });
  expect(problems).toEqual([]);
  return Object.fromEntries(hosts.map(({ name, podPrefixes }) => [name, podPrefixes]));
}

describe('the hosts of a cluster', () => {
  it('have what their nodes say, without Calico the podCIDRs', () => {
    const host: FoundHost = {
      name: 'paris-1',
      nodeId: null,
      site: 'paris',
      address: 'fd11::1000',
      ready: true,
      attachedTo: ['par-a', 'par-b'],
      podPrefixes: ['10.244.1.0/24', 'fd20:0:1::/64'],
      unclear: [],
    };
    const other: FoundHost = {
      name: 'rome-1',
      nodeId: 'dc-rome',
      site: null,
      address: 'fd11::2',
      ready: false,
      attachedTo: [],
      podPrefixes: [],
      unclear: [],
    };
    expect(clusterHosts({ nodes: [rome, paris], calico: null })).toEqual({ hosts: [host, other], problems: [] });
  });

  it('serve with Calico the blocks that are confirmed to be theirs, of pools for pods', () => {
    expect(
      prefixesOf({
        ipPools: [pool('10.0.0.0/8', ['Workload', 'Tunnel']), pool('fd20::/16'), pool('fcff::/48', ['Tunnel'])],
        blockAffinities: [
          affinity('paris-1', '10.1.0.0/26'),
          affinity('paris-1', 'fd20::40/122'),
          affinity('paris-1', '10.1.0.64/26', { state: 'pending' }),
          affinity('paris-1', '10.1.0.128/26', { deleted: 'true' }),
          affinity('paris-1', '10.1.0.192/26', { type: 'virtual' }),
          affinity('paris-1', 'fcff::/64'),
          affinity('rome-1', '172.16.0.0/26'),
          affinity('rome-1', '10.2.0.0/26'),
        ],
      }),
    ).toEqual({ 'paris-1': ['10.1.0.0/26', 'fd20::40/122'], 'rome-1': ['10.2.0.0/26'] });
  });

  it('serve single addresses that they borrowed, and those of blocks without an owner', () => {
    const pod = (node: string) => ({ secondary: { node, namespace: 'default', pod: 'web' } });
    const block = (cidr: string, affinity: string | null): IpamBlock => ({
      metadata: { name: cidr },
      spec: {
        cidr,
        affinity,
        allocations: [null, 0, 1, null, 2],
        attributes: [pod('paris-1'), pod('rome-1'), { secondary: { node: 'rome-1', type: 'ipipTunnelAddress' } }],
      },
    });
    expect(
      prefixesOf({
        blockAffinities: [affinity('paris-1', '10.1.0.0/26')],
        ipamBlocks: [block('10.1.0.0/26', 'host:paris-1'), block('fd20::40/122', null)],
      }),
    ).toEqual({ 'paris-1': ['10.1.0.0/26', 'fd20::41/128'], 'rome-1': ['10.1.0.2/32', 'fd20::42/128'] });
  });

  it('are attached to routers, each once, and have a site, if these can be such', () => {
    const routers = Array.from({ length: 20 }, (_, i) => `r${i}`);
    const { hosts, problems } = clusterHosts({
      nodes: [
        { metadata: { name: 'a', annotations: { 'waymark.dev/attached-to': 'r1, r1,r2,,r1' } } },
        {
          metadata: {
            name: 'b',
            labels: { 'topology.kubernetes.io/zone': 'z\u0000' },
            annotations: { 'waymark.dev/attached-to': 'r1,\u0000,r 2' },
          },
        },
        { metadata: { name: 'c', annotations: { 'waymark.dev/attached-to': routers.join(',') } } },
      ],
      calico: null,
    });
    expect(hosts.map(({ attachedTo }) => attachedTo)).toEqual([['r1', 'r2'], ['r1'], routers.slice(0, 16)]);
    expect(hosts.map(({ site }) => site)).toEqual([null, null, null]);
    expect(hosts.map(({ unclear }) => unclear)).toEqual([[], ['site', 'attachedTo'], ['attachedTo']]);
    expect(problems.map(({ object }) => object)).toEqual(['Node b', 'Node b', 'Node c']);
  });

  it('are there but for what cannot be read, which is told', () => {
    const { hosts, problems } = clusterHosts({
      nodes: [
        {},
        {
          metadata: { name: 'odd', annotations: { 'projectcalico.org/IPv6Address': 'fe80::1%eth0/64' } },
          spec: { podCIDR: '10.1.2.3/24' },
        },
      ],
      calico: null,
    });
    expect(hosts).toMatchObject([{ name: 'odd', address: null, unclear: ['address'], ready: false, podPrefixes: [] }]);
    expect(problems.map(({ object }) => object)).toEqual(['Node', 'Node odd', 'Node odd']);
  });
});
