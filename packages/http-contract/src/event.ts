import { nodeId, policyId, revision, sourceId } from './identifiers.js';
import { choice, integer, nullable, object, text } from './scalars.js';

/** Data of every type of event on GET /v1/events, by type. */
export const eventSchemas = {
  'topology.changed': object('TopologyChangedEvent', 'The topology changed.', {
    revision: revision(),
    tedRevision: revision('Topology revision.'),
    kind: text('What kind of change.', 100),
    summary: text('One sentence for people.', 4000),
  }),
  'policy.intent': object(
    'PolicyIntentEvent',
    'The intent of an SR policy or a mesh was created, changed or deleted.',
    {
      revision: revision(),
      policyId: policyId(),
      action: choice('What happened to it.', ['created', 'changed', 'deleted']),
    },
  ),
  'policy.state': object('PolicyStateEvent', 'The controller adopted something else for an SR policy.', {
    revision: revision(),
    policyId: policyId(),
    status: choice('Its status.', ['up', 'fallback', 'down']),
    generation: nullable(
      integer('Generation.'),
      'Generation of the headend that carries it; null: nothing to install.',
    ),
    cause: text('The event and what followed from it, in one sentence.', 4000),
  }),
  'policy.install': object('PolicyInstallEvent', 'The outcome that an agent reported for an SR policy.', {
    revision: revision(),
    policyId: policyId(),
    outcome: text('What became of it.', 100, ['installed']),
    reason: nullable(text('Reason.', 4000), "Why it failed, in the agent's words."),
  }),
  'agent.state': object('AgentStateEvent', 'An agent connected or fell silent.', {
    node: nodeId('The headend it serves.'),
    state: choice('Its state.', ['connected', 'unknown']),
    dataplane: text('Data plane it drives.', 100),
  }),
  'source.held': object('SourceHeldEvent', 'A source collapsed and is not believed until an operator decides.', {
    source: sourceId(),
    reason: text('Why.', 4000),
  }),
  'source.released': object('SourceReleasedEvent', 'An operator decided about a held source.', { source: sourceId() }),
  'leader.elected': object('LeaderElectedEvent', 'A controller took the lead.', {
    epoch: integer('Its epoch.'),
    holder: text('The controller.'),
  }),
} as const;

/** Sent where events are missing: those since Last-Event-ID are gone, or the controller may have missed some. */
export const StreamReset = object('StreamResetEvent', 'Events were missed. Read again what you show.', {
  reason: text('Why they cannot be sent again.', 1000),
});
