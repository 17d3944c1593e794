import { Type } from 'typebox';
import {
  PathConstraints,
  StandbyRequest,
  kinds,
  maxLists,
  maxSegments,
  maxTransportSids,
  optionalConstraints,
} from './path-request.js';
import { OptionalOutcome, load } from './path-answer.js';
import { PathMetrics, Segment, SegmentList, Shared } from './path-parts.js';
import { UnachievedStandby } from './path-protection.js';
import {
  addressFamily,
  color,
  ipv6,
  linkId,
  meshId,
  metricType,
  nodeId,
  owner,
  policyId,
  prefix,
  revision,
  timestamp,
} from './identifiers.js';
import { choice, flag, integer, kind, list, maxUint32, nullable, object, tagged, text } from './scalars.js';

const ExplicitPath = object('ExplicitPath', 'Hand-written segment lists.', {
  kind: kind('explicit', 'Hand-written.'),
  segmentLists: list(
    'Traffic divides over these lists by weight.',
    object('WeightedSids', 'One list and its weight.', {
      weight: integer('Weight, relative to the other lists.', { minimum: 1, maximum: maxUint32, examples: [1] }),
      sids: list(
        "Transport SIDs in the order of travel, or containers of them; the service SID of each family is appended, and C-SIDs are packed anew. The headend's maximum SID depth may allow fewer: then the candidate path is not valid.",
        ipv6('SID.'),
        maxTransportSids,
      ),
    }),
    16,
    { minItems: 1 },
  ),
  constraints: Type.Optional(PathConstraints),
});

const DynamicPath = object('DynamicPath', 'Computed, and computed again whenever the topology asks for it.', {
  kind: kind('dynamic', 'Computed by Waymark.'),
  metric: metricType('What to minimise.'),
  constraints: PathConstraints,
  maxSegments: Type.Optional(maxSegments()),
  maxLists: Type.Optional(maxLists()),
  optional: Type.Optional(optionalConstraints('this path')),
  standby: Type.Optional(StandbyRequest),
});

export const CandidatePath = object(
  'CandidatePath',
  'A candidate path (RFC 9256): the valid one of highest preference is active.',
  {
    discriminator: integer('Tells the candidate paths of a policy apart.', {
      minimum: 1,
      maximum: maxUint32,
      examples: [1],
    }),
    preference: integer('Higher wins (RFC 9256 section 2.7).', { maximum: maxUint32, examples: [100] }),
    name: Type.Optional(text('Name for people.')),
    path: tagged('CandidatePathSpec', 'Hand-written or computed.', [ExplicitPath, DynamicPath]),
  },
);

function candidatePaths() {
  return list('Candidate paths, each with its own discriminator.', CandidatePath, 16, { minItems: 1 });
}

function fallback() {
  return choice("When no candidate path is valid: discard the traffic, or send it along the IGP's shortest path.", [
    'drop',
    'shortest-path',
  ]);
}

/** RFC 3209 section 4.7.3. */
function priority(description: string) {
  return integer(description, { maximum: 7, examples: [4] });
}

const priorities = {
  setupPriority: Type.Optional(
    priority(
      '0, the highest, to 7, the default (RFC 3209). The policy may take bandwidth that others have booked with a hold ' +
        'priority of a greater number; those find another path, or fall back until there is room again.',
    ),
  ),
  holdPriority: Type.Optional(
    priority(
      'The priority with which the policy holds its bandwidth: the setup priority, which is the default, or a smaller ' +
        'number.',
    ),
  ),
};

const delayOptimal = {
  candidatePaths: [{ discriminator: 1, preference: 100, path: { kind: 'dynamic', metric: 'delay', constraints: {} } }],
  fallback: 'shortest-path',
};

export const PolicyTemplate = object(
  'PolicyTemplate',
  'What a mesh gives each of its policies.',
  { candidatePaths: candidatePaths(), fallback: fallback(), ...priorities },
  [delayOptimal],
);

export const SrPolicyIntent = object(
  'SrPolicyIntent',
  'What an operator asks for: traffic from headend to endpoint, of a color, over the best valid candidate path.',
  {
    headend: nodeId('Node that steers the traffic into the policy.'),
    color: color(),
    endpoint: nodeId('Node at which the traffic leaves.'),
    name: Type.Optional(text('Name for people.')),
    steeredPrefixes: Type.Optional(
      list(
        "Prefixes steered into the policy; without it the endpoint's pod prefixes that no other policy claims.",
        prefix('Destination prefix.'),
        1000,
        { uniqueItems: true },
      ),
    ),
    ...PolicyTemplate.properties,
  },
  [{ headend: 'dc-london', color: 100, endpoint: 'dc-athens', name: 'London to Athens, low delay', ...delayOptimal }],
);

function liveness(description: string) {
  return choice(description, ['up', 'down', 'unknown']);
}

