import { endpointBehavior, sidOrigin } from './node.js';
import { addressFamily, ipv6, linkId, nodeId, srlg } from './identifiers.js';
import { flag, integer, list, nullable, object, text } from './scalars.js';

export const PathMetrics = object(
  'PathMetrics',
  "Sums over a path. null: at least one link's value is unknown.",
  {
    igp: integer('Sum of IGP metrics.', { examples: [40] }),
    te: integer('Sum of TE metrics.', { examples: [40] }),
    delayUs: nullable(integer('Microseconds.', { examples: [21_300] }), 'Delay in microseconds, host links included.'),
    delayVariationUs: nullable(
      integer('Microseconds.', { examples: [120] }),
      'Sum of delay variations in microseconds.',
    ),
    lossPpm: nullable(
      integer('Parts per million.', { maximum: 1_000_000, examples: [5] }),
      'Loss in parts per million, rounded up.',
    ),
    hops: integer('Links crossed.', { examples: [5] }),
  },
  [{ igp: 40, te: 40, delayUs: 21_300, delayVariationUs: null, lossPpm: null, hops: 5 }],
);

export const Segment = object('Segment', 'One SID of a segment list, with what it makes the network do.', {
  sid: ipv6('The SID.'),
  behavior: endpointBehavior(),
  node: nodeId('Node that owns the SID.'),
  linkId: nullable(linkId(), 'End.X: the directed link it crosses.'),
  origin: sidOrigin(),
});

export const ProofSummary = object(
  'ProofSummary',
  'What the proof measured over every ECMP branch the list can take.',
  {
    worst: PathMetrics,
    best: PathMetrics,
    singlePath: flag('False: more than one branch can be taken.'),
    usesPlannedSids: flag('At least one SID is planned: shown, never installed on a real data plane.'),
  },
);

export const ListEntry = object(
  'ListEntry',
  'What the headend pushes as one destination address: a SID, or a C-SID container (RFC 9800).',
  {
    address: ipv6('The address.'),
    sids: list('The SIDs it carries, in the order of travel.', ipv6('SID.'), 128),
  },
  [{ address: 'fcbb:bb00:1:8:2a:d4::', sids: ['fcbb:bb00:1::', 'fcbb:bb00:8::', 'fcbb:bb00:2a:d4::'] }],
);

export const SegmentList = object('SegmentList', 'A finished segment list.', {
  family: nullable(addressFamily(), 'Family of the traffic it is for; null: transport only.'),
  segments: list('Segments in the order of travel, each SID by itself.', Segment, 128),
  entries: list(
    'The same as they are pushed: C-SIDs of routers that allow it are packed into as few entries as can be.',
    ListEntry,
    128,
  ),
  headerBytes: integer("Outer IPv6 header and SRH in bytes, in the headend's encapsulation mode.", {
    maximum: 65_535,
    examples: [80],
  }),
  srhEntries: integer('SRH entries that the headend pushes; its maximum SID depth limits them.', {
    maximum: 128,
    examples: [2],
  }),
  decapsulates: flag(
    'The last SID decapsulates: a service SID does, an End SID only with the flavor USD. Packets of a list that does not are dropped at its end.',
  ),
  pathMtuBytes: nullable(
    integer('Bytes.', { maximum: 65_535, examples: [8920] }),
    "Largest inner packet in bytes that fits on every branch; null when a link's MTU is unknown.",
  ),
  proof: ProofSummary,
});

/** Of a path by itself. */
export const pathProperties = {
  weight: integer(
    'Where a demand is split over several lists, the part of this one: its weight over the sum of all weights. Otherwise 1.',
    { minimum: 1, maximum: 255, examples: [1] },
  ),
  nodes: list(
    'Nodes, from source to destination; where the IGP splits traffic, of one of its branches.',
    nodeId(),
    100_000,
  ),
  links: list('Directed links, from source to destination.', linkId(), 100_000),
  metrics: PathMetrics,
  bottleneck: nullable(
    object(undefined, 'The link with the least unreserved bandwidth.', {
      linkId: linkId(),
      unreservedBps: integer('Unreserved bandwidth in bits per second.', { examples: [8_000_000_000] }),
    }),
    "The link with the least unreserved bandwidth; null when no link's bandwidth is known.",
  ),
  transport: list('SIDs in front of the service SID.', Segment, 128),
  segmentLists: list('One per family, or one transport list when no family was asked for.', SegmentList, 2),
};

export const Shared = object('Shared', 'What at least two paths can use. Sorted.', {
  nodes: list('Nodes, but for those that are an endpoint of each path that passes them.', nodeId(), 100_000),
  links: list('Directed links: the directions in which they are crossed.', linkId(), 100_000),
  srlgs: list('Shared-risk link groups.', srlg(), 100_000),
  sites: list(
    'Sites, but for those where each of the paths that pass them has an endpoint.',
    text('Site.', 200),
    100_000,
  ),
});
