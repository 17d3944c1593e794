import { Type } from 'typebox';
import { addressFamily, affinities, ipv6, linkId, metricType, nodeId, revision, srlgs } from './identifiers.js';
import { overlay } from './overlay.js';
import { choice, integer, list, object, text, token } from './scalars.js';

function hop() {
  return choice(
    '`loose`, the default: anything may come between the entry before and this one. `strict`: nothing may; the path goes ' +
      'here directly from the node of the entry before, or that its link leads to, the first entry directly from the source.',
    ['loose', 'strict'],
  );
}

export const PathConstraints = object(
  'PathConstraints',
  'What a path must obey.',
  {
    bounds: Type.Optional(
      list(
        'Upper bounds, each inclusive; one per metric type.',
        object('MetricBound', 'An upper bound on a metric of the whole path.', {
          metric: metricType(),
          max: integer(
            'Largest value allowed, inclusive: microseconds for delay and delay-variation, parts per million for loss.',
            { examples: [40_000] },
          ),
        }),
        6,
      ),
    ),
    bandwidthBps: Type.Optional(
      integer('Must fit into the unreserved bandwidth of every link of the path, in bits per second.', {
        minimum: 1,
        examples: [2_000_000_000],
      }),
    ),
    affinities: Type.Optional(
      object('AffinityConstraint', 'Affinities (extended admin groups), by name.', {
        includeAny: Type.Optional(affinities('Every link must have at least one of these.')),
        includeAll: Type.Optional(affinities('Every link must have all of these.')),
        excludeAny: Type.Optional(affinities('No link may have any of these.')),
      }),
    ),
    exclude: Type.Optional(
      object('Exclusions', 'What the path must not use.', {
        nodes: Type.Optional(list('Nodes; all their links with them.', nodeId(), 1000, { uniqueItems: true })),
        links: Type.Optional(list('Directed links.', linkId(), 1000, { uniqueItems: true })),
        srlgs: Type.Optional(srlgs('Shared-risk link groups.')),
        sites: Type.Optional(
          list('Sites: the nodes there, other than source and destination themselves.', text('Site.'), 1000, {
            uniqueItems: true,
          }),
        ),
      }),
    ),
    include: Type.Optional(
      list(
        'Visited in this order.',
        Type.Union(
          [
            object(undefined, 'A node to visit.', { node: nodeId(), hop: Type.Optional(hop()) }),
            object(undefined, 'A directed link to cross.', { link: linkId(), hop: Type.Optional(hop()) }),
          ],
          { title: 'Inclusion', description: 'A node to visit or a directed link to cross.' },
        ),
        16,
      ),
    ),
  },
  [{ bounds: [{ metric: 'delay', max: 40_000 }], affinities: { excludeAny: ['submarine'] } }],
);

/** Transport SIDs of a list, at most, computed or hand-written; a headend's maximum SID depth usually allows fewer. */
export const maxTransportSids = 64;

export function families() {
  return list(
    'Families whose segment lists are wanted; by default those the destination has service SIDs for. Empty: transport only.',
    addressFamily(),
    2,
    { uniqueItems: true },
  );
}

export function maxSegments() {
  return integer("At most so many SRH entries, when that is less than the headend's maximum SID depth.", {
    minimum: 1,
    maximum: maxTransportSids,
  });
}

/** Weighted lists of one demand. */
export const maxWeightedLists = 16;

export function maxLists(more = '') {
  return integer(
    `When no single path carries \`constraints.bandwidthBps\`: up to so many weighted lists that carry it together; 1 by default.${more}`,
    { minimum: 1, maximum: maxWeightedLists, examples: [2] },
  );
}

/** What two paths may not share, in any combination. */
export const disjointKinds = ['link', 'node', 'srlg', 'site'] as const;

/** Paths that may be asked for together. */
export const maxDisjointPaths = 16;

export function disjointKind() {
  return choice(
    'What may not be shared. Each kind includes `link`, and `site` includes `node`; a link is in the SRLGs of both of its directions.',
    disjointKinds,
  );
}

/** Several kinds at once. */
export function kinds(description: string, minItems: number) {
  return list(description, disjointKind(), 4, { minItems, uniqueItems: true, examples: [['node', 'srlg']] });
}

export function objective(description: string) {
  return choice(description, ['sum', 'worst']);
}

export function setupPriority() {
  return integer(
    '0, the highest, to 7, the default (RFC 3209). Bandwidth is held against what is unreserved at this priority: the ' +
      'reservable bandwidth minus what is booked with a hold priority of this number or a smaller one (RFC 5305).',
    { maximum: 7, default: 7, examples: [7] },
  );
}

