import { provenanceOf, layerViewOf } from './layers.js';
import { adminState, affinities, ipv6, linkId, nodeId, operationalState, prefix, srlgs } from './identifiers.js';
import { choice, flag, integer, list, nullable, object, real, text, token } from './scalars.js';

export const SidStructure = object(
  'SidStructure',
  'How the 128 bits of a SID divide (RFC 8986 section 3.1).',
  {
    blockBits: integer('Locator block, in bits.', { maximum: 128, examples: [32] }),
    nodeBits: integer('Locator node, in bits.', { maximum: 128, examples: [16] }),
    functionBits: integer('Function, in bits.', { maximum: 128, examples: [16] }),
    argumentBits: integer('Argument, in bits.', { maximum: 128, examples: [0] }),
  },
  [{ blockBits: 32, nodeBits: 16, functionBits: 16, argumentBits: 0 }],
);

export function sidOrigin() {
  return choice('Where it is known from. A planned one never reaches a real data plane.', [
    'discovered',
    'agent',
    'operator',
    'planned',
  ]);
}

export function endpointBehavior() {
  return choice('Endpoint behavior (RFC 8986).', ['End', 'End.X', 'End.DT4', 'End.DT6', 'End.DT46']);
}

export const Locator = object('Locator', 'An SRv6 locator: the prefix from which a node takes its SIDs.', {
  prefix: prefix('The prefix that the owner advertises.'),
  algorithm: integer('0 = shortest path by IGP metric, 128 to 255 = flexible algorithm (RFC 9350).', {
    maximum: 255,
    examples: [0],
  }),
  metric: integer('Metric at which the owner advertises the prefix.', { examples: [0] }),
  anycast: flag('Several nodes advertise the same prefix.'),
  scope: choice("Which routers have a route: all of the IGP domain, or only the owner's attachment routers.", [
    'igp',
    'attachment',
  ]),
  structure: SidStructure,
  origin: sidOrigin(),
});

export const Sid = object('Sid', 'A SID that a node owns.', {
  sid: ipv6('The SID, an IPv6 address.'),
  behavior: endpointBehavior(),
  flavors: list(
    'Flavors of the behavior (RFC 8986, RFC 9800).',
    choice('Flavor.', ['PSP', 'USP', 'USD', 'NEXT-C-SID']),
    8,
  ),
  algorithm: integer('Algorithm of the locator it is taken from.', { maximum: 255, examples: [0] }),
  protected: flag('End.X: the owner has a local repair for this adjacency.'),
  linkId: nullable(linkId(), 'End.X: the directed link it sends to; null for other behaviors.'),
  structure: nullable(SidStructure, 'null: opaque (allocated by an IPAM), takes a whole SRH entry.'),
  origin: sidOrigin(),
});

const FlexAlgorithmDefinition = object(
  'FlexAlgorithmDefinition',
  'Flexible Algorithm Definition (RFC 9350) as a router advertises it; an empty list is no rule.',
  {
    metricType: choice('What the algorithm adds up: IGP metric, minimum unidirectional delay, or TE metric.', [
      'igp',
      'min-delay',
      'te',
    ]),
    priority: integer('The highest of an IGP domain is in force.', { maximum: 255, examples: [128] }),
    excludeAny: affinities('Links with any of these affinities are left out.'),
    includeAny: affinities('Links with none of these affinities are left out.'),
    includeAll: affinities('Links without all of these affinities are left out.'),
    excludeSrlgs: srlgs('Links in any of these shared-risk link groups are left out.'),
  },
);

export const FlexAlgorithm = object('FlexAlgorithm', 'A flexible algorithm in which a node takes part.', {
  algorithm: integer('Number of the algorithm.', { minimum: 128, maximum: 255, examples: [128] }),
  definition: nullable(FlexAlgorithmDefinition, 'null: the node uses what others define.'),
});

export const Node = object('Node', 'Effective values of a node: what path computation uses.', {
  id: nodeId(),
  kind: choice('Hosts terminate SR policies and are never transit.', ['router', 'host']),
  name: text('Name for people.', 255, ['London']),
  site: nullable(text('Site.', 255, ['London']), 'Site or data centre; null when unknown.'),
  latitude: nullable(real('Degrees north.', -90, 90, [51.5]), 'Latitude in degrees, WGS 84; null when unknown.'),
  longitude: nullable(real('Degrees east.', -180, 180, [-0.1]), 'Longitude in degrees, WGS 84; null when unknown.'),
  routerId: nullable(
    token('Dotted quad.', '^[0-9]{1,3}(\\.[0-9]{1,3}){3}$', 15, ['192.0.2.1']),
    'Router id as OSPF and IS-IS TE print it; null when unknown.',
  ),
  igpDomain: text('Name of the IGP domain.', 255),
  address: nullable(
    ipv6('IPv6 address.'),
    'The one canonical address: endpoint of SR policies and source of encapsulation.',
  ),
  encapMode: choice('How this headend encapsulates: `full` = H.Encaps, `reduced` = H.Encaps.Red.', ['full', 'reduced']),
  msdHEncaps: nullable(
    integer('SRH entries.', { maximum: 64, examples: [10] }),
    'MSD type 44 (RFC 9352): SRH entries that this headend can push; null when unknown.',
  ),
  msdSegmentsLeft: nullable(
    integer('Segments Left.', { maximum: 255, examples: [5] }),
    'MSD type 41: Segments Left that this node can process when a packet arrives for one of its SIDs; null when no limit is known.',
  ),
  msdEndPop: nullable(
    integer('SRH entries.', { maximum: 255, examples: [5] }),
    'MSD type 42: SRH entries that this node can remove (PSP, USP); null when no limit is known.',
  ),
  msdEndD: nullable(
    integer('SRH entries.', { maximum: 255, examples: [5] }),
    'MSD type 45: SRH entries of a packet that this node can decapsulate; null when no limit is known.',
  ),
  podPrefixes: list('Prefixes of the pods behind this host.', prefix('Prefix.'), 4096),
  adminState: adminState("The operator's will: `drained` takes nothing new, `down` may carry nothing."),
  operationalState: operationalState('What is known of the node itself.'),
  flexAlgorithms: list('Flexible algorithms in which the node takes part.', FlexAlgorithm, 128),
  locators: list('Locators of the node.', Locator, 4096),
  sids: list('All SIDs that the node owns.', Sid, 65_536),
});

export const NodeView = object(
  'NodeView',
  'A node: effective values, where each came from, and what each layer says.',
  {
    effective: Node,
    provenance: provenanceOf('Per attribute, the layer and source that won.', Node.properties),
    layers: layerViewOf('NodeLayer', Node.properties),
  },
);
