import { Type } from 'typebox';
import { metricType, nodeId, revision, srlg } from './identifiers.js';
import { hypothetical, overlay } from './overlay.js';
import { ComputedPath, NoPath, OptionalOutcome } from './path-answer.js';
import { Shared } from './path-parts.js';
import {
  families,
  kinds,
  maxDisjointPaths,
  maxSegments,
  objective,
  optionalConstraints,
  PathConstraints,
  setupPriority,
} from './path-request.js';
import { choice, flag, integer, list, nullable, object, text } from './scalars.js';

export const DisjointMember = object('DisjointMember', 'One path of a group, with constraints of its own.', {
  source: nodeId('Headend: the node at which the traffic enters.'),
  destination: nodeId('Node at which the traffic leaves.'),
  constraints: PathConstraints,
  families: Type.Optional(families()),
  maxSegments: Type.Optional(maxSegments()),
});

export const DisjointRequest = object(
  'DisjointRequest',
  'Paths for several requests at once, with the same endpoints or different ones, that share nothing of the kinds asked for. Pure, like a path computation.',
  {
    members: list('One per path.', DisjointMember, maxDisjointPaths, { minItems: 2 }),
    metric: metricType('What to minimise, for all members alike.'),
    disjoint: kinds('What no two paths may share between the attachment routers.', 1),
    mode: Type.Optional(
      choice(
        '`strict` (default): as asked, or no paths. `relaxed`: else the strongest level there is: `site` weakens to `node`, then `srlg` is dropped, then `node` weakens to `link`, and last paths share as few links as possible.',
        ['strict', 'relaxed'],
      ),
    ),
    objective: Type.Optional(
      objective('What to minimise over the members: the sum of their metrics (default), or the worst.'),
    ),
    setupPriority: Type.Optional(setupPriority()),
    optional: Type.Optional(optionalConstraints('this request')),
    overlay: overlay(),
    revision: Type.Optional(revision('Compute on this past revision of the topology instead of the newest.')),
  },
  [
    {
      members: [
        { source: 'dc-london', destination: 'dc-athens', constraints: {} },
        { source: 'dc-amsterdam', destination: 'dc-vienna', constraints: {} },
      ],
      metric: 'delay',
      disjoint: ['node', 'srlg'],
    },
  ],
);

export const UnachievedLevel = object('UnachievedLevel', 'Why there are no paths at a level of disjointness.', {
  disjoint: kinds('The level.', 0),
  isProved: flag('False: the work budget ended the search; there may be such paths all the same.'),
  message: text('One sentence for an operator, naming the ids that matter.', 4000),
  blocking: Shared,
});

export const DisjointPathsFound = object('DisjointPathsFound', 'The paths of a group.', {
  status: Type.Literal('computed', { description: 'Tells the two kinds of answer apart.' }),
  revision: revision('Topology revision the answer holds for.'),
  metric: metricType('The metric that was minimised.'),
  objective: objective('What was minimised over the members.'),
  achieved: kinds(
    'The level that holds between the attachment routers, in its shortest form; empty: links are shared.',
    0,
  ),
  unachieved: list(
    'Stronger levels that were asked for, the strongest first. `blocking` is the cut that proves it.',
    UnachievedLevel,
    8,
  ),
  optimality: choice(
    '`optimal`: nothing better exists at the level achieved. `feasible`: the work budget ended the search before that was proved.',
    ['optimal', 'feasible'],
  ),
  lowerBound: integer('No paths at this level have a smaller value of the objective.', { examples: [42_600] }),
  optional: list('What became of each optional constraint, in the order of the request.', OptionalOutcome, 64),
  paths: list('In the order of the members.', ComputedPath, maxDisjointPaths),
  shared: Shared,
  hypothetical: hypothetical(),
});

export const NoDisjointPaths = object('NoDisjointPaths', 'There are no such paths, and why. An answer, not an error.', {
  ...NoPath.properties,
  member: nullable(
    integer('From 0.', { maximum: maxDisjointPaths, examples: [1] }),
    'The member that has no path even by itself, from 0; null when it is the group that cannot be met.',
  ),
  blockingSrlgs: list('Shared-risk link groups that block.', srlg(), 100_000),
  blockingSites: list('Sites that block.', text('Site.', 200), 100_000),
});

export const DisjointAnswer = Type.Union([DisjointPathsFound, NoDisjointPaths], {
  title: 'DisjointAnswer',
  description: 'Disjoint paths, or why there are none.',
});
