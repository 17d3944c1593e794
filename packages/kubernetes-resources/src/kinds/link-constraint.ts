import { LinkConstraints, linkId, list, object } from '@waymark/http-contract';
import type { Static } from 'typebox';
import { commonStatus } from '../conditions.js';
import type { CustomResourceKind } from '../custom-resource.js';

export const LinkConstraintSpec = object(undefined, 'What is laid over these links.', {
  links: list('Directed links; each belongs to one LinkConstraint at most.', linkId(), 1000, {
    minItems: 1,
    uniqueItems: true,
  }),
  constraints: LinkConstraints,
});
export type LinkConstraintSpec = Static<typeof LinkConstraintSpec>;

export const LinkConstraintStatus = object(undefined, 'What became of it.', commonStatus);
export type LinkConstraintStatus = Static<typeof LinkConstraintStatus>;

export const linkConstraint: CustomResourceKind = {
  kind: 'LinkConstraint',
  plural: 'linkconstraints',
  singular: 'linkconstraint',
  shortNames: ['lcon'],
  description:
    'What an operator lays over links. It wins over what was measured or discovered; what it does not name stays as that is.',
  spec: LinkConstraintSpec,
  status: LinkConstraintStatus,
  conventions: {},
  columns: [
    {
      name: 'State',
      type: 'string',
      jsonPath: '.spec.constraints.adminState',
      description: 'The admin state that it sets.',
    },
    {
      name: 'Accepted',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Accepted")].reason',
      description: 'What became of it.',
    },
  ],
  example: { name: 'drain-channel', spec: { links: ['UK:FR', 'FR:UK'], constraints: { adminState: 'drained' } } },
};
