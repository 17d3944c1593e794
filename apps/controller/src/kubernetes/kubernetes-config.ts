import { readFileSync } from 'node:fs';
import {
  choice,
  integer,
  list,
  maxUint32,
  nodeId,
  nodeIdPattern,
  object,
  set,
  text,
  token,
} from '@waymark/http-contract';
import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';
import { parse } from 'yaml';
import { StartFault } from '../model/start-fault.js';

const Cluster = object(undefined, 'A cluster, usually one per data centre.', {
  name: token('Name of the cluster; the id of the source is kubernetes:<name>.', nodeIdPattern, 63, ['paris']),
  kubeconfig: Type.Optional(text('Path of a kubeconfig file.', 4096)),
  context: Type.Optional(text('Context of that file; without it the current one.')),
  inCluster: Type.Optional(set('This controller runs in the cluster: use its service account.')),
  site: Type.Optional(text('Site of hosts whose node has no zone.')),
  nodeIdPrefix: Type.Optional(
    token('Put in front of the names of nodes, so that those of several clusters differ.', nodeIdPattern, 32, [
      'paris-',
    ]),
  ),
  resources: Type.Optional(
    set('Serve the custom resources of this cluster: SRPolicy, PolicyMesh, LinkConstraint and PathProfile.'),
  ),
  configMaps: Type.Optional(
    choice('What to do with ConfigMaps srv6-config-<node>: read policies from them, or write the policies in force.', [
      'read',
      'write',
    ]),
  ),
  configMapColor: Type.Optional(
    integer(
      'Color of policies that are read from ConfigMaps; those for IPv4 alone have the next one. 1001 unless said.',
      { minimum: 1, maximum: 2 ** 32 - 2, examples: [1001] },
    ),
  ),
  serviceClasses: Type.Optional(
    set('Follow labels waymark.dev/color of namespaces and pods, which put pods into the service class of a color.'),
  ),
  attachedTo: Type.Optional(
    list('Routers that hosts are attached to whose node does not say.', nodeId('Router.'), 16, { uniqueItems: true }),
  ),
  attachmentDelayUs: Type.Optional(
    integer('Delay between hosts and the routers that they are attached to, in microseconds; unknown unless said.', {
      maximum: maxUint32,
      examples: [20],
    }),
  ),
});

const seconds = { maximum: 86_400, examples: [300] };

const KubernetesConfig = object(undefined, 'Clusters that are sources of topology.', {
  clusters: list('Clusters; where they disagree, the earlier one counts.', Cluster, 64, { minItems: 1 }),
  nodeGraceSeconds: Type.Optional(integer('How long the host of a deleted node is kept; 300 unless said.', seconds)),
  prefixGraceSeconds: Type.Optional(
    integer('How long a prefix that no node claims stays with the host that had it; 10 unless said.', seconds),
  ),
});

export type ClusterConfig = Static<typeof Cluster>;

export interface KubernetesSettings {
  readonly clusters: readonly ClusterConfig[];
  readonly nodeGraceMs: number;
  readonly prefixGraceMs: number;
}

/** @throws StartFault naming the file, the field and what is wrong with it. */
export function readKubernetesConfig(file: string): KubernetesSettings {
  const content = contentOf(file);
  if (!Value.Check(KubernetesConfig, content)) {
    const [error] = Value.Errors(KubernetesConfig, content);
    throw new StartFault(
      `${file}: ${error?.instancePath === '' ? 'it' : (error?.instancePath ?? '')} ${error?.message ?? 'is wrong'}`,
    );
  }
  const { clusters, nodeGraceSeconds = 300, prefixGraceSeconds = 10 } = content;
  for (const [i, { name, kubeconfig, inCluster, context, ...cluster }] of clusters.entries()) {
    const field = `${file}: /clusters/${i}`;
    if (clusters.findIndex((other) => other.name === name) !== i)
      throw new StartFault(`${field}/name: ${name} is there twice`);
    if ((kubeconfig === undefined) === (inCluster === undefined)) {
      throw new StartFault(`${field}: give either kubeconfig or inCluster: true`);
    }
    if (inCluster === true && context !== undefined) throw new StartFault(`${field}/context: needs a kubeconfig`);
    if (cluster.configMapColor !== undefined && cluster.configMaps !== 'read') {
      throw new StartFault(`${field}/configMapColor: needs configMaps: read`);
    }
  }
  return { clusters, nodeGraceMs: nodeGraceSeconds * 1_000, prefixGraceMs: prefixGraceSeconds * 1_000 };
}

function contentOf(file: string): unknown {
  try {
    return parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const message = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    throw new StartFault(`WAYMARK_KUBERNETES: ${file} cannot be read: ${message ?? ''}`, { cause: error });
  }
}
