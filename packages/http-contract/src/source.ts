import { Type } from 'typebox';
import { anySourceId, ipv6, linkId, nodeId, operationalState, revision, timestamp } from './identifiers.js';
import { choice, flag, integer, kind, list, maxUint32, nullable, object, tagged, text } from './scalars.js';

function measured(description: string, unit: string, maximum?: number) {
  return Type.Optional(
    nullable(integer(unit, maximum === undefined ? {} : { maximum }), `${description}; null: no longer known.`),
  );
}

const SourceEvent = tagged('SourceEvent', 'One statement about the network.', [
  object('LinkStateEvent', 'A link went down or came up.', {
    kind: kind('link-state', 'A link went down or came up.'),
    link: linkId(),
    state: operationalState('Its state.'),
  }),
  object('NodeStateEvent', 'A node went down or came up.', {
    kind: kind('node-state', 'A node went down or came up.'),
    node: nodeId(),
    state: operationalState('Its state.'),
  }),
  object('LinkIgpMetricEvent', 'The routers use another IGP metric.', {
    kind: kind('link-igp-metric', 'The routers use another IGP metric.'),
    link: linkId(),
    igpMetric: integer('IGP metric.', { maximum: 16_777_215 }),
  }),
  object('LinkMeasurementEvent', 'A link was measured; what is not named stays.', {
    kind: kind('link-measurement', 'A link was measured.'),
    link: linkId(),
    delayUs: measured('Average delay in microseconds', 'Microseconds.', maxUint32),
    delayMinUs: measured('Minimum delay in microseconds', 'Microseconds.', maxUint32),
    delayMaxUs: measured('Maximum delay in microseconds', 'Microseconds.', maxUint32),
    delayVariationUs: measured('Delay variation in microseconds', 'Microseconds.', maxUint32),
    lossPpm: measured('Loss in parts per million', 'Parts per million.', 1_000_000),
    bandwidthBps: measured('Bandwidth in bits per second', 'Bits per second.'),
  }),
  object('ServiceSidsEvent', 'The service SIDs of a host are these now.', {
    kind: kind('service-sids', 'The service SIDs of a host.'),
    node: nodeId(),
    sids: list(
      'All its service SIDs.',
      object(undefined, 'A service SID.', {
        sid: ipv6('The SID.'),
        behavior: choice('Its behavior.', ['End.DT4', 'End.DT6', 'End.DT46']),
      }),
      16,
    ),
  }),
]);

export const SourceBatch = object(
  'SourceBatch',
  'Events of a source, sequenced and idempotent.',
  {
    sequence: integer('The last sequence + 1, starting with 1. A repeated one changes nothing, a gap is refused.', {
      minimum: 1,
      examples: [1],
    }),
    full: flag(
      'The batch states everything the source knows: links and nodes that it called up before and does not name are down.',
    ),
    events: list('The events, in order.', SourceEvent, 200_000),
  },
  [{ sequence: 1, full: false, events: [{ kind: 'link-state', link: 'UK:FR', state: 'down' }] }],
);

export const SourceBatchResult = object(
  'SourceBatchResult',
  'What became of a batch.',
  {
    outcome: choice(
      '`duplicate`: it was known already. `held`: it would take down most of the network and waits for an operator.',
      ['applied', 'duplicate', 'held'],
    ),
    sequence: integer('Last sequence that the source has.'),
    revision: revision('Revision after it.'),
  },
  [{ outcome: 'applied', sequence: 1, revision: 4 }],
);

export const SourceView = object('SourceView', 'A source of topology.', {
  id: anySourceId(),
  kind: choice('A file that was imported, a stream of events, a node agent, or a Kubernetes cluster.', [
    'file',
    'events',
    'agent',
    'kubernetes',
  ]),
  lastSequence: nullable(integer('Sequence.'), 'Sequence of its last batch; null for sources without batches.'),
  held: nullable(
    object(undefined, 'Why it is held.', {
      since: timestamp('Since when.'),
      reason: text('Why.', 4000),
    }),
    'Its last batch was not believed and waits for an operator; null when it is not held.',
  ),
  updatedAt: timestamp('When it last said anything.'),
});

export const ReleaseRequest = object(
  'ReleaseRequest',
  'What to do with the batch at which a source is held.',
  { decision: choice('`apply`: believe it. `discard`: forget it.', ['apply', 'discard']) },
  [{ decision: 'discard' }],
);
