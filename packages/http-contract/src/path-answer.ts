import { Type } from 'typebox';
import { endpointBehavior, sidOrigin } from './node.js';
import { addressFamily, ipv6, linkId, metricType, nodeId, revision, srlg } from './identifiers.js';
import { hypothetical } from './overlay.js';
import { choice, flag, integer, list, nullable, object, real, text, token } from './scalars.js';

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

export const ComputedPath = object('ComputedPath', 'One path with its segment lists.', {
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
});

export const noPathReasons = [
  'path-not-found',
  'metric-bound-exceeded',
  'insufficient-bandwidth',
  'affinity-excluded',
  'srlg-excluded',
  'resource-excluded',
  'include-unreachable',
  'disjoint-path-not-found',
  'msd-exceeded',
  'sid-unresolved',
  'source-unknown',
  'destination-unknown',
  'ted-stale',
] as const;

export const Conflict = object(
  'Conflict',
  'Constraints that conflict: with these alone there is no path, and without any one of them there is. Empty when no ' +
    "constraint is to blame: what the network is, drained links and the headend's maximum SID depth included, is given.",
  {
    constraints: list(
      'The constraints, in the order of the request.',
      object(
        'ConflictingConstraint',
        'A constraint that stands in the way, and what relaxing it alone would do, all else as asked.',
        {
          constraint: token('JSON pointer into the request.', '^(/[^/]*)*$', 255, ['/constraints/bounds/0']),
          nearestFeasible: nullable(
            integer('In the unit of the constraint.', { examples: [13_654] }),
            'Bounds, bandwidth, maxSegments and maxLists: the value nearest to what was asked for with which there is a path. null: none ' +
              'would do, or it is no such constraint, or (for several paths, or when the work budget ended) none was sought.',
          ),
          metric: nullable(
            real('In the unit of the metric.', 0, Number.MAX_SAFE_INTEGER, [40]),
            'The optimised metric once it is relaxed to that value, or dropped where there is none. null: there is no path even ' +
              'so, because others conflict too; or the work budget ended.',
          ),
        },
      ),
      64,
    ),
    isMinimal: flag('False: the work budget ended before every constraint was tried; some may be innocent.'),
  },
);

export const NoPath = object(
  'NoPath',
  'There is no such path, and why. An answer, not an error.',
  {
    status: Type.Literal('no-path', { description: 'Tells the two kinds of answer apart.' }),
    revision: revision('Topology revision the answer holds for.'),
    reason: choice(
      'Why there is none. `ted-stale`: a source is held that speaks of what blocks or of the endpoints (of anything, where ' +
        'nothing blocks), so the topology may be out of date; the rest of the answer, and the sentence at the end of the ' +
        'message, are about the topology as it was last believed.',
      noPathReasons,
    ),
    message: text('One sentence for an operator, naming the ids that matter.', 4000),
    constraint: nullable(
      token('JSON pointer.', '^(/[^/]*)*$', 255, ['/constraints/bounds/0']),
      'The constraint to blame, as a JSON pointer into the request; null when no single one is.',
    ),
    nearestFeasible: nullable(
      integer('In the unit of the constraint.', { examples: [13_654] }),
      'The value of that constraint with which a path would exist, all else as asked, in its unit; null when there is none.',
    ),
    blockingLinks: list('Directed links that block.', linkId(), 100_000),
    blockingNodes: list('Nodes that block.', nodeId(), 100_000),
    isProved: flag('False: the work budget ended the search; there may be a path all the same.'),
    conflict: Conflict,
    hypothetical: hypothetical(),
  },
  [
    {
      status: 'no-path',
      revision: 1,
      reason: 'metric-bound-exceeded',
      message: 'the least delay is 21300, above the bound of 10000',
      constraint: '/constraints/bounds/0',
      nearestFeasible: 21_300,
      blockingLinks: [],
      blockingNodes: [],
      isProved: true,
      conflict: {
        constraints: [{ constraint: '/constraints/bounds/0', nearestFeasible: 21_300, metric: 40 }],
        isMinimal: true,
      },
    },
  ],
);

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

export const OptionalOutcome = object('OptionalOutcome', 'What became of an optional constraint.', {
  constraint: token('JSON pointer to it.', '^(/[^/]*)*$', 255, ['/constraints/bounds/0']),
  isAchieved: flag('All paths keep it.'),
  missedBy: nullable(
    integer('In the unit of the constraint.', { examples: [1200] }),
    'By how much the worst path misses it: bounds, bandwidthBps (on the link with the least; not of policies), ' +
      'maxSegments and maxLists. null: achieved, or a constraint that has no such measure, or an unknown value.',
  ),
});

export const PathsFound = object('PathsFound', 'The paths that were found.', {
  status: Type.Literal('computed', { description: 'Tells the two kinds of answer apart.' }),
  revision: revision('Topology revision the answer holds for.'),
  metric: metricType('The metric that was minimised.'),
  optimality: choice(
    '`optimal`: no list that this headend can push is better. `feasible`: that was not proved to the end, as when the work budget ended the search; nothing better than `lowerBound` can exist.',
    ['optimal', 'feasible'],
  ),
  lowerBound: real(
    'No path can have a smaller value of the metric on its worst branch; for disjoint and co-routed paths, no such paths a smaller value of the objective; where a demand is split, no split a smaller mean over its traffic.',
    0,
    Number.MAX_SAFE_INTEGER,
    [21_300],
  ),
  optional: list('What became of each optional constraint, in the order of the request.', OptionalOutcome, 64),
  paths: list('Paths, best first; of a co-routed pair the way there, then the way back.', ComputedPath, 64),
  shared: nullable(Shared, 'Disjoint paths: what they share all the same; null when none were asked for.'),
  hypothetical: hypothetical(),
});

export const PathAnswer = Type.Union([PathsFound, NoPath], {
  title: 'PathAnswer',
  description: 'Paths, or why there is none.',
});

export const violationKinds = [
  'unknown-sid',
  'container-misread',
  'not-routed',
  'link-down',
  'loop',
  'not-delivered',
  'host-transit',
  'msd-exceeded',
  'metric-bound-exceeded',
  'insufficient-bandwidth',
  'affinity-excluded',
  'srlg-excluded',
  'resource-excluded',
  'include-missed',
  'admin-state',
  'mtu-exceeded',
] as const;

export function load() {
  return list(
    'Share of the traffic per directed link under even ECMP splits, sorted by link id.',
    object('LinkShare', 'Share of the traffic on one link.', {
      linkId: linkId(),
      share: real('Share of the traffic, from 0 to 1.', 0, 1.000001, [0.5]),
    }),
    100_000,
  );
}

export const Proof = object('Proof', 'A segment list held against the topology, over every ECMP branch.', {
  revision: revision('Topology revision it was proved on.'),
  ok: flag('Every branch delivers and obeys.'),
  violation: nullable(
    object('Violation', 'What a segment list does wrong.', {
      kind: choice('Kind of violation.', violationKinds),
      message: text('One sentence, naming entry, C-SID, node and link.', 4000),
      segmentIndex: nullable(integer('From 0.', { maximum: 128, examples: [1] }), 'Entry of the segment list, from 0.'),
      node: nullable(nodeId(), 'Node at which it happens.'),
      link: nullable(linkId(), 'Directed link at which it happens.'),
    }),
    'The first violation, walking from the headend; null when there is none.',
  ),
  worst: PathMetrics,
  best: PathMetrics,
  singlePath: flag('False: more than one branch can be taken.'),
  load: load(),
  hypothetical: hypothetical(),
});
