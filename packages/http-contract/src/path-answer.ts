import { Type } from 'typebox';
import { linkId, metricType, nodeId, revision } from './identifiers.js';
import { hypothetical } from './overlay.js';
import { PathMetrics, pathProperties, Shared } from './path-parts.js';
import { PathProtection } from './path-protection.js';
import { choice, flag, integer, list, nullable, object, real, text, token } from './scalars.js';

export const ComputedPath = object('ComputedPath', 'One path with its segment lists.', {
  ...pathProperties,
  protection: Type.Optional(PathProtection),
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
  leastOfPaths: Type.Optional(
    real(
      'What the best path is worth, whatever list would make packets take it: what the lists cost above it is the price of what the headend can push. Told of a single path, unless the headend sends over several links or the work budget ended.',
      0,
      Number.MAX_SAFE_INTEGER,
      [21_300],
    ),
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
