import {
  PathMetrics,
  SrPolicyIntent,
  addressFamily,
  choice,
  integer,
  ipv6,
  list,
  maxUint32,
  object,
  policyId,
  revision,
  text,
} from '@waymark/http-contract';
import { Type, type Static } from 'typebox';
import { commonStatus } from '../conditions.js';
import type { CustomResourceKind, PrinterColumn } from '../custom-resource.js';
import { policyConventions, termsOrProfile, termsOrProfileExactlyOne } from './policy-terms.js';

const { headend, color, endpoint, name, steeredPrefixes } = SrPolicyIntent.properties;

export const SrPolicySpec = object(undefined, 'Traffic from headend to endpoint, of a color.', {
  headend,
  color,
  endpoint,
  name,
  steeredPrefixes,
  ...termsOrProfile,
});
export type SrPolicySpec = Static<typeof SrPolicySpec>;

export const SrPolicyStatus = object(undefined, 'What the controller derived, and how far it has come.', {
  ...commonStatus,
  policyId: Type.Optional(policyId('Id of the policy in the REST API.')),
  state: Type.Optional(
    choice('`fallback`: no candidate path is valid, the fallback carries the traffic.', ['up', 'fallback', 'down']),
  ),
  activeCandidatePath: Type.Optional(integer('Discriminator of the active candidate path.', { maximum: maxUint32 })),
  lists: Type.Optional(
    list(
      'The lists in use.',
      object(undefined, 'One transport list.', {
        weight: integer('Weight, relative to the other lists.', { maximum: maxUint32 }),
        metrics: PathMetrics,
        segmentLists: list(
          'The finished lists, one per family.',
          object(undefined, 'What the headend pushes.', {
            family: addressFamily(),
            sids: list('SIDs in the order of travel; the last is the service SID.', ipv6('SID or container.'), 128),
          }),
          2,
        ),
      }),
      16,
    ),
  ),
  bindingSids: Type.Optional(
    list(
      'Binding SIDs.',
      object(undefined, 'One per family.', { family: addressFamily(), sid: ipv6('Binding SID.') }),
      4,
    ),
  ),
  cause: Type.Optional(text('Why it changed last.', 4000)),
  revision: Type.Optional(revision('Revision of the event that led to the last change.')),
});
export type SrPolicyStatus = Static<typeof SrPolicyStatus>;

/** Printed for everything that becomes policies. */
export const progressColumns: readonly PrinterColumn[] = [
  {
    name: 'Accepted',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Accepted")].reason',
    description: 'Accepted, or why it is not.',
  },
  {
    name: 'Computed',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Computed")].reason',
    description: 'What became of the computation.',
  },
  {
    name: 'Installed',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Installed")].status',
    description: 'Headends have read it back.',
  },
];

export const srPolicy: CustomResourceKind = {
  kind: 'SRPolicy',
  plural: 'srpolicies',
  singular: 'srpolicy',
  shortNames: ['srp'],
  description:
    'An SR policy (RFC 9256): traffic from a headend to an endpoint, of a color, over the best valid candidate path.',
  spec: SrPolicySpec,
  status: SrPolicyStatus,
  conventions: policyConventions,
  exactlyOne: termsOrProfileExactlyOne,
  columns: [
    { name: 'Headend', type: 'string', jsonPath: '.spec.headend', description: 'Where the traffic enters.' },
    { name: 'Color', type: 'integer', jsonPath: '.spec.color', description: 'Color.' },
    { name: 'Endpoint', type: 'string', jsonPath: '.spec.endpoint', description: 'Where the traffic leaves.' },
    { name: 'State', type: 'string', jsonPath: '.status.state', description: 'up, fallback or down.' },
    ...progressColumns,
    {
      name: 'DelayUs',
      type: 'integer',
      jsonPath: '.status.lists[0].metrics.delayUs',
      description: 'Delay of the first list in microseconds.',
      priority: 1,
    },
  ],
  example: {
    name: 'london-athens',
    spec: { headend: 'dc-london', color: 100, endpoint: 'dc-athens', profile: 'low-latency' },
  },
};