const ListLiveness = object('ListLiveness', 'A finished list, as the probes of the headend through it found it.', {
  family: addressFamily(),
  state: liveness(
    '`down`: its probes are lost. `unknown`: nothing is known yet, or the agent is silent; that is not failure.',
  ),
  stale: flag('The agent is silent or has just come back: the numbers are the last that it told.'),
  since: nullable(timestamp('When its state changed last.'), 'null: unknown.'),
  inUse: nullable(flag('The headend sends steered packets through it.'), 'null: unknown.'),
  probesSent: integer('Probes sent, of the last 100.', { examples: [100] }),
  probesLost: integer('Probes lost, of those sent.', { examples: [0] }),
  roundTripUs: nullable(
    object(undefined, 'Round trips of the probes that came back, in microseconds.', {
      min: integer('Shortest.', { examples: [8810] }),
      average: integer('Average.', { examples: [8872] }),
      max: integer('Longest.', { examples: [9105] }),
    }),
    'null: none came back.',
  ),
  reportedAt: timestamp('When this was stored.'),
});

const ProbedList = object('PolicyList', 'One transport list, with what it does and what probes through it found.', {
  weight: integer('Weight, relative to the other lists.', { maximum: maxUint32, examples: [1] }),
  nodes: list('Nodes, from headend to endpoint.', nodeId(), 100_000),
  links: list('Directed links, from headend to endpoint.', linkId(), 100_000),
  metrics: PathMetrics,
  transport: list('SIDs in front of the service SID.', Segment, 128),
  segmentLists: list('Finished lists, one per family.', SegmentList, 2),
  load: load(),
  liveness: list('One entry per family that the headend probes; none when it does not probe.', ListLiveness, 2),
});

/** What headends tell of a policy as a whole. */
export function policyLiveness(description: string) {
  return choice(description, ['up', 'degraded', 'standby', 'down', 'unknown'], ['unknown']);
}

const PolicyState = object('PolicyState', 'What the controller derived from the intent, and how far it has come.', {
  status: choice('`fallback`: no candidate path is valid, the fallback carries the traffic.', [
    'up',
    'fallback',
    'down',
  ]),
  activeCandidatePath: nullable(
    integer('Discriminator.', { maximum: maxUint32, examples: [1] }),
    'Discriminator of the active candidate path.',
  ),
  compliance: nullable(
    choice('Compliance.', ['constraints-met', 'constraints-not-met', 'unconstrained']),
    'Whether the lists in use meet the constraints; null when nothing is in use.',
  ),
  candidatePaths: list(
    'Every candidate path with its validity.',
    object('CandidatePathState', 'Validity of a candidate path.', {
      discriminator: integer('Which candidate path.', { maximum: maxUint32, examples: [1] }),
      preference: integer('Its preference.', { maximum: maxUint32, examples: [100] }),
      valid: flag('It can be used.'),
      active: flag('It is the one to use: the valid one of highest preference.'),
      liveness: liveness(
        'What probes through its lists find, where the headend has them: `down` when all of them are lost, so that the ' +
          'headend treats it as invalid although it was proved.',
      ),
      reason: nullable(text('Reason.', 100), 'Why it is not valid: a no-path reason or a violation.'),
      message: nullable(text('Message.', 4000), 'The same in one sentence.'),
      optional: list(
        'What becomes of its optional constraints, in their order; none when it is not valid. Unless the policy is pinned, it ' +
          'moves as soon as more of them can be kept.',
        OptionalOutcome,
        64,
      ),
    }),
    16,
  ),
  lists: list('The lists in use.', ProbedList, 16),
  standby: nullable(
    object('PolicyStandby', 'What the headend uses by itself while none of the lists delivers. It books nothing.', {
      candidatePath: integer('Discriminator of its candidate path; that of the active one when it asked for this.', {
        maximum: maxUint32,
        examples: [2],
      }),
      lists: list('Its lists.', ProbedList, 16),
    }),
    'The disjoint list that the active candidate path asks for, or else the lists of the next valid candidate path; null when there is none, or it would repeat the lists in use.',
  ),
  disjointStandby: nullable(
    object('DisjointStandby', 'What became of the standby that the active candidate path asks for.', {
      isFound: flag('`standby` is it. Otherwise `standby`, if there is one, is that of the next valid candidate path.'),
      achieved: kinds(
        'The level of disjointness that holds against the lists in use, in its shortest form; empty: links are shared, or none was found.',
        0,
      ),
      unachieved: list(
        'Stronger levels that were asked for, the strongest first. `blocking`: what each path of the standby would have in common with the lists in use.',
        UnachievedStandby,
        8,
      ),
      shared: nullable(Shared, 'With the lists in use; null when none was found.'),
      message: nullable(text('One sentence for an operator.', 4000), 'Why none was found; null when one was.'),
    }),
    'null: the active candidate path asks for none, or none is active.',
  ),
  liveness: policyLiveness(
    'What the headend finds by probing. `degraded`: some of the lists in use are down. `standby`: none of them delivers, ' +
      'the headend uses the standby. `down`: none delivers, and the standby is not in use. `unknown`: it does not probe, ' +
      'or is silent.',
  ),
  bindingSids: list(
    'Binding SIDs, one per family.',
    object(undefined, 'A binding SID.', { family: addressFamily(), sid: ipv6('The binding SID.') }),
    4,
  ),
  steering: list(
    'Prefixes that this policy wants to steer.',
    object(undefined, 'One prefix.', {
      prefix: prefix('Destination prefix.'),
      heldBy: nullable(policyId(), 'The policy that has claimed it already; null: this one steers it.'),
    }),
    10_000,
  ),
  classPrefixes: list(
    'Prefixes that it serves for pods of its headend whose service class is its color; empty without such pods.',
    prefix('Destination prefix.'),
    10_000,
  ),
  generation: nullable(
    integer('Generation.', { examples: [3] }),
    'Generation of the headend that carries this; null before the first publication.',
  ),
  install: choice(
    '`installed` only after the agent has read it back; `simulated` by a dry-run agent; `none`: nothing to install.',
    ['pending', 'installed', 'simulated', 'failed', 'none'],
  ),
  installReason: nullable(
    text('Reason.', 4000),
    "Why it could not be installed, in the agent's words; or that no binding SIDs are left for its headend.",
  ),
  cause: text('Why it changed last: the event and what followed from it, in one sentence.', 4000),
  event: object('PolicyEvent', 'What led to the last change.', {
    kind: text(
      'Kind of its entry in the change log, or of what the controller did by itself: `hold-over`, `bandwidth-released`, ' +
        '`binding-sids-free`, `resumed`.',
      100,
      ['source-events'],
    ),
    revision: revision('Its revision; for what the controller did by itself, the newest one then.'),
    by: text('Who brought it about.', 4000, ['source igp', 'operator alice']),
    at: timestamp('When it was committed.'),
    summary: text('What happened.', 4000, ['link UK:FR went down']),
  }),
  changedAt: timestamp('When its state, its path or what its headend holds changed last.'),
  eventToInstalledMs: nullable(
    integer('Milliseconds.', { examples: [48] }),
    'From the commit of the event to the stored acknowledgement, in milliseconds; null while pending, and when nothing ' +
      'had to be installed (the IGP moved the path by itself).',
  ),
});

