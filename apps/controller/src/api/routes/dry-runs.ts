import { DryRunRequest, DryRunResult } from '@waymark/http-contract';
import type { Services } from '../../model/ports.js';
import { bodyProblems, json, problems, words } from '../operation.js';
import type { ApiApp } from '../type-provider.js';

const examples = {
  linkFails: {
    summary: 'What if this adjacency fails?',
    value: {
      changes: [
        { kind: 'link-state', link: 'UK:FR', state: 'down' },
        { kind: 'link-state', link: 'FR:UK', state: 'down' },
      ],
    },
  },
  ductAndDemand: {
    summary: 'What if this duct is cut while Madrid sends 5 Gbit/s more to Milan?',
    value: {
      changes: [],
      overlay: {
        down: { srlgs: [105] },
        demands: [{ source: 'dc-madrid', destination: 'dc-milan', bandwidthBps: 5_000_000_000 }],
      },
    },
  },
  drainNode: {
    summary: 'What if this router is drained?',
    value: { changes: [{ kind: 'node-constraints', node: 'FR', constraints: { adminState: 'drained' } }] },
  },
};

export function dryRunRoutes(app: ApiApp, { policies }: Services): void {
  app.post(
    '/v1/dry-runs',
    {
      config: { document: { examples } },
      schema: {
        ...words(
          'SR policies',
          'dryRun',
          'Try changes without making them',
          'Says which SR policies the changes, made together, would move, and where to. Writes nothing.',
        ),
        body: DryRunRequest,
        response: {
          200: json(DryRunResult, 'What would move.'),
          ...problems(
            ...bodyProblems,
            'node-unknown',
            'link-unknown',
            'policy-unknown',
            'mesh-unknown',
            'affinity-overflow',
            'prefix-claimed',
            'mesh-owned',
            'no-lists-to-return-to',
            'overloaded',
          ),
        },
      },
    },
    ({ body: { changes, overlay }, abandoned }) => policies.dryRun(changes, overlay, abandoned),
  );
}
