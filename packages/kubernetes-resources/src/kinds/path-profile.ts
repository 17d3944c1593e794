import { PolicyTemplate, integer, object } from '@waymark/http-contract';
import { Type, type Static } from 'typebox';
import { commonStatus } from '../conditions.js';
import type { CustomResourceKind } from '../custom-resource.js';
import { policyConventions } from './policy-terms.js';

export const PathProfileSpec = object(undefined, 'What policies that name this profile are made of.', {
  ...PolicyTemplate.properties,
});
export type PathProfileSpec = Static<typeof PathProfileSpec>;

export const PathProfileStatus = object(undefined, 'What became of it.', {
  ...commonStatus,
  users: Type.Optional(integer('Number of SRPolicy and PolicyMesh objects that name it.')),
});
export type PathProfileStatus = Static<typeof PathProfileStatus>;

export const pathProfile: CustomResourceKind = {
  kind: 'PathProfile',
  plural: 'pathprofiles',
  singular: 'pathprofile',
  shortNames: ['pprof'],
  description:
    'Candidate paths under a name, for SRPolicy and PolicyMesh objects to share. A change of it changes the policies of all that name it.',
  spec: PathProfileSpec,
  status: PathProfileStatus,
  conventions: {
    ...policyConventions,
    defaults: { ...policyConventions.defaults, fallback: 'shortest-path' },
  },
  columns: [
    {
      name: 'Accepted',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Accepted")].status',
      description: 'It is valid.',
    },
    { name: 'Users', type: 'integer', jsonPath: '.status.users', description: 'Objects that name it.' },
  ],
  example: {
    name: 'low-latency',
    spec: {
      candidatePaths: [
        {
          discriminator: 1,
          path: {
            kind: 'dynamic',
            metric: 'delay',
            constraints: { bounds: [{ metric: 'delay', max: 40_000 }], affinities: { excludeAny: ['submarine'] } },
          },
        },
      ],
    },
  },
};