export const SrPolicyView = object('SrPolicyView', 'An SR policy: what was asked for and what is.', {
  id: policyId(),
  version: revision('Revision of the intent. The ETag is this number in quotes.'),
  intent: SrPolicyIntent,
  mesh: nullable(meshId(), 'The mesh that maintains it; null when an operator does.'),
  owner: owner(),
  pinned: flag('It keeps its current lists as long as they deliver.'),
  canRollBack: flag('There are lists from before the last change to return to.'),
  state: nullable(PolicyState, 'null until it has been computed for the first time.'),
});

export const MeshIntent = object(
  'MeshIntent',
  'One SR policy for every ordered pair of the selected hosts.',
  {
    id: meshId(),
    color: color('Color of every policy of the mesh.'),
    selector: object(
      'HostSelector',
      'Which hosts: all, or the union of those named and those at the sites named.',
      {
        all: Type.Optional(Type.Literal(true, { description: 'Every host.' })),
        nodes: Type.Optional(list('Hosts by id.', nodeId(), 10_000, { uniqueItems: true })),
        sites: Type.Optional(list('Hosts by site.', text('Site.'), 1000, { uniqueItems: true })),
      },
      [{ all: true }],
    ),
    template: PolicyTemplate,
    overrides: list(
      'What single pairs have otherwise; one entry per pair.',
      object('MeshOverride', 'What one ordered pair has otherwise.', {
        headend: nodeId('Headend of the pair.'),
        endpoint: nodeId('Endpoint of the pair.'),
        override: object(undefined, 'Replaces what it names of the template.', {
          candidatePaths: Type.Optional(candidatePaths()),
          fallback: Type.Optional(fallback()),
          ...priorities,
          exclude: Type.Optional(Type.Literal(true, { description: 'Make no policy for this pair.' })),
        }),
      }),
      10_000,
    ),
  },
  [{ id: 'all-hosts', color: 200, selector: { all: true }, template: delayOptimal, overrides: [] }],
);

export const MeshView = object('MeshView', 'A mesh and how its policies do.', {
  id: meshId(),
  version: revision('Revision of the intent. The ETag is this number in quotes.'),
  intent: MeshIntent,
  owner: owner(),
  policies: object(undefined, 'Number of its policies, by status.', {
    total: integer('All.', { examples: [56] }),
    up: integer('With a valid candidate path.', { examples: [55] }),
    fallback: integer('On the fallback.', { examples: [1] }),
    down: integer('Carrying nothing.', { examples: [0] }),
    installed: integer('Read back from the data plane.', { examples: [56] }),
  }),
});
