/**
 * Writes geant-datacentres.yaml from the Topology Zoo's Geant2012.graphml:
 *
 *   node examples/make-geant-datacentres.mjs Geant2012.graphml > examples/geant-datacentres.yaml
 *
 * The header of the output says what comes from the Zoo and what is made up.
 */
import { readFileSync } from 'node:fs';
import { stdout } from 'node:process';
import {
  applySidPlan,
  defaultSidPlan,
  fibreDelayUs,
  parseTopology,
  serializeTopology,
  tedFromDocument,
} from '@waymark/topology-formats';

const GBIT = 1_000_000_000;

/** Cities at the coordinates that the Zoo gives; coordinates for the three that have none there. */
const POPS = {
  AT: ['Vienna'],
  BE: ['Brussels'],
  BG: ['Sofia'],
  BY: ['Minsk', 53.9, 27.56667],
  CH: ['Bern'],
  CY: ['Nicosia'],
  CZ: ['Prague'],
  DE: ['Frankfurt'],
  DK: ['Copenhagen'],
  EE: ['Tallinn'],
  ES: ['Madrid'],
  FI: ['Turku'],
  FR: ['Paris'],
  GR: ['Athens'],
  HR: ['Zagreb'],
  HU: ['Budapest'],
  IE: ['Dublin'],
  IL: ['Israel'],
  IS: ['Reykjavik'],
  IT: ['Milan'],
  LT: ['Kaunas'],
  LU: ['Luxembourg'],
  LV: ['Riga'],
  MD: ['Chisinau', 47.00556, 28.8575],
  ME: ['Podgorica'],
  MK: ['Macedonia'],
  MT: ['Malta'],
  NL: ['Amsterdam'],
  NO: ['Norway'],
  PL: ['Poznan'],
  PT: ['Lisbon'],
  RO: ['Bucharest'],
  RS: ['Belgrade'],
  RU: ['Moscow'],
  SE: ['Stockholm'],
  SK: ['Bratislava'],
  SL: ['Ljubljana'],
  TR: ['Turkey'],
  UA: ['Kyiv', 50.45466, 30.5238],
  UK: ['London'],
};

/** Data centres, and the routers they attach to: the first is in the same city. */
const DATA_CENTRES = [
  ['amsterdam', 'NL', 'BE'],
  ['athens', 'GR'],
  ['frankfurt', 'DE', 'LU'],
  ['london', 'UK'],
  ['madrid', 'ES'],
  ['milan', 'IT', 'CH'],
  ['stockholm', 'SE'],
  ['vienna', 'AT'],
];

const SUBMARINE = [
  'CY:DE',
  'CY:UK',
  'DE:IL',
  'DK:IS',
  'EE:DK',
  'FI:SE',
  'FR:UK',
  'GR:IT',
  'IL:LT',
  'IS:UK',
  'IE:UK',
  'BE:IE',
  'IT:MT',
  'NL:UK',
  'PT:UK',
];

/** Links that share a duct, a cable or a landing station. */
const SHARED_RISKS = {
  101: ['NL:UK', 'BE:IE'],
  102: ['FR:UK', 'BE:IE'],
  103: ['DK:IS', 'IS:UK'],
  104: ['CY:DE', 'DE:IL'],
  105: ['ES:FR', 'CH:ES'],
  106: ['AT:IT', 'AT:SL'],
  107: ['DE:NL', 'BE:NL'],
  108: ['AT:GR', 'GR:IT'],
};

const pairName = (a, b) => [a, b].sort().join(':');
const sharedRisks = new Map();
for (const [srlg, links] of Object.entries(SHARED_RISKS)) {
  for (const link of links) {
    const key = pairName(...link.split(':'));
    sharedRisks.set(key, [...(sharedRisks.get(key) ?? []), Number(srlg)]);
  }
}
const submarine = new Set(SUBMARINE.map((link) => pairName(...link.split(':'))));

/** The wider, the better for the IGP; so the path of least delay is often another one. */
function igpMetric(bandwidthBps) {
  if (bandwidthBps >= 40 * GBIT) return 10;
  if (bandwidthBps >= 10 * GBIT) return 20;
  if (bandwidthBps >= 2.5 * GBIT) return 50;
  return bandwidthBps >= GBIT ? 100 : 500;
}

