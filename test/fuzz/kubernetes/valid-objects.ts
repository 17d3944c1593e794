import type { NewObject } from '@waymark/kubernetes-stand-in';
import { stringify } from 'yaml';
import { resources, SHOP, type Kind } from './resources.js';

/** Service SIDs of data centres of the demo, as their nodes' ConfigMaps name them. */
const sids = { athens: ['fcbb:bb00:2a:1::', 'fcbb:bb00:2a:2::'], london: ['fcbb:bb00:2c:1::', 'fcbb:bb00:2c:2::'] };
const athensAddress = 'fd00:ffff:1:2::1';

export function object(kind: Kind, name: string, rest: object, metadata: object = {}): NewObject {
  const { apiVersion, namespace } = resources[kind];
  return {
    ...{ apiVersion, kind },
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), ...metadata },
    ...rest,
  };
}

/** Attached to a router, so that only the cluster says that it is a host. */
export function attachedNode(name: string, number: number): NewObject {
  return object(
    'Node',
    name,
    {
      spec: { podCIDR: `10.50.${number}.0/24`, podCIDRs: [`10.50.${number}.0/24`] },
      status: {
        addresses: [
          { type: 'InternalIP', address: `fd00:50::${number.toString(16)}` },
          { type: 'Hostname', address: name },
        ],
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    },
    {
      labels: { 'topology.kubernetes.io/zone': 'paris' },
      annotations: {
        'projectcalico.org/IPv6Address': `fd00:51::${number.toString(16)}/64`,
        'waymark.dev/attached-to': 'UK,FR',
      },
    },
  );
}

export function block(name: string, node: string, cidr: string): NewObject {
  return object('BlockAffinity', name, { spec: { node, cidr, state: 'confirmed', deleted: 'false', type: 'host' } });
}

export function pool(name: string, cidr: string): NewObject {
  return object('IPPool', name, { spec: { cidr, blockSize: 26, allowedUses: ['Workload', 'Tunnel'] } });
}

/** One address of a block of london's is lent to a pod of another node. */
export function lendingBlock(name: string, cidr: string, borrower: string): NewObject {
  return object('IPAMBlock', name, {
    spec: {
      ...{ cidr, affinity: 'host:london', allocations: [null, 0, 1], strictAffinity: false, unallocated: [0] },
      attributes: [
        { handle_id: 'a', secondary: { node: borrower, pod: 'p', namespace: SHOP } },
        { handle_id: 'b', secondary: { node: 'london', pod: 'q', namespace: SHOP } },
      ],
    },
  });
}

/** The ConfigMap of a node with a policy to Athens for both families. */
export function configMap(node: string, transit: readonly string[]): NewObject {
  return object('ConfigMap', `srv6-config-${node}`, { data: { srv6: stringify(srv6Config(node, transit)) } });
}

export function srv6Config(node: string, transit: readonly string[]) {
  const [dt4, dt6] = sids.athens;
  return {
    localsids: { DT4: sids.london[0], DT6: sids.london[1] },
    node,
    policies: [
      { bsid: 'cafe::1c3', node: athensAddress, segment_list: [...transit, dt6], traffic: 'IPv6' },
      { bsid: 'cafe::1c4', node: athensAddress, segment_list: [...transit, dt4], traffic: 'IPv4' },
    ],
  };
}

export function namespace(name: string, color: string): NewObject {
  return object('Namespace', name, {}, { labels: { 'waymark.dev/color': color } });
}

export function pod(
  name: string,
  ip: string,
  more: { readonly color?: string; readonly namespace?: string },
): NewObject {
  const labels = more.color === undefined ? {} : { labels: { 'waymark.dev/color': more.color } };
  return object(
    'Pod',
    name,
    {
      spec: { nodeName: 'london', hostNetwork: false },
      status: { phase: 'Running', podIP: ip, podIPs: [{ ip }] },
    },
    { namespace: more.namespace ?? SHOP, ...labels },
  );
}

const candidatePaths = (maxDelayUs: number) => [
  {
    ...{ discriminator: 1, preference: 100 },
    path: {
      ...{ kind: 'dynamic', metric: 'delay' },
      constraints: { bounds: [{ metric: 'delay', max: maxDelayUs }], exclude: { nodes: ['BE'] } },
    },
  },
];

/** Specs of our kinds. `variant` makes one that differs from the others in nothing that matters to others. */
export const specs: Readonly<
  Record<'SRPolicy' | 'PolicyMesh' | 'LinkConstraint' | 'PathProfile', (v: Variant) => object>
> = {
  SRPolicy: ({ color, maxDelayUs }) => ({
    ...{ headend: 'dc-madrid', color, endpoint: 'dc-milan', name: 'by an object' },
    ...{ candidatePaths: candidatePaths(maxDelayUs), fallback: 'drop' },
    steeredPrefixes: [`10.66.${color % 256}.0/24`],
  }),
  PolicyMesh: ({ color, maxDelayUs }) => ({
    ...{ color, selector: { nodes: ['dc-milan', 'dc-vienna', 'dc-madrid'] } },
    ...{ candidatePaths: candidatePaths(maxDelayUs), fallback: 'shortest-path' },
    overrides: [{ headend: 'dc-milan', endpoint: 'dc-vienna', override: { fallback: 'drop' } }],
  }),
  LinkConstraint: ({ links, maxDelayUs }) => ({
    links,
    constraints: { delayUs: maxDelayUs, affinities: ['fibre'], adminState: 'up' },
  }),
  PathProfile: ({ maxDelayUs }) => ({ candidatePaths: candidatePaths(maxDelayUs), fallback: 'drop' }),
};

interface Variant {
  readonly color: number;
  readonly maxDelayUs: number;
  readonly links: readonly string[];
}
