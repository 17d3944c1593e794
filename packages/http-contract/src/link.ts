import { layerViewOf, provenanceOf } from './layers.js';
import { adminState, affinities, ipAddress, linkId, nodeId, operationalState, srlgs } from './identifiers.js';
import { integer, list, maxUint32, nullable, object, text } from './scalars.js';

const AdvertisedAttributes = object(
  'AdvertisedAttributes',
  'What routers advertise of a link, by which flexible algorithms choose.',
  {
    teMetric: nullable(integer('TE metric.', { maximum: maxUint32, examples: [10] }), 'null: not advertised.'),
    delayMinUs: nullable(
      integer('Microseconds.', { examples: [4100] }),
      'Minimum unidirectional delay; null: not advertised.',
    ),
    affinities: affinities('Affinities.'),
    srlgs: srlgs('Shared-risk link groups.'),
  },
);

export const Link = object('Link', 'Effective values of a directed link: what path computation uses.', {
  id: linkId(),
  from: nodeId('Node at which the link starts.'),
  to: nodeId('Node at which the link ends.'),
  reverseId: linkId('The opposite direction of the same adjacency; routers use a link only when both are up.'),
  igpArea: nullable(text('Area.', 63), 'IS-IS level or OSPF area; null when unknown.'),
  interfaceAddresses: list('Addresses of the interface at `from`.', ipAddress('Address.'), 64),
  igpMetric: integer('IGP metric.', { maximum: 16_777_215, examples: [10] }),
  teMetric: nullable(
    integer('TE metric.', { maximum: maxUint32, examples: [10] }),
    'TE metric; null: equal to the IGP metric (RFC 5305).',
  ),
  delayUs: nullable(
    integer('Microseconds.', { examples: [4200] }),
    'Average unidirectional delay in microseconds; null when unknown.',
  ),
  delayMinUs: nullable(
    integer('Microseconds.', { examples: [4100] }),
    'Minimum unidirectional delay in microseconds; null when unknown.',
  ),
  delayMaxUs: nullable(
    integer('Microseconds.', { examples: [4900] }),
    'Maximum unidirectional delay in microseconds; null when unknown.',
  ),
  delayVariationUs: nullable(
    integer('Microseconds.', { examples: [120] }),
    'Delay variation in microseconds; null when unknown.',
  ),
  lossPpm: nullable(
    integer('Parts per million.', { maximum: 1_000_000, examples: [5] }),
    'Loss in parts per million; null when unknown.',
  ),
  bandwidthBps: nullable(
    integer('Bits per second.', { examples: [10_000_000_000] }),
    'Bandwidth in bits per second; null when unknown.',
  ),
  reservableBandwidthBps: nullable(
    integer('Bits per second.', { examples: [10_000_000_000] }),
    'Reservable bandwidth in bits per second; null: equal to the bandwidth.',
  ),
  affinities: affinities('Names of the affinities of this link.'),
  srlgs: srlgs('Shared-risk link groups of this link.'),
  advertised: nullable(
    AdvertisedAttributes,
    'What routers go by where an operator or a measurement says otherwise; null: the same as the values here.',
  ),
  mtuBytes: nullable(
    integer('Bytes.', { minimum: 1280, maximum: 65_535, examples: [9000] }),
    'IPv6 MTU in bytes; null when unknown.',
  ),
  adminState: adminState("The operator's will: `drained` takes nothing new, `down` may carry nothing."),
  operationalState: operationalState('State of the adjacency as the routers see it.'),
});

const LinkReservation = object('LinkReservation', 'What SR policies hold of the reservable bandwidth.', {
  bookedBps: integer(
    'Booked by all SR policies together, in bits per second. More than can be reserved where the link shrank, or while ' +
      'policies that were preempted have yet to leave it.',
    { examples: [2_000_000_000] },
  ),
  unreservedBps: nullable(
    integer('Bits per second.', { examples: [8_000_000_000] }),
    'What is left, in bits per second; null when the reservable bandwidth is unknown.',
  ),
  unreservedBpsByPriority: nullable(
    list('Bits per second.', integer('Left at one setup priority.', { examples: [8_000_000_000] }), 8, { minItems: 8 }),
    'What is left at each setup priority, from 0, the highest, to 7 (RFC 5305): less what is booked with a hold priority ' +
      'of that number or a smaller one. The last is `unreservedBps`.',
  ),
});

export const LinkView = object(
  'LinkView',
  'A directed link: effective values, where each came from, what each layer says, and what is booked.',
  {
    effective: Link,
    provenance: provenanceOf('Per attribute, the layer and source that won.', Link.properties),
    layers: layerViewOf('LinkLayer', Link.properties),
    reservation: LinkReservation,
  },
);
