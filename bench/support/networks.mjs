/** Random networks by size and links per node (by default two: four arcs), joined. Seeded: the same everywhere. */
import { randomSource } from './random-source.mjs';

/** @typedef {{ size: number, place: [number, number][], pairs: [number, number][], random: () => number }} Network */

/** Routers at random places, each joined to its nearest neighbours. */
export function randomGeometric(size, linksPerNode = 2) {
  const random = randomSource(size);
  const place = places(size, random);
  const cells = Math.max(1, Math.floor(Math.sqrt(size / 4)));
  const grid = new Map();
  const cellOf = (value) => Math.min(cells - 1, Math.floor(value * cells));
  place.forEach(([x, y], i) => {
    const key = cellOf(x) * cells + cellOf(y);
    const cell = grid.get(key);
    if (cell === undefined) grid.set(key, [i]);
    else cell.push(i);
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
  const links = linkSet(size);
  for (let i = 1; i < size; i++) links.join(i, near(i).find((j) => j < i) ?? i - 1);
  for (let rank = 0; links.count < linksPerNode * size && rank < 4 * linksPerNode; rank++) {
    for (let i = 0; i < size && links.count < linksPerNode * size; i++) {
      if (near(i)[rank] !== undefined) links.join(i, near(i)[rank]);
    }
  }
  return { size, place, pairs: links.pairs(), random };
}

/** Waxman (1988): two routers at a distance d, of at most L, are joined with a probability proportional to exp(-d / (0.15 L)). */
export function waxman(size, linksPerNode = 2) {
  const random = randomSource(size + 1);
  const place = places(size, random);
  const isTaken = (a, b) => random() < Math.exp(-distance(place, a, b) / (0.15 * Math.SQRT2));
  const links = linkSet(size);
  for (let i = 1; i < size; i++) {
    let other = Math.floor(random() * i);
    while (!isTaken(i, other)) other = Math.floor(random() * i);
    links.join(i, other);
  }
  while (links.count < linksPerNode * size) {
    const [a, b] = [Math.floor(random() * size), Math.floor(random() * size)];
    if (isTaken(a, b)) links.join(a, b);
  }
  return { size, place, pairs: links.pairs(), random };
}

export function distance(place, a, b) {
  return Math.hypot(place[a][0] - place[b][0], place[a][1] - place[b][1]);
}

function places(size, random) {
  return Array.from({ length: size }, () => [random(), random()]);
}

function linkSet(size) {
  const pairs = new Set();
  return {
    join: (a, b) => a !== b && pairs.add(Math.min(a, b) * size + Math.max(a, b)),
    get count() {
      return pairs.size;
    },
    pairs: () => [...pairs].map((pair) => [Math.floor(pair / size), pair % size]),
  };
}
