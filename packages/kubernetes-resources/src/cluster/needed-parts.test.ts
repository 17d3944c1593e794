import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clusterHosts, nodeAnnotations, zoneLabel } from './cluster-hosts.js';
import { partsOfBlockAffinity, partsOfIpamBlock, partsOfIpPool, partsOfNode } from './needed-parts.js';
import type { ClusterObjects, IpamBlock } from './objects.js';

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const name = fc.constantFrom('a', 'b', 'c');
const metadata = fc.record({ name }, { requiredKeys: [] });
const cidr = fc.constantFrom('10.0.0.0/26', '10.0.0.64/26', '10.9.0.0/26', 'fd20::/122', 'nonsense');
const some = <T>(value: fc.Arbitrary<T>) => fc.array(value, { maxLength: 4 });
const node = fc.record(
  {
    metadata: fc.record(
      {
        name,
        labels: fc.dictionary(fc.constantFrom(zoneLabel, 'other'), name),
        annotations: fc.dictionary(
          fc.constantFrom('other', ...nodeAnnotations),
          fc.constantFrom('fd11::1/64', 'r1, r2', 'x'),
        ),
      },
      { requiredKeys: [] },
    ),
    spec: fc.record({ podCIDR: cidr, podCIDRs: some(cidr) }, { requiredKeys: [] }),
    status: fc.record(
      {
        addresses: some(
          fc.record({ type: fc.constantFrom('InternalIP', 'Hostname'), address: fc.constantFrom('fd11::2', 'a') }),
        ),
        conditions: some(
          fc.record({ type: fc.constantFrom('Ready', 'DiskPressure'), status: fc.constantFrom('True', 'False') }),
        ),
        images: some(fc.string()),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);
const affinity = fc.record(
  {
    metadata,
    spec: fc.record(
      {
        ...{ cidr, node: name, state: fc.constantFrom('confirmed', 'pending') },
        ...{ deleted: fc.constantFrom('true', 'false'), type: fc.constantFrom('host', 'virtual'), more: name },
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);
const pool = fc.record({
  metadata,
  spec: fc.record(
    {
      cidr: fc.constantFrom('10.0.0.0/16', 'fd20::/16', 'x'),
      allowedUses: some(fc.constantFrom('Workload', 'Tunnel')),
    },
    { requiredKeys: [] },
  ),
});
const block = fc.record({
  metadata,
  spec: fc.record(
    {
      cidr,
      affinity: fc.option(fc.constantFrom('host:a', 'host:b', 'virtual:x')),
      allocations: some(fc.option(fc.nat({ max: 4 }))),
      attributes: some(
        fc.record({ secondary: optional(fc.record({ node: name, pod: name, more: name }, { requiredKeys: [] })) }),
      ),
    },
    { requiredKeys: [] },
  ),
});

describe('the needed parts of the objects of a cluster', () => {
  it('make the same hosts, and tell of the same problems, as all of them', () => {
    const objects = fc.record({
      nodes: some(node),
      calico: fc.option(fc.record({ blockAffinities: some(affinity), ipPools: some(pool), ipamBlocks: some(block) })),
    });
    fc.assert(
      fc.property(objects, (made) => {
        const { nodes, calico } = made as unknown as ClusterObjects;
        const parts: ClusterObjects = {
          nodes: nodes.map(partsOfNode),
          calico: calico && {
            blockAffinities: calico.blockAffinities.map(partsOfBlockAffinity),
            ipPools: calico.ipPools.map(partsOfIpPool),
            ipamBlocks: calico.ipamBlocks.map(partsOfIpamBlock),
          },
        };
        expect(clusterHosts(parts)).toEqual(clusterHosts({ nodes, calico }));
      }),
      { numRuns: 2_000 },
    );
  });

  it('are those of a node that says nothing where the server says null', () => {
    const silent = { metadata: { name: 'a', labels: null, annotations: null }, spec: null, status: null };
    expect(partsOfNode(silent as never)).toEqual(partsOfNode({ metadata: { name: 'a' } }));
  });

  it('are not taken from objects of another shape', () => {
    const name = 'a';
    const metadata = { name };
    const wrong: readonly [(object: never) => unknown, object, string][] = [
      [partsOfNode, { metadata: { name, annotations: { [zoneLabel]: 5 } } }, '/metadata/annotations'],
      [partsOfNode, { metadata, spec: { podCIDRs: '10.0.0.0/26' } }, '/spec/podCIDRs'],
      [partsOfNode, { metadata, status: { addresses: [null] } }, '/status/addresses'],
      [partsOfNode, { metadata, status: { conditions: { type: 'Ready' } } }, '/status/conditions'],
      [partsOfBlockAffinity, { metadata, spec: 'x' }, '/spec'],
      [partsOfIpPool, { metadata, spec: { cidr: 10 } }, '/spec/cidr'],
      [partsOfIpPool, { metadata, spec: { cidr: '10.0.0.0/8', allowedUses: [{}] } }, '/spec/allowedUses'],
      [partsOfIpamBlock, { metadata, spec: { allocations: ['0'] } }, '/spec/allocations'],
      [partsOfIpamBlock, { metadata, spec: { attributes: [{ secondary: { node: {} } }] } }, '/spec/attributes'],
    ];
    for (const [partsOf, object, where] of wrong) {
      expect(() => partsOf(object as never)).toThrow(TypeError);
      expect(() => partsOf(object as never)).toThrow(where);
    }
  });

  it('are the same while a node says that it is well, and while pods come and go on the node of their block', () => {
    const node = (lastHeartbeatTime: string) => ({
      metadata: { name: 'a', resourceVersion: lastHeartbeatTime },
      status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime }] },
    });
    expect(partsOfNode(node('1'))).toEqual(partsOfNode(node('2')));
    const pod = (of: string) => ({ secondary: { node: of, pod: 'web' } });
    const block = (...attributes: readonly ReturnType<typeof pod>[]): IpamBlock => ({
      metadata: { name: 'x' },
      spec: { cidr: '10.0.0.0/26', affinity: 'host:a', allocations: attributes.map((_, i) => i), attributes },
    });
    expect(partsOfIpamBlock(block(pod('a')))).toEqual(partsOfIpamBlock(block(pod('a'), pod('a'))));
    expect(partsOfIpamBlock(block(pod('a')))).not.toEqual(partsOfIpamBlock(block(pod('a'), pod('b'))));
  });
});
