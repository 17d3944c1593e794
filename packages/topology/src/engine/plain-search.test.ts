import { describe, expect, it } from 'vitest';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { adjacenciesOf } from '../spf/adjacency.js';
import { PointToPoint } from '../spf/point-to-point.js';
import { buildTed, type LinkSpec } from '../testing/build-ted.js';
import { engineState } from './engine-state.js';
import { PlainSearch } from './plain-search.js';

const SIDE = 23;

/** A grid with ties. */
function gridOf(leastDelayUs: number) {
  const name = (x: number, y: number) => `n${x}x${y}`;
  const places = Array.from({ length: SIDE * SIDE }, (_, i) => ({ x: i % SIDE, y: Math.floor(i / SIDE) }));
  const link = (between: string, i: number): LinkSpec => ({ between, delayUs: leastDelayUs + ((i * 7919) % 5) });
  const links = places.flatMap(({ x, y }, i) => [
    ...(x + 1 < SIDE ? [link(`${name(x, y)}-${name(x + 1, y)}`, i)] : []),
    ...(y + 1 < SIDE ? [link(`${name(x, y)}-${name(x, y + 1)}`, 3 * i + 1)] : []),
  ]);
  const nodes = places.map(({ x, y }) => ({ id: name(x, y), adjacencySids: false }));
  return freezeSnapshot(buildTed(nodes, links));
}

describe('a search that is asked often', () => {
  it.each([0, 1])('finds the same paths before and after there are landmarks, with links of %i us', (leastDelayUs) => {
    const snapshot = gridOf(leastDelayUs);
    const search = new PlainSearch(snapshot);
    const other = new PointToPoint(snapshot.nodeCount);
    const weight = snapshot.data.delayUs;
    const mask = Uint8Array.from(weight, (_, arc) => (arc % 11 === 0 ? 0 : 1));
    const graph = { adjacencies: adjacenciesOf(snapshot.data), length: weight, mask };
    for (let i = 0; i < 150; i++) {
      const [source, destination] = [(i * 131) % snapshot.nodeCount, (i * 257 + 1) % snapshot.nodeCount];
      const { tie } = engineState(snapshot);
      const problem = { snapshot, weight, tie, mask, source, destination, include: [], bounds: [] };
      const sorted = (found: ReturnType<typeof search.find>) =>
        found && { ...found, arcs: [...found.arcs].sort((a, b) => a - b) };
      expect(sorted(search.find(problem))).toEqual(sorted(other.find(graph, source, destination)));
    }
  });
});