const zoo = parseTopology(readFileSync(process.argv[2], 'utf8'), 'graphml');
const coordinates = new Map(
  zoo.nodes.map(({ id, latitude, longitude }) => {
    const [, ownLatitude, ownLongitude] = POPS[id];
    return [id, { latitude: latitude ?? ownLatitude, longitude: longitude ?? ownLongitude }];
  }),
);

const routers = [...zoo.nodes]
  .sort((a, b) => (a.id < b.id ? -1 : 1))
  .map(({ id }, i) => ({
    id,
    kind: 'router',
    name: `${POPS[id][0]} (${id})`,
    site: POPS[id][0],
    ...coordinates.get(id),
    routerId: `10.255.0.${i + 1}`,
    address: `fd00:ffff:0:${(i + 1).toString(16)}::1`,
  }));

const hosts = DATA_CENTRES.map(([city, router], i) => ({
  id: `dc-${city}`,
  kind: 'host',
  name: `Data centre ${POPS[router][0]}`,
  site: POPS[router][0],
  ...coordinates.get(router),
  address: `fd00:ffff:1:${i + 1}::1`,
  msdHEncaps: 8,
  podPrefixes: [`10.${i + 1}.0.0/16`, `fd00:${i + 1}::/48`],
}));

const backbone = zoo.links.map((link) => {
  const pair = pairName(link.from, link.to);
  const bandwidthBps = link.bandwidthBps ?? 40 * GBIT;
  const affinities = [
    link.bandwidthBps === undefined ? 'fibre' : 'leased',
    ...(submarine.has(pair) ? ['submarine'] : []),
  ];
  return {
    ...link,
    igpMetric: igpMetric(bandwidthBps),
    delayUs: fibreDelayUs(coordinates.get(link.from), coordinates.get(link.to)),
    bandwidthBps,
    affinities,
    srlgs: sharedRisks.get(pair) ?? [],
    mtuBytes: 9000,
  };
});

const access = DATA_CENTRES.flatMap(([city, first, second]) =>
  [first, second].filter(Boolean).flatMap((router) => {
    const host = `dc-${city}`;
    const attributes = {
      // A host uses its link of the lowest metric: the one in its own city.
      igpMetric: router === first ? 10 : 30,
      delayUs: 50 + (router === first ? 0 : fibreDelayUs(coordinates.get(first), coordinates.get(router))),
      bandwidthBps: 40 * GBIT,
      affinities: ['access', 'fibre'],
      mtuBytes: 9000,
    };
    const [up, down] = [`${host}:${router}`, `${router}:${host}`];
    return [
      { id: up, from: host, to: router, reverseId: down, ...attributes },
      { id: down, from: router, to: host, reverseId: up, ...attributes },
    ];
  }),
);

// The demo declares its SIDs, so the plan's values are written down as what the routers have.
const document = { nodes: [...routers, ...hosts], links: [...backbone, ...access], sidPlan: null };
const planned = applySidPlan(document, null, defaultSidPlan).document;
const declare = (entry) => ({ ...entry, origin: 'discovered' });
const declared = {
  ...planned,
  nodes: planned.nodes.map((node) => ({ ...node, locators: node.locators.map(declare), sids: node.sids.map(declare) })),
};

stdout.write(`# GEANT, the European research backbone, as of 2012, with eight data centres.
#
# Routers, links, link speeds and coordinates: "Geant2012" of the Internet Topology Zoo (S. Knight, H. X. Nguyen,
# N. Falkner, R. Bowden, M. Roughan; https://doi.org/10.25909/30153949), CC BY 4.0. Changed: data was added.
#
# Estimated: delays, from the great-circle distance at two thirds of the speed of light; coordinates of Minsk, Chisinau
# and Kyiv; 40 Gbit/s for links without a speed (the dark-fibre core).
# Made up: data centres and their links, addresses, locators and SIDs, IGP metrics, affinities, SRLGs, MTUs. The SIDs are
# declared as what the routers have, so that nothing in this demo is planned.
#
# Written by make-geant-datacentres.mjs.
${serializeTopology(tedFromDocument(declared), 'yaml')}`);
