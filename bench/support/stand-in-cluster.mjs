/**
 * A cluster of many nodes behind a stand-in API server, in a process of its own; forked by clusters.mjs. Answers
 * messages `{ id, ask, ... }` with `{ id, answer }`.
 *
 *   node bench/support/stand-in-cluster.mjs <number of the cluster> <nodes> <routers> <folder>
 *
 * Nodes are as large as real ones (images, conditions), each with two IPv4 blocks, one IPv6 block and what Calico says of
 * the addresses in them.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiVersion, customResourceDefinition, customResourceKinds } from '@waymark/kubernetes-resources';
import { calicoDefinitions, startApiServer } from '@waymark/kubernetes-stand-in';
import { attachment, blocksOf, nodeAddress, nodeName } from './hosts-of-clusters.mjs';

const CALICO = 'crd.projectcalico.org/v1';
const IMAGES = 50;
const PODS_PER_BLOCK = 20;

const [cluster, nodes, routers] = process.argv.slice(2, 5).map(Number);
const folder = process.argv[5];
const server = await startApiServer({
  definitions: [...calicoDefinitions, ...customResourceKinds.map(customResourceDefinition)],
});

const digest = (seed) => `sha256:${String(seed).padStart(64, 'a')}`;
const node = (index, heartbeat) => ({
  ...{ apiVersion: 'v1', kind: 'Node' },
  metadata: {
    name: nodeName(cluster, index),
    labels: { 'topology.kubernetes.io/zone': `dc${cluster}`, 'kubernetes.io/hostname': nodeName(cluster, index) },
    annotations: {
      'projectcalico.org/IPv6Address': `${nodeAddress(cluster, index)}/64`,
      'waymark.dev/attached-to': attachment(cluster, index, routers),
    },
  },
  spec: {},
  status: {
    addresses: [{ type: 'InternalIP', address: nodeAddress(cluster, index) }],
    capacity: { cpu: '96', memory: '395Gi', pods: '110', 'ephemeral-storage': '1843Gi', 'hugepages-1Gi': '16Gi' },
    conditions: ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'].map((type) => ({
      type,
      status: type === 'Ready' ? 'True' : 'False',
      lastHeartbeatTime: heartbeat,
      lastTransitionTime: '2026-01-01T00:00:00Z',
      reason: `Kubelet${type}`,
      message: `kubelet says ${type}`,
    })),
    images: Array.from({ length: IMAGES }, (_, image) => ({
      names: [
        `images.example.net/platform/service-${image}@${digest(image)}`,
        `images.example.net/platform/service-${image}:v1.${image}`,
      ],
      sizeBytes: 100_000_000 + image,
    })),
  },
});
const affinity = (index, block) => ({
  ...{ apiVersion: CALICO, kind: 'BlockAffinity' },
  metadata: { name: `${nodeName(cluster, index)}-${block.replace(/[/.:]+/g, '-')}` },
  spec: { cidr: block, node: nodeName(cluster, index), state: 'confirmed', deleted: 'false' },
});
const allocations = (index, block) => ({
  ...{ apiVersion: CALICO, kind: 'IPAMBlock' },
  metadata: { name: block.replace(/[/.:]+/g, '-') },
  spec: {
    cidr: block,
    affinity: `host:${nodeName(cluster, index)}`,
    allocations: Array.from({ length: 64 }, (_, ordinal) => (ordinal < PODS_PER_BLOCK ? ordinal : null)),
    attributes: Array.from({ length: PODS_PER_BLOCK }, (_, pod) => ({
      handle_id: `k8s-pod-network.${digest(pod)}`,
      secondary: { namespace: 'default', node: nodeName(cluster, index), pod: `web-${index}-${pod}`, timestamp: 'now' },
    })),
    unallocated: Array.from({ length: 64 - PODS_PER_BLOCK }, (_, free) => PODS_PER_BLOCK + free),
    strictAffinity: false,
  },
});

for (const [name, cidr] of [
  ['pods', `10.${128 + cluster * 16}.0.0/12`],
  ['pods-v6', `fd20:${cluster}::/32`],
]) {
  server.create({ apiVersion: CALICO, kind: 'IPPool', metadata: { name }, spec: { cidr, blockSize: 26 } });
}
for (let index = 0; index < nodes; index++) {
  server.create(node(index, '2026-01-01T00:00:00Z'));
  for (const block of blocksOf(cluster, index)) {
    server.create(affinity(index, block));
    server.create(allocations(index, block));
  }
}
const kubeconfig = join(folder, `cluster${cluster}.kubeconfig`);
writeFileSync(kubeconfig, server.kubeconfig);

const answers = {
  figures: () => ({ calls: server.calls.counts(), watches: server.watches, watchEvents: server.watchEvents }),
  create: ({ body }) => void server.create(body),
  status: ({ kind, name }) => server.find(apiVersion, kind, name)?.status ?? null,
  /** Node after node says that it is well, as kubelets do; nothing else about it changes. */
  heartbeat: async ({ milliseconds }) => {
    for (let index = 0; index < nodes; index++) {
      server.replace(node(index, new Date().toISOString()), 'status');
      await new Promise((resolve) => setTimeout(resolve, milliseconds / nodes));
    }
  },
  /** The first block of a node becomes another node's. */
  'move-block': ({ from, to }) => {
    const [block] = blocksOf(cluster, from);
    server.delete(CALICO, 'BlockAffinity', affinity(from, block).metadata.name);
    server.create(affinity(to, block));
    const { spec } = allocations(to, block);
    const { metadata } = server.find(CALICO, 'IPAMBlock', allocations(from, block).metadata.name);
    server.replace({ apiVersion: CALICO, kind: 'IPAMBlock', metadata, spec });
    return block;
  },
};
process.on('message', async ({ id, ask, ...more }) => {
  process.send({ id, answer: await answers[ask](more) });
});
process.on('disconnect', () => process.exit(0));
process.send({ kubeconfig });
