import { Type } from 'typebox';
import { ipv6, linkId, nodeId } from './identifiers.js';
import { PathMetrics, pathProperties, Segment, Shared } from './path-parts.js';
import { kinds } from './path-request.js';
import { choice, flag, integer, list, nullable, object, text, token } from './scalars.js';

export const UnachievedStandby = object('UnachievedStandby', 'A level of disjointness at which no standby was found.', {
  disjoint: kinds('The level.', 0),
  isProved: flag('False: the work budget ended the search; there may be one all the same.'),
  blocking: Shared,
});

const StandbyAnswer = Type.Union(
  [
    object('StandbyFound', 'The standby of a path.', {
      status: Type.Literal('computed', { description: 'Tells the two kinds of answer apart.' }),
      achieved: kinds('The level that holds against the primary, in its shortest form; empty: links are shared.', 0),
      unachieved: list(
        'Stronger levels that were asked for, the strongest first. `blocking`: what each path of the standby would have in common with the primary.',
        UnachievedStandby,
        8,
      ),
      optimality: choice(
        '`optimal`: nothing better exists at the level achieved. `feasible`: the work budget ended the search before that was proved.',
        ['optimal', 'feasible'],
      ),
      path: object('StandbyPath', 'The standby, with its segment lists.', pathProperties),
      shared: Shared,
    }),
    object('NoStandby', 'There is no such standby, and why.', {
      status: Type.Literal('no-path', { description: 'Tells the two kinds of answer apart.' }),
      message: text('One sentence for an operator, naming the ids that matter.', 4000),
      unachieved: list('The levels that were tried, the strongest first.', UnachievedStandby, 8),
      isProved: flag('False: the work budget ended the search; there may be one all the same.'),
    }),
  ],
  { title: 'StandbyAnswer', description: 'The standby, or why there is none.' },
);

const unrepairedReasons = [
  'segment-endpoint',
  'adjacency-unprotected',
  'no-post-convergence-path',
  'no-repair-list',
  'msd-exceeded',
  'host',
  'not-predicted',
] as const;

const RepairOutcome = Type.Union(
  [
    object('RepairPath', 'The post-convergence path from the point of local repair to the end of the active segment.', {
      kind: Type.Literal('repaired', { description: 'Tells the two kinds of outcome apart.' }),
      links: list('Directed links; one of the branches where the list leaves a choice.', linkId(), 100_000),
      metrics: PathMetrics,
      pSpace: list(
        "Of the path's nodes beyond the point of local repair those that it reaches over shortest paths from before the failure, without what failed.",
        nodeId(),
        100_000,
      ),
      extendedPSpace: list('Those that one of its other neighbours reaches so.', nodeId(), 100_000),
      qSpace: list('Those that reach the end of the segment so.', nodeId(), 100_000),
      repairList: list(
        'SIDs that the point of local repair pushes around what it received; none where the first link is enough.',
        Segment,
        128,
      ),
      srhEntries: integer('SRH entries that it pushes.', { maximum: 128, examples: [1] }),
      headerBytes: integer('Bytes added to each packet on the way.', { maximum: 65_535, examples: [64] }),
      decapsulates: flag('The last SID of the list can remove that header (USD), or there is none to remove.'),
    }),
    object('Unrepaired', 'Why packets are dropped until the IGP has converged.', {
      kind: Type.Literal('unrepaired', { description: 'Tells the two kinds of outcome apart.' }),
      reason: choice(
        '`segment-endpoint`: the failed node is where the active segment ends. `adjacency-unprotected`: the adjacency SID has no local repair. ' +
          '`no-post-convergence-path`: no path is left. `no-repair-list`: no SIDs keep routers that have not converged on it. ' +
          '`msd-exceeded`: the router cannot push so many entries. `host`: a host repairs nothing. `not-predicted`: the work budget ended.',
        unrepairedReasons,
      ),
      message: text('One sentence for an operator.', 4000),
    }),
  ],
  { title: 'RepairOutcome', description: 'A repair path, or why there is none.' },
);

export const Detour = object(
  'Detour',
  'What becomes of the traffic between one failure and the convergence of the IGP.',
  {
    failure: Type.Union(
      [
        object(undefined, 'A link, in both directions.', {
          kind: Type.Literal('link', { description: 'A link.' }),
          link: linkId(),
        }),
        object(undefined, 'A node with all its links.', {
          kind: Type.Literal('node', { description: 'A node.' }),
          node: nodeId(),
        }),
      ],
      { title: 'FailedElement', description: 'What fails.' },
    ),
    isProtected: flag('Every packet is repaired and delivered.'),
    repairs: list(
      'One for each point of local repair and each active segment that packets have there.',
      object('Repair', 'What one router does with packets that it would have sent over what failed.', {
        pointOfLocalRepair: nodeId('The router.'),
        link: linkId('The directed link that it finds dead.'),
        activeSegment: ipv6('SID, or container, that packets have as their destination there.'),
        segmentEnd: nullable(
          nodeId(),
          'Where that segment ends, of an adjacency segment the far end of its link; null: its SID leads to no one node.',
        ),
        outcome: RepairOutcome,
      }),
      100_000,
    ),
    worst: nullable(PathMetrics, 'End to end on the worst branch during the repair; null when packets are dropped.'),
    pathMtuBytes: nullable(
      integer('Bytes.', { maximum: 65_535, examples: [8856] }),
      'Largest inner packet in bytes during the repair, its headers counted; null when packets are dropped, or unknown.',
    ),
    broken: list(
      'Constraints of the request that do not hold during the repair; empty when packets are dropped.',
      object('BrokenConstraint', 'A constraint that does not hold.', {
        constraint: nullable(
          token('JSON pointer.', '^(/[^/]*)*$', 255, ['/constraints/bounds/0']),
          'JSON pointer into the request; null: packets of 1280 bytes do not fit.',
        ),
        message: text('One sentence for an operator.', 4000),
      }),
      128,
    ),
    message: nullable(text('One sentence for an operator.', 4000), 'Why packets are dropped; null when none are.'),
  },
);

export const PathProtection = object('PathProtection', 'What was asked for in `protection`.', {
  standby: Type.Optional(StandbyAnswer),
  detours: Type.Optional(
    list('One per link and node on the branches of the first segment list, links first.', Detour, 100_000),
  ),
});
