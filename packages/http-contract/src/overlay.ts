import { Type } from 'typebox';
import { affinities, linkId, nodeId, srlgs } from './identifiers.js';
import { integer, list, maxUint32, object, text } from './scalars.js';

const LinkChange = object('LinkChange', 'What else a directed link is taken to have; what is left out stays.', {
  link: linkId('Directed link.'),
  igpMetric: Type.Optional(
    integer('What routers use. The TE metric stays unless it is given, too.', { maximum: 16_777_215, examples: [100] }),
  ),
  teMetric: Type.Optional(integer('TE metric.', { maximum: maxUint32, examples: [10] })),
  delayUs: Type.Optional(integer('Average delay in microseconds.', { maximum: maxUint32, examples: [25_000] })),
  delayVariationUs: Type.Optional(integer('Delay variation in microseconds.', { maximum: maxUint32, examples: [100] })),
  lossPpm: Type.Optional(integer('Loss in parts per million.', { maximum: 1_000_000, examples: [10] })),
  reservableBandwidthBps: Type.Optional(
    integer('Reservable bandwidth in bits per second.', { examples: [8_000_000_000] }),
  ),
  affinities: Type.Optional(
    affinities('Names of affinities, in place of those it has; a network can have 256 different ones.'),
  ),
  srlgs: Type.Optional(srlgs('Shared-risk link groups, in place of those it has.')),
});

const demand = {
  bandwidthBps: integer('Bits per second.', { minimum: 1, examples: [2_000_000_000] }),
  priority: Type.Optional(
    integer('Hold priority, 0 (the highest) to 7: what it takes is not free for setup priorities from this on.', {
      maximum: 7,
      default: 7,
      examples: [7],
    }),
  ),
};

const Demand = Type.Union(
  [
    object('LinkDemand', 'So much more on each of these links.', {
      ...demand,
      links: list('Directed links.', linkId(), 1000, { minItems: 1, uniqueItems: true }),
    }),
    object('TrafficDemand', 'So much more traffic between two nodes, as the even splits of the IGP send it.', {
      ...demand,
      source: nodeId('Node at which it enters.'),
      destination: nodeId('Node at which it leaves.'),
    }),
  ],
  { title: 'Demand', description: 'More traffic, on named links or between two nodes.' },
);

export const Overlay = object(
  'Overlay',
  'A what-if: what is taken to be otherwise than the topology says, for this request alone. Attributes change first; then ' +
    'whatever is named goes down, as if routers had told so; then demands are added.',
  {
    down: Type.Optional(
      object('OverlayDown', 'What has failed.', {
        links: Type.Optional(
          list('Directed links; each takes the opposite direction with it.', linkId(), 1000, { uniqueItems: true }),
        ),
        nodes: Type.Optional(list('Nodes; all their links with them.', nodeId(), 1000, { uniqueItems: true })),
        srlgs: Type.Optional(srlgs('Shared-risk link groups: every link in one of them.')),
        sites: Type.Optional(list('Sites: every node there.', text('Site.'), 1000, { uniqueItems: true })),
      }),
    ),
    links: Type.Optional(list('Links with other attributes; each named once.', LinkChange, 1000)),
    demands: Type.Optional(list('More traffic.', Demand, 1000)),
  },
  [{ down: { links: ['UK:FR'], srlgs: [105] }, links: [{ link: 'DE:AT', delayUs: 9000 }] }],
);

export function overlay() {
  return Type.Optional(Overlay);
}

/** Part of every answer under an overlay. */
export const Hypothetical = object(
  'Hypothetical',
  'The answer holds under this overlay on the revision, not for the network as it is.',
  {
    overlay: Overlay,
    unroutedDemands: list(
      'Demands, by their position from 0, that the IGP does not deliver under the overlay: they take no bandwidth.',
      integer('From 0.', { maximum: 999, examples: [0] }),
      1000,
    ),
  },
);

export function hypothetical() {
  return Type.Optional(Hypothetical);
}
