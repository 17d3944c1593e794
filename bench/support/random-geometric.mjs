/** Small, seeded, and the same everywhere. */
export function randomSource(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 0x1_0000_0000;
  };
}

/** Routers at random places, each joined to its nearest neighbours until there are two links per node (four arcs). */
export function randomGeometricTed(size) {
  const random = randomSource(size);
  const place = Array.from({ length: size }, () => [random(), random()]);
  const cells = Math.max(1, Math.floor(Math.sqrt(size / 4)));
  const grid = new Map();
  const cellOf = (value) => Math.min(cells - 1, Math.floor(value * cells));
  place.forEach(([x, y], i) => {
    const key = cellOf(x) * cells + cellOf(y);
    grid.set(key, [...(grid.get(key) ?? []), i]);
  });
  const known = new Map();
  const near = (i) => {
    if (known.has(i)) return known.get(i);
    const [x, y] = place[i];
    const found = [];
    for (let dx = -1; dx <= 1; dx++) {
      for (let dy = -1; dy <= 1; dy++) {
        const [column, row] = [cellOf(x) + dx, cellOf(y) + dy];
        if (column < 0 || row < 0 || column >= cells || row >= cells) continue;
        found.push(...(grid.get(column * cells + row) ?? []));
      }
    }
    const distance = (j) => Math.hypot(place[j][0] - x, place[j][1] - y);
    known.set(
      i,
      found.filter((j) => j !== i).sort((a, b) => distance(a) - distance(b) || a - b),
    );
    return known.get(i);
  };
  const pairs = new Set();
  const join = (a, b) => a !== b && pairs.add(a < b ? `${a} ${b}` : `${b} ${a}`);
  for (let i = 1; i < size; i++) join(i, near(i).find((j) => j < i) ?? i - 1);
  for (let rank = 0; pairs.size < 2 * size && rank < 8; rank++) {
    for (let i = 0; i < size && pairs.size < 2 * size; i++) if (near(i)[rank] !== undefined) join(i, near(i)[rank]);
  }
  const id = (i) => `r${String(i).padStart(6, '0')}`;
  const structure = { blockBits: 32, nodeBits: 16, functionBits: 16, argumentBits: 0 };
  const sidOf = (i, text, behavior, linkId) => ({
    sid: `fd00:0:${(i + 1).toString(16)}:${text}::`,
    behavior,
    flavors: [],
    algorithm: 0,
    protected: false,
    linkId,
    structure,
    origin: 'discovered',
  });
  const links = [...pairs].flatMap((pair) => {
    const [a, b] = pair.split(' ').map(Number);
    const delayUs = Math.max(1, Math.round(5_000 * Math.hypot(place[a][0] - place[b][0], place[a][1] - place[b][1])));
    const common = {
      igpArea: null,
      interfaceAddresses: [],
      igpMetric: 1 + Math.floor(random() * 100),
      teMetric: 1 + Math.floor(random() * 100),
      delayUs,
      delayMinUs: null,
      delayMaxUs: null,
      delayVariationUs: null,
      lossPpm: null,
      bandwidthBps: 1e10 * (1 + Math.floor(random() * 10)),
      reservableBandwidthBps: null,
      affinities: random() < 0.1 ? ['leased'] : [],
      srlgs: [],
      advertised: null,
      mtuBytes: 9000,
      adminState: 'up',
      operationalState: 'up',
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
  const byNode = new Map();
  for (const link of links) byNode.set(link.from, [...(byNode.get(link.from) ?? []), link]);
  const nodes = place.map((_, i) => ({
    id: id(i),
    kind: 'router',
    name: id(i),
    site: null,
    latitude: null,
    longitude: null,
    routerId: null,
    igpDomain: 'core',
    address: null,
    encapMode: 'reduced',
    msdHEncaps: 250,
    podPrefixes: [],
    adminState: 'up',
    operationalState: 'up',
    flexAlgorithms: [],
    locators: [
      {
        prefix: `fd00:0:${(i + 1).toString(16)}::/48`,
        algorithm: 0,
        metric: 0,
        anycast: false,
        scope: 'igp',
        structure,
        origin: 'discovered',
      },
    ],
    sids: [
      sidOf(i, '1', 'End', null),
      ...(byNode.get(id(i)) ?? []).map((link, n) => sidOf(i, (0xe000 + n).toString(16), 'End.X', link.id)),
    ],
  }));
  links.sort((a, b) => (a.id < b.id ? -1 : 1));
  return { revision: 1, nodes, links };
}
