import { ClusterList } from '@waymark/http-contract';
import type { Services } from '../../model/ports.js';
import { json, problems, readProblems, words } from '../operation.js';
import type { ApiApp } from '../type-provider.js';

export function clusterRoutes(app: ApiApp, { clusters }: Services): void {
  app.get(
    '/v1/clusters',
    {
      schema: {
        ...words(
          'Sources',
          'listClusters',
          'List Kubernetes clusters',
          'The clusters that this controller follows (WAYMARK_KUBERNETES), what is wrong with them, and what of them is refused. ' +
            'What they say of hosts is in the topology, as the sources kubernetes:<name>.',
        ),
        response: { 200: json(ClusterList, 'All clusters.'), ...problems(...readProblems) },
      },
    },
    () => ({ items: clusters() }),
  );
}
