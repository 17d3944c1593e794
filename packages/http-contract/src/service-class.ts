import { color, ipAddress, nodeId, sourceId } from './identifiers.js';
import { choice, integer, list, nullable, object, text } from './scalars.js';

export const ServiceClassView = object(
  'ServiceClassView',
  'The pods of one headend that are in one service class: what they send goes over policies of its color where there are some.',
  {
    headend: nodeId('The headend that they run on.'),
    color: color('Color of the policies that they are steered by.'),
    sources: list(
      'Their addresses, in order.',
      object(undefined, 'An address of a pod.', {
        address: ipAddress('Address.'),
        cluster: sourceId('Cluster of the pod.', 'paris'),
        namespace: text('Namespace of the pod.', 255, ['shop']),
        pod: text('Name of the pod.', 255, ['cart-7d9f']),
      }),
      10_000,
    ),
    generation: nullable(
      integer('Generation.', { examples: [3] }),
      'Generation of the headend that wrote it last; null: it is yet to be written.',
    ),
    install: choice(
      '`installed` only after the agent has read it back; `simulated` by a dry-run agent; `none`: it is yet to be written.',
      ['pending', 'installed', 'simulated', 'failed', 'none'],
    ),
    installReason: nullable(text('Reason.', 4000), "Why it could not be installed, in the agent's words."),
  },
);
