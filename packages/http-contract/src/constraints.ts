import { Type, type TProperties } from 'typebox';
import { adminState, affinities, linkId, owner, revision, srlgs } from './identifiers.js';
import { choice, integer, list, maxUint32, nullable, object } from './scalars.js';

const linkConstraints = {
  adminState: Type.Optional(
    nullable(
      adminState('Admin state.'),
      '`drained`: nothing new goes here; `down`: nothing may be here. null clears it.',
    ),
  ),
  teMetric: Type.Optional(
    nullable(integer('TE metric.', { maximum: maxUint32, examples: [10] }), 'TE metric. null clears it.'),
  ),
  delayUs: Type.Optional(
    nullable(
      integer('Microseconds.', { maximum: maxUint32, examples: [25_000] }),
      'Average delay in microseconds. null clears it.',
    ),
  ),
  delayVariationUs: Type.Optional(
    nullable(
      integer('Microseconds.', { maximum: maxUint32, examples: [100] }),
      'Delay variation in microseconds. null clears it.',
    ),
  ),
  lossPpm: Type.Optional(
    nullable(
      integer('Parts per million.', { maximum: 1_000_000, examples: [10] }),
      'Loss in parts per million. null clears it.',
    ),
  ),
  bandwidthBps: Type.Optional(
    nullable(
      integer('Bits per second.', { examples: [10_000_000_000] }),
      'Bandwidth in bits per second. null clears it.',
    ),
  ),
  reservableBandwidthBps: Type.Optional(
    nullable(
      integer('Bits per second.', { examples: [8_000_000_000] }),
      'Reservable bandwidth in bits per second. null clears it.',
    ),
  ),
  affinities: Type.Optional(
    nullable(affinities('Affinities.'), 'Names of affinities; replaces what was discovered. null clears it.'),
  ),
  srlgs: Type.Optional(
    nullable(srlgs('SRLGs.'), 'Shared-risk link groups; replaces what was discovered. null clears it.'),
  ),
};

export const LinkConstraints = object(
  'LinkConstraints',
  'What an operator lays over a link. It wins over what was measured or discovered, and no import ever touches it.',
  linkConstraints,
  [{ adminState: 'drained' }, { delayUs: 25_000, affinities: ['submarine'] }],
);

const nodeConstraints = {
  adminState: Type.Optional(
    nullable(
      adminState('Admin state.'),
      '`drained`: nothing new goes here; `down`: nothing may be here. null clears it.',
    ),
  ),
  msdHEncaps: Type.Optional(
    nullable(
      integer('SRH entries.', { maximum: 64, examples: [3] }),
      'At most so many SRH entries for this headend. null clears it.',
    ),
  ),
  msdSegmentsLeft: Type.Optional(
    nullable(
      integer('Segments Left.', { maximum: 255, examples: [5] }),
      'At most so many Segments Left where this node processes a SID. null clears it.',
    ),
  ),
  msdEndPop: Type.Optional(
    nullable(
      integer('SRH entries.', { maximum: 255, examples: [5] }),
      'At most so many SRH entries for this node to remove (PSP, USP). null clears it.',
    ),
  ),
  msdEndD: Type.Optional(
    nullable(
      integer('SRH entries.', { maximum: 255, examples: [5] }),
      'At most so many SRH entries where this node decapsulates. null clears it.',
    ),
  ),
};

export const NodeConstraints = object(
  'NodeConstraints',
  'What an operator lays over a node. No import ever touches it.',
  nodeConstraints,
  [{ adminState: 'drained' }],
);

function settingsOf<Properties extends TProperties>(constraints: Properties) {
  return {
    id: linkId('Id of the node or link.'),
    version: revision('Revision that wrote these settings; 0 when nothing is set. The ETag is this number in quotes.'),
    constraints: object(undefined, 'What is set; empty when nothing is.', constraints),
  };
}

export const LinkSettings = object('LinkSettings', 'Operator settings of one link.', {
  ...settingsOf(linkConstraints),
  owner: owner(),
});
export const NodeSettings = object('NodeSettings', 'Operator settings of one node.', settingsOf(nodeConstraints));

export const BulkLinkConstraints = object(
  'BulkLinkConstraints',
  'Constraints for many links, all in one transaction: either every one is written or none.',
  {
    mode: choice('`replace`: what is not named is cleared. `patch`: it stays.', ['replace', 'patch']),
    changes: list(
      'One entry per link; a link may be named once.',
      object('LinkConstraintsChange', 'Constraints for one of the links.', {
        link: linkId('Id of the directed link.'),
        constraints: LinkConstraints,
        ifVersion: Type.Optional(
          revision(
            "Refuse everything when this link's settings have another version. Without it they are written whatever they were.",
          ),
        ),
      }),
      10_000,
      { minItems: 1 },
    ),
  },
  [
    {
      mode: 'patch',
      changes: [
        { link: 'UK:FR', constraints: { adminState: 'drained' } },
        { link: 'FR:UK', constraints: { adminState: 'drained' } },
      ],
    },
  ],
);

export const BulkResult = object('BulkResult', 'The settings as written.', {
  revision: revision('Revision that wrote them.'),
  settings: list('Settings of every link named, in the order of the request.', LinkSettings, 10_000),
});
