import { MeshIntent, MeshView, meshId, object } from '@waymark/http-contract';
import { Type, type Static } from 'typebox';
import { commonStatus } from '../conditions.js';
import type { CustomResourceKind } from '../custom-resource.js';
import { policyConventions, termsOrProfile, termsOrProfileExactlyOne } from './policy-terms.js';
import { progressColumns } from './sr-policy.js';

const { color, selector, overrides } = MeshIntent.properties;

export const PolicyMeshSpec = object(undefined, 'One SR policy for every ordered pair of the selected hosts.', {
  color,
  selector,
  ...termsOrProfile,
  overrides: Type.Optional(overrides),
});
export type PolicyMeshSpec = Static<typeof PolicyMeshSpec>;

export const PolicyMeshStatus = object(undefined, 'How its policies do.', {
  ...commonStatus,
  meshId: Type.Optional(meshId('Id of the mesh in the REST API.')),
  policies: Type.Optional(MeshView.properties.policies),
});
export type PolicyMeshStatus = Static<typeof PolicyMeshStatus>;

export const policyMesh: CustomResourceKind = {
  kind: 'PolicyMesh',
  plural: 'policymeshes',
  singular: 'policymesh',
  shortNames: ['pmesh'],
  description: 'One SR policy for every ordered pair of the selected hosts; pairs come and go with the hosts.',
  spec: PolicyMeshSpec,
  status: PolicyMeshStatus,
  conventions: policyConventions,
  exactlyOne: termsOrProfileExactlyOne,
  columns: [
    { name: 'Color', type: 'integer', jsonPath: '.spec.color', description: 'Color of its policies.' },
    { name: 'Policies', type: 'integer', jsonPath: '.status.policies.total', description: 'All its policies.' },
    { name: 'Up', type: 'integer', jsonPath: '.status.policies.up', description: 'Those with a valid path.' },
    ...progressColumns,
  ],
  example: {
    name: 'all-hosts',
    spec: { color: 200, selector: { all: true }, profile: 'low-latency' },
  },
};
