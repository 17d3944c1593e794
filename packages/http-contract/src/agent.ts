import { ipv6, nodeId, timestamp } from './identifiers.js';
import { choice, flag, integer, list, nullable, object, text } from './scalars.js';

const generation = {
  epoch: integer('Epoch of the leader that wrote it.', { examples: [7] }),
  generation: integer('Generation; never resets for a headend.', { examples: [3] }),
};

export const AgentView = object('AgentView', 'A node agent and how far it has come.', {
  node: nodeId('The headend it serves.'),
  state: choice('`unknown`: silent. That is not failure: its data plane keeps forwarding.', ['connected', 'unknown']),
  agentVersion: text('Version of the agent.', 100),
  protocolVersion: integer('Version of the protocol between agents and controllers that it speaks.', { examples: [2] }),
  lacks: list(
    'Features that this controller has and the agent is too old for: what needs them is withheld from it.',
    text('Feature.', 100, ['service-classes']),
    100,
  ),
  dataplane: text('Data plane it drives.', 100, ['dry-run']),
  controller: text('The controller it is or was connected to.', 255),
  lastSeen: timestamp('When it was last heard of.'),
  goneSince: nullable(timestamp('Time.'), 'Since when nothing is heard of it; null while it is connected.'),
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
    failed: integer('Refused by the data plane, or only in part what is wanted because the agent is too old.', {
      examples: [0],
    }),
  }),
});

/** As many as the controller takes of an agent. */
const maxInterfaces = 4096;
const maxLocalSids = 4096;
const maxNotices = 256;

const DataPlaneReport = object('DataPlaneReport', 'How a data plane fares, as its agent last told.', {
  reportedAt: timestamp('When the report was stored; agents report every 30 seconds.'),
  readAt: timestamp("When the agent read this, by the node's own clock."),
  version: nullable(
    text('Version.', 255, ['24.10']),
    'Version, in the words of the data plane; null: it does not answer.',
  ),
  reachable: flag('It answers.'),
  interfaces: list(
    'Its interfaces.',
    object('DataPlaneInterface', 'Counters since the data plane started, and rates between the last two reports.', {
      name: text('Name.', 255, ['eth0']),
      up: flag('It is up.'),
      rxBytes: integer('Bytes received.'),
      rxPackets: integer('Packets received.'),
      txBytes: integer('Bytes sent.'),
      txPackets: integer('Packets sent.'),
      drops: integer('Packets dropped.'),
      rxBps: integer('Received, in bits per second.'),
      txBps: integer('Sent, in bits per second.'),
    }),
    maxInterfaces,
  ),
  localSids: list(
    'Its own SIDs, with what they processed.',
    object('DataPlaneLocalSid', 'Counters of a SID since the data plane started.', {
      sid: ipv6('SID.'),
      behavior: text('Behavior.', 100, ['End.DT4']),
      goodPackets: integer('Packets processed.'),
      goodBytes: integer('Bytes processed.'),
      badPackets: integer('Packets refused.'),
      badBytes: integer('Bytes refused.'),
    }),
    maxLocalSids,
  ),
  notices: list('What an operator should know.', text('Notice.', 4000), maxNotices),
});

export const DataPlaneView = object('DataPlaneView', 'The data plane of a node, and how it fares.', {
  node: nodeId('The headend.'),
  report: nullable(DataPlaneReport, 'null until its agent has reported on it.'),
});
