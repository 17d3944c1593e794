import { Type, type TSchema } from 'typebox';
import { addressFamily, ipv6, meshId, nodeId, policyId, revision, sourceId, timestamp } from './identifiers.js';
import { choice, flag, integer, list, nullable, object, text } from './scalars.js';

function intentAction() {
  return choice('What happened to it.', ['created', 'changed', 'deleted']);
}

/** Data of every type of event on GET /v1/events, by type. */
export const eventSchemas = {
  'topology.changed': object(
    'TopologyChangedEvent',
    'The topology changed.',
    {
      revision: revision(),
      tedRevision: revision('Topology revision.'),
      kind: text('What kind of change.', 100),
      summary: text('One sentence for people.', 4000),
    },
    [{ revision: 43, tedRevision: 12, kind: 'link-constraints', summary: 'patch constraints of UK:FR' }],
  ),
  'policy.intent': object(
    'PolicyIntentEvent',
    'The intent of an SR policy was created, changed or deleted. Those of a mesh are told by `mesh.intent`.',
    { revision: revision(), policyId: policyId(), action: intentAction() },
    [{ revision: 44, policyId: 'dc-london:100:dc-athens', action: 'created' }],
  ),
  'mesh.intent': object(
    'MeshIntentEvent',
    'The intent of a mesh was created, changed or deleted, and with it that of its policies.',
    { revision: revision(), meshId: meshId(), action: intentAction() },
    [{ revision: 45, meshId: 'all-hosts', action: 'created' }],
  ),
  'policy.state': object(
    'PolicyStateEvent',
    'The controller adopted something else for an SR policy.',
    {
      revision: revision(),
      policyId: policyId(),
      status: choice('Its status.', ['up', 'fallback', 'down']),
      generation: nullable(
        integer('Generation.'),
        'Generation of the headend that carries it; null: nothing to install.',
      ),
      cause: text('The event and what followed from it, in one sentence.', 4000),
    },
    [
      {
        revision: 44,
        policyId: 'dc-london:100:dc-athens',
        status: 'up',
        generation: 3,
        cause: 'the policy was created (operator alice, revision 43): candidate path 1 of preference 100 is valid',
      },
    ],
  ),
  'policy.install': object(
    'PolicyInstallEvent',
    'The outcome that an agent reported for an SR policy.',
    {
      revision: revision(),
      policyId: policyId(),
      outcome: text('What became of it.', 100, ['installed']),
      reason: nullable(text('Reason.', 4000), "Why it failed, in the agent's words."),
    },
    [{ revision: 44, policyId: 'dc-london:100:dc-athens', outcome: 'installed', reason: null }],
  ),
  'policy.liveness': object(
    'PolicyLivenessEvent',
    'Probes of a headend through a list of an SR policy began to be lost, or to come back, or it is unknown which.',
    {
      policyId: policyId(),
      family: addressFamily(),
      state: choice('What is true now.', ['up', 'down', 'unknown'], ['down']),
      standby: flag('The list is one of the standby.'),
      segments: list('The entries of the list as pushed, service SID last.', ipv6('SID or container.'), 127),
      probesSent: integer('Probes sent, of the last 100.'),
      probesLost: integer('Probes lost, of those sent.'),
    },
    [
      {
        policyId: 'dc-london:100:dc-athens',
        family: 'ipv4',
        state: 'down',
        standby: false,
        segments: ['fcbb:bb00:8:1::', 'fcbb:bb00:ff02:d4::'],
        probesSent: 100,
        probesLost: 3,
      },
    ],
  ),
  'policy.standby': object(
    'PolicyStandbyEvent',
    'A headend took the standby of an SR policy because no active list delivers, or left it again.',
    {
      policyId: policyId(),
      family: addressFamily(),
      onStandby: flag('It uses the standby now.'),
    },
    [{ policyId: 'dc-london:100:dc-athens', family: 'ipv4', onStandby: true }],
  ),
  'agent.state': object(
    'AgentStateEvent',
    'An agent connected or fell silent.',
    {
      node: nodeId('The headend it serves.'),
      state: choice('Its state.', ['connected', 'unknown']),
      dataplane: text('Data plane it drives.', 100),
    },
    [{ node: 'dc-london', state: 'connected', dataplane: 'linux' }],
  ),
  'source.held': object(
    'SourceHeldEvent',
    'A source collapsed and is not believed until an operator decides.',
    { source: sourceId(), reason: text('Why.', 4000) },
    [{ source: 'igp-reader', reason: '130 of 134 links would go down' }],
  ),
  'source.released': object('SourceReleasedEvent', 'An operator decided about a held source.', { source: sourceId() }, [
    { source: 'igp-reader' },
  ]),
  'leader.elected': object(
    'LeaderElectedEvent',
    'A controller took the lead.',
    { epoch: integer('Its epoch.'), holder: text('The controller.') },
    [{ epoch: 7, holder: 'controller-1' }],
  ),
} as const;

function envelope<Data extends TSchema>(type: string, data: Data) {
  return object(undefined, 'What the `data` field of a message holds, as one line of JSON.', {
    type: Type.Literal(type, { description: 'Type of the event; also the `event` field of the message.' }),
    at: timestamp('When it happened.'),
    data,
  });
}

/** The JSON in the `data` field of a message of GET /v1/events, whatever the type. */
export const StreamedEvent = Type.Union(
  Object.entries(eventSchemas).map(([type, data]) => envelope(type, data)),
  { title: 'StreamedEvent', description: 'An event of GET /v1/events; `type` tells which.' },
);

/** Sent where events are missing: those since Last-Event-ID are gone, or the controller may have missed some. */
export const StreamReset = object(
  'StreamResetEvent',
  'Events were missed. Read again what you show.',
  { reason: text('Why they cannot be sent again.', 1000) },
  [{ reason: 'the events since then are no longer known' }],
);
