import { LinkConstraints, NodeConstraints } from './constraints.js';
import { hypothetical, overlay } from './overlay.js';
import { PathMetrics } from './path-parts.js';
import { MeshIntent, SrPolicyIntent } from './sr-policy.js';
import { linkId, meshId, nodeId, operationalState, policyId, revision } from './identifiers.js';
import { choice, integer, kind, list, maxUint32, nullable, object, tagged, text } from './scalars.js';

const ProposedChange = tagged('ProposedChange', 'A change to try.', [
  object('ProposedLinkConstraints', 'Constraints on a link.', {
    kind: kind('link-constraints', 'Constraints on a link.'),
    link: linkId(),
    constraints: LinkConstraints,
  }),
  object('ProposedNodeConstraints', 'Constraints on a node.', {
    kind: kind('node-constraints', 'Constraints on a node.'),
    node: nodeId(),
    constraints: NodeConstraints,
  }),
  object('ProposedLinkState', 'A link that fails or returns.', {
    kind: kind('link-state', 'A link that fails or returns.'),
    link: linkId(),
    state: operationalState('State to try.'),
  }),
  object('ProposedNodeState', 'A node that fails or returns.', {
    kind: kind('node-state', 'A node that fails or returns.'),
    node: nodeId(),
    state: operationalState('State to try.'),
  }),
  object('ProposedPolicy', 'A policy that is created or replaced.', {
    kind: kind('policy-put', 'A policy that is created or replaced.'),
    policy: SrPolicyIntent,
  }),
  object('ProposedPolicyRemoval', 'A policy that is deleted.', {
    kind: kind('policy-delete', 'A policy that is deleted.'),
    policyId: policyId(),
  }),
  object('ProposedPolicyUnpinning', 'A policy that is unpinned.', {
    kind: kind('policy-unpin', 'A policy that is unpinned.'),
    policyId: policyId(),
  }),
  object('ProposedPolicyRollBack', 'A policy that returns to its previous lists and is pinned to them.', {
    kind: kind('policy-roll-back', 'A policy that returns to its previous lists.'),
    policyId: policyId(),
  }),
  object('ProposedMesh', 'A mesh that is created or replaced.', {
    kind: kind('mesh-put', 'A mesh that is created or replaced.'),
    mesh: MeshIntent,
  }),
  object('ProposedMeshRemoval', 'A mesh that is deleted.', {
    kind: kind('mesh-delete', 'A mesh that is deleted.'),
    meshId: meshId(),
  }),
]);

export const DryRunRequest = object(
  'DryRunRequest',
  'Changes to try together. Nothing is written.',
  {
    changes: list('The changes, as if made in one transaction. Empty: the overlay alone.', ProposedChange, 1000),
    overlay: overlay(),
  },
  [{ changes: [{ kind: 'link-state', link: 'UK:FR', state: 'down' }] }],
);

function routes(description: string) {
  return list(
    description,
    object(undefined, 'One list.', {
      weight: integer('Weight, relative to the other lists.', { maximum: maxUint32, examples: [1] }),
      links: list('Directed links, from headend to endpoint.', linkId(), 100_000),
    }),
    16,
  );
}

export const DryRunResult = object('DryRunResult', 'What the changes would do to SR policies.', {
  revision: revision('Revision that the trial started from.'),
  policiesExamined: integer('Policies that were computed anew; all others cannot be affected.', { examples: [2] }),
  moves: list(
    'Policies that would change, by id.',
    object('PolicyMove', 'What the changes would do to one policy.', {
      policyId: policyId(),
      change: choice('What would happen.', [
        'created',
        'moved',
        'fallback',
        'down',
        'restored',
        'removed',
        'unchanged-blocked',
      ]),
      before: routes('Lists now.'),
      after: routes('Lists then.'),
      metricsBefore: nullable(
        PathMetrics,
        'Metrics of the first list now; of several weighted ones the one of least metric.',
      ),
      metricsAfter: nullable(PathMetrics, 'Metrics of the first list then.'),
      message: text('One sentence for an operator.', 4000),
    }),
    1_000_000,
  ),
  hypothetical: hypothetical(),
});
