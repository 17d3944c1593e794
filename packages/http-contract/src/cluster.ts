import { sourceId } from './identifiers.js';
import { flag, integer, list, nullable, object, text } from './scalars.js';

const ClusterView = object(
  'ClusterView',
  'A Kubernetes cluster that is a source of hosts, as this controller sees it.',
  {
    name: sourceId('Name of the cluster; its source is kubernetes:<name>.', 'paris'),
    server: text('Base URL of its API server.', 2048, ['https://192.0.2.1:6443']),
    synced: flag('Everything was listed at least once.'),
    trouble: nullable(
      text('Trouble.', 4000, ['connect ECONNREFUSED 192.0.2.1:6443']),
      'Why what is known may be out of date: nothing is withdrawn for that. null: nothing is wrong.',
    ),
    held: nullable(
      text('Why it is held.', 4000, ['3 of 5 hosts of kubernetes:paris would be gone at once']),
      'Why its last statement is not believed until an operator releases the source; null: it is, or another controller leads.',
    ),
    nodes: integer('Number of its nodes.', { examples: [12] }),
    notReady: list(
      'Nodes that are not ready. Their hosts stay: their data plane may well forward.',
      text('Name of the node.'),
      100_000,
    ),
    problems: list(
      'Objects that cannot be used, wholly or in part.',
      object(undefined, 'One of them.', {
        object: text('Kind and name.', 1000, ['Node paris-1']),
        message: text('What is wrong.', 4000, [
          'pod prefix 10.1.0.0/26 overlaps 10.1.0.0/24 of rome-1 in cluster rome',
        ]),
      }),
      1_000_000,
    ),
  },
);

export const ClusterList = object('ClusterList', 'All clusters.', {
  items: list('In the order of the configuration, which is that in which they get their way.', ClusterView, 64),
});
