import { TopologyFormatError } from '../topology-format-error.js';

/** An undirected edge between two nodes, by their keys. */
export interface Edge {
  readonly ends: readonly [string, string];
  readonly bandwidthBps: number | null;
}

/** More than any real network has; the number of pairs grows with the square of the neighbours. */
const maxMedia = 1_000;
const maxNeighbours = 500;

/**
 * The Zoo draws a medium that joins more than two nodes as a node of its own. To an IGP it is no router: each pair of
 * its neighbours becomes adjacent, at the speed of the slower of the two edges (unknown when one is).
 */
export function dissolveSharedMedia(edges: readonly Edge[], media: readonly string[]): readonly Edge[] {
  if (media.length > maxMedia) throw tooMany(`${media.length} hyperedges; at most ${maxMedia} are read`);
  let rest = edges;
  for (const medium of media) {
    const attached = rest.filter(({ ends }) => ends.includes(medium));
    if (attached.length > maxNeighbours) {
      throw tooMany(`hyperedge ${medium} joins ${attached.length} nodes; at most ${maxNeighbours} are read`);
    }
    rest = [...rest.filter(({ ends }) => !ends.includes(medium)), ...pairs(attached, medium)];
  }
  return rest;
}

function tooMany(message: string): TopologyFormatError {
  return new TopologyFormatError({ line: null, column: null, field: 'hyperedge', message });
}

function pairs(attached: readonly Edge[], medium: string): Edge[] {
  const neighbour = ({ ends: [a, b] }: Edge): string => (a === medium ? b : a);
  return attached.flatMap((one, i) =>
    attached.slice(i + 1).flatMap((other): Edge[] => {
      const ends = [neighbour(one), neighbour(other)] as const;
      if (ends[0] === ends[1]) return [];
      const [a, b] = [one.bandwidthBps, other.bandwidthBps];
      return [{ ends, bandwidthBps: a === null || b === null ? null : Math.min(a, b) }];
    }),
  );
}
