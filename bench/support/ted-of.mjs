import { linkDefaults, nodeDefaults } from '@waymark/topology-formats';
import { distance, randomGeometric } from './networks.mjs';

/** A random geometric network of so many routers as a TED; by default with two links per node. */
export function randomGeometricTed(size, linksPerNode) {
  return tedOf(randomGeometric(size, linksPerNode));
}

/**
 * A network as a TED: random IGP and TE metrics and bandwidths, delays after distance, one link in ten leased. `hasSids`: with a
 * locator, an End SID and an End.X SID per link at each router; without, it is only good for distances.
 */
export function tedOf({ place, pairs, random }, hasSids = true) {
  const id = (i) => `r${String(i).padStart(6, '0')}`;
  const links = pairs.flatMap(([a, b]) => {
    const common = {
      ...linkDefaults,
      igpMetric: 1 + Math.floor(random() * 100),
      teMetric: 1 + Math.floor(random() * 100),
      delayUs: Math.max(1, Math.round(5_000 * distance(place, a, b))),
      bandwidthBps: 1e10 * (1 + Math.floor(random() * 10)),
      affinities: random() < 0.1 ? ['leased'] : [],
      mtuBytes: 9000,
    };
    const arc = (from, to) => ({
      id: `${id(from)}:${id(to)}`,
      from: id(from),
      to: id(to),
      reverseId: `${id(to)}:${id(from)}`,
      ...common,
    });
    return [arc(a, b), arc(b, a)];
  });
  const byNode = byFirstNode(links);
  links.sort((a, b) => (a.id < b.id ? -1 : 1));
  const nodes = place.map((_, i) => ({
    ...nodeDefaults,
    id: id(i),
    kind: 'router',
    name: id(i),
    encapMode: 'reduced',
    msdHEncaps: 250,
    ...(hasSids ? sidsOf(i, byNode.get(id(i)) ?? []) : {}),
  }));
  return { revision: 1, nodes, links };
}

const structure = { blockBits: 32, nodeBits: 16, functionBits: 16, argumentBits: 0 };

function sidsOf(i, links) {
  const number = (i + 1).toString(16);
  const sid = (text, behavior, linkId) => ({
    sid: `fd00:0:${number}:${text}::`,
    behavior,
    flavors: [],
    algorithm: 0,
    protected: false,
    linkId,
    structure,
    origin: 'discovered',
  });
  return {
    locators: [
      {
        prefix: `fd00:0:${number}::/48`,
        algorithm: 0,
        metric: 0,
        anycast: false,
        scope: 'igp',
        structure,
        origin: 'discovered',
      },
    ],
    sids: [sid('1', 'End', null), ...links.map((link, n) => sid((0xe000 + n).toString(16), 'End.X', link.id))],
  };
}

function byFirstNode(links) {
  const groups = new Map();
  for (const link of links) {
    const group = groups.get(link.from);
    if (group === undefined) groups.set(link.from, [link]);
    else group.push(link);
  }
  return groups;
}
