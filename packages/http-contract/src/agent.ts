import { nodeId, timestamp } from './identifiers.js';
import { choice, flag, integer, nullable, object, text } from './scalars.js';

const generation = {
  epoch: integer('Epoch of the leader that wrote it.', { examples: [7] }),
  generation: integer('Generation; never resets for a headend.', { examples: [3] }),
};

export const AgentView = object('AgentView', 'A node agent and how far it has come.', {
  node: nodeId('The headend it serves.'),
  state: choice('`unknown`: silent. That is not failure: its data plane keeps forwarding.', ['connected', 'unknown']),
  agentVersion: text('Version of the agent.', 100),
  dataplane: text('Data plane it drives.', 100, ['dry-run']),
  controller: text('The controller it is or was connected to.', 255),
  lastSeen: timestamp('When it was last heard of.'),
  bus: text('State of its subscription to the bus.', 100, ['subscribed']),
  dataplaneError: nullable(text('Error.', 4000), 'What is wrong with its data plane; null when nothing is.'),
  driftRepairs: integer('How often it found and repaired a difference that it had not made.', { examples: [0] }),
  desired: object(undefined, 'What its headend should have.', generation),
  accepted: object(undefined, 'What it has durably accepted.', generation),
  inSync: flag('It has accepted the newest generation, and what it read back equals what is desired.'),
  policies: object(undefined, 'Number of its SR policies, by state.', {
    total: integer('All.', { examples: [7] }),
    installed: integer('Read back from the data plane.', { examples: [0] }),
    simulated: integer('Taken by a dry-run agent.', { examples: [7] }),
    pending: integer('Not acknowledged yet.', { examples: [0] }),
    failed: integer('Refused by the data plane.', { examples: [0] }),
  }),
});
