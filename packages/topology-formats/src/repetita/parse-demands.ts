import type { NodeId } from '@waymark/topology';
import type { TopologyDocument } from '../topology-document.js';
import { rowError, TableText, wholeNumber, word } from './table-text.js';

const bpsPerKbps = 1_000;

/** Traffic that wants to go from one node to another. */
export interface Demand {
  readonly label: string;
  readonly source: NodeId;
  readonly destination: NodeId;
  readonly bandwidthBps: number;
}

/**
 * Reads a REPETITA .demands file. It names nodes by their number in the .graph file, so `document` must be what
 * parseTopology made of that file. Demands of a node to itself never meet a link and are left out. Throws
 * TopologyFormatError.
 */
export function parseDemands(text: string, document: TopologyDocument): readonly Demand[] {
  const file = new TableText(text);
  const rows = file.table('DEMANDS', ['label', 'src', 'dest', 'bw']);
  file.end();
  return rows.flatMap((row) => {
    const end = (field: 'src' | 'dest'): NodeId => {
      const node = document.nodes[wholeNumber(row, field, 0, Math.max(0, document.nodes.length - 1))];
      if (node === undefined) throw rowError(row, field, 'there is no node with this number');
      return node.id;
    };
    const [source, destination] = [end('src'), end('dest')];
    const bandwidthBps = wholeNumber(row, 'bw', 0, Math.floor(Number.MAX_SAFE_INTEGER / bpsPerKbps)) * bpsPerKbps;
    return source === destination ? [] : [{ label: word(row, 'label'), source, destination, bandwidthBps }];
  });
}
