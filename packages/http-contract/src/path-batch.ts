import { Type } from 'typebox';
import { ipv6, metricType, nodeId, revision } from './identifiers.js';
import { jobId, jobView } from './job.js';
import { hypothetical, overlay } from './overlay.js';
import { PathAnswer } from './path-answer.js';
import { PathMetrics } from './path-parts.js';
import { families, maxSegments, PathConstraints, PathRequest, setupPriority } from './path-request.js';
import { choice, flag, integer, kind, list, nullable, object, real, tagged } from './scalars.js';

/** Requests in a batch. */
export const maxBatchedRequests = 10_000;

/** Requests that are placed together. */
export const maxSynchronised = 1000;

/** Sources, and destinations, of a mesh. */
export const maxMeshNodes = 10_000;

/** Pairs of a mesh. */
export const maxMeshPairs = 1_000_000;

function batchId() {
  return jobId('Id of the batch: the client chooses it, so that it may ask again when an answer was lost.', 'evening');
}

/** Without a revision or an overlay of its own. */
const BatchedRequest = Type.Omit(PathRequest, ['revision', 'overlay'], {
  title: 'BatchedRequest',
  description: 'A path computation of a batch.',
  additionalProperties: false,
});

function pastRevision() {
  return revision('Compute all on this past revision of the topology instead of the newest; nothing is booked there.');
}

export const PathBatch = tagged(
  'PathBatch',
  'Many paths to compute on one revision. Changes nothing.',
  [
    object('PathBatchOfRequests', 'A list of requests.', {
      kind: kind('requests', 'A list of requests.'),
      id: batchId(),
      requests: list('The requests.', BatchedRequest, maxBatchedRequests, { minItems: 1 }),
      synchronised: Type.Optional(
        flag(
          'True: they share the bandwidth that is left, so that together they book no link beyond what is unreserved at their ' +
            `setup priorities (RFC 5440, synchronised); up to ${maxSynchronised}, each for one path or one demand. False, the default: each ` +
            'as if it were alone.',
        ),
      ),
      overlay: overlay(),
      revision: Type.Optional(pastRevision()),
    }),
    object('PathBatchOfMesh', 'One request between many nodes.', {
      kind: kind('mesh', 'One request between many nodes.'),
      id: batchId(),
      sources: list('Headends.', nodeId(), maxMeshNodes, { minItems: 1, uniqueItems: true }),
      destinations: Type.Optional(
        list('Destinations of each source; without it all ordered pairs of the sources.', nodeId(), maxMeshNodes, {
          minItems: 1,
          uniqueItems: true,
        }),
      ),
      metric: metricType('What to minimise; ties fall to fewer entries, then to the smaller ids.'),
      constraints: PathConstraints,
      families: Type.Optional(families()),
      maxSegments: Type.Optional(maxSegments()),
      setupPriority: Type.Optional(setupPriority()),
      overlay: overlay(),
      revision: Type.Optional(pastRevision()),
    }),
  ],
  [{ kind: 'mesh', id: 'evening', sources: ['dc-london', 'dc-athens', 'dc-madrid'], metric: 'delay', constraints: {} }],
);

export const PathBatchView = jobView(
  'PathBatchView',
  'A batch of path computations, as far as it is.',
  { example: 'evening', outcomes: ['computed', 'no-path'] },
  { hypothetical: hypothetical() },
);

function unlessNone(what: string) {
  return `${what} null: there is no path.`;
}

export const BatchItem = tagged('BatchItem', 'One answer of a batch.', [
  object('BatchedAnswer', 'The answer to a request of the list.', {
    kind: kind('request', 'The answer to a request of the list.'),
    index: integer('Position of the request in the list, from 0.', { maximum: maxBatchedRequests, examples: [0] }),
    answer: PathAnswer,
    turn: nullable(
      integer('From 0.', { maximum: maxSynchronised, examples: [0] }),
      'Its place in the order of computation: the answer is that of a path computation on what those with an earlier turn ' +
        'leave. null: not synchronised.',
    ),
    becauseOf: list(
      'No path, though there is one when no other request takes anything: positions of those that hold what it lacks on that path.',
      integer('From 0.', { maximum: maxBatchedRequests, examples: [1] }),
      maxSynchronised,
    ),
  }),
  object('MeshPath', 'The path between two nodes of a mesh, in short.', {
    kind: kind('pair', 'The path between two nodes of a mesh.'),
    source: nodeId('Headend.'),
    destination: nodeId('Destination.'),
    status: choice('Whether there is one; why not, a path computation of this pair says.', ['computed', 'no-path']),
    optimality: nullable(
      choice('As of a path computation.', ['optimal', 'feasible']),
      unlessNone('As of a path computation.'),
    ),
    metric: nullable(
      real('In its unit.', 0, Number.MAX_SAFE_INTEGER, [21_300]),
      unlessNone('The optimised metric, on the worst branch.'),
    ),
    lowerBound: nullable(
      real('In the unit of the metric.', 0, Number.MAX_SAFE_INTEGER, [21_300]),
      unlessNone('No path has a smaller metric.'),
    ),
    worst: nullable(PathMetrics, unlessNone('Metrics of the worst branch, as the proof measured them.')),
    singlePath: nullable(flag('One way.'), unlessNone('Packets take no other way than one.')),
    srhEntries: nullable(
      integer('Entries.', { maximum: 128, examples: [2] }),
      unlessNone('SRH entries that the headend pushes, of the longest list.'),
    ),
    sids: list('SIDs in front of the service SID, in the order of travel; of a transport list all.', ipv6('SID.'), 128),
  }),
]);