/** `whole`: what the pointers point into. */
export function optionalConstraints(whole: string) {
  return list(
    'Constraints that need not be kept, the most important first: of all paths that keep everything else, those that keep ' +
      'the first; of these, if there are any, those that keep the second; and so on.',
    token(`JSON pointer into ${whole}.`, '^(/[^/]*)+$', 255, ['/constraints/bounds/0']),
    64,
    { uniqueItems: true },
  );
}

export const StandbyRequest = object(
  'StandbyRequest',
  'A path for the headend to use when the primary fails. The primary stays what it would be without.',
  {
    disjoint: Type.Union([disjointKind(), kinds('Several kinds at once.', 1)], {
      description: 'What it may not share with the primary, between the attachment routers.',
    }),
    mode: Type.Optional(
      choice(
        '`strict` (default): as asked, or none. `relaxed`: else the strongest level there is, as of disjoint paths, and last the path that shares the fewest links with the primary.',
        ['strict', 'relaxed'],
      ),
    ),
    constraints: Type.Optional(PathConstraints),
  },
  [{ disjoint: ['node', 'srlg'], mode: 'relaxed' }],
);

export const ProtectionRequest = object(
  'ProtectionRequest',
  'What to add to each path.',
  {
    standby: Type.Optional(StandbyRequest),
    detours: Type.Optional(
      list(
        'For which failures on the path the repairs are predicted that routers with TI-LFA (RFC 9855) are expected to make: `link` for each link, `node` for each router in between.',
        choice('Kind of failure.', ['link', 'node']),
        2,
        { minItems: 1, uniqueItems: true, examples: [['link']] },
      ),
    ),
  },
  [{ standby: { disjoint: 'node' }, detours: ['link', 'node'] }],
);

export const PathRequest = object(
  'PathRequest',
  'A path computation. It is pure: it changes nothing, and the same request at the same revision gives the same answer.',
  {
    source: nodeId('Headend: the node at which the traffic enters.'),
    destination: nodeId('Node at which the traffic leaves.'),
    metric: metricType('What to minimise; ties fall to fewer entries, then to the smaller ids.'),
    constraints: PathConstraints,
    k: Type.Optional(
      integer(
        'Up to this many loopless paths in ascending order of the metric; 1 by default. With `disjoint`: exactly so many, 2 by default and 16 at most.',
        {
          minimum: 1,
          maximum: 64,
        },
      ),
    ),
    disjoint: Type.Optional(
      Type.Union(
        [
          disjointKind(),
          list('Several kinds at once.', disjointKind(), 4, {
            minItems: 1,
            uniqueItems: true,
            examples: [['node', 'srlg']],
          }),
        ],
        {
          description:
            'Ask for `k` paths that share nothing of this kind, or of these kinds, between the attachment routers, of the least sum of the metric. Requests with different endpoints or constraints: /v1/disjoint-path-computations.',
        },
      ),
    ),
    coRouted: Type.Optional(
      objective(
        'Ask for a bidirectional pair over the same links, each direction within all constraints: minimise the sum of both, or the worse of the two. Not together with `k` or `disjoint`.',
      ),
    ),
    maxLists: Type.Optional(maxLists(' Not together with `k`, `disjoint` or `coRouted`.')),
    families: Type.Optional(families()),
    maxSegments: Type.Optional(maxSegments()),
    setupPriority: Type.Optional(setupPriority()),
    optional: Type.Optional(optionalConstraints('this request')),
    overlay: overlay(),
    protection: Type.Optional(ProtectionRequest),
    revision: Type.Optional(revision('Compute on this past revision of the topology instead of the newest.')),
  },
  [{ source: 'dc-london', destination: 'dc-athens', metric: 'delay', constraints: {} }],
);

export const ProofRequest = object(
  'ProofRequest',
  'A hand-written segment list to hold against the topology.',
  {
    headend: nodeId('Node that pushes the list.'),
    destination: nodeId('Node at which the traffic must arrive.'),
    sids: list(
      'What the headend pushes, in the order of travel: SIDs, or containers of C-SIDs, which are read as routers read them. The service SID is last when there is one.',
      ipv6('SID or container.'),
      128,
    ),
    constraints: Type.Optional(PathConstraints),
    setupPriority: Type.Optional(setupPriority()),
    overlay: overlay(),
    revision: Type.Optional(revision('Prove on this past revision of the topology instead of the newest.')),
  },
  [{ headend: 'dc-london', destination: 'dc-athens', sids: ['fcbb:bb00:8:1::', 'fcbb:bb00:2a:1::'] }],
);
