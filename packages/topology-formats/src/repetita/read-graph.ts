import type { Coordinates } from '../great-circle.js';
import { LinkIds } from '../link-ids.js';
import { nodeIdsFromLabels } from '../node-slug.js';
import type { DocumentLink, DocumentNode, TopologyDocument } from '../topology-document.js';
import { decimal, rowError, TableText, wholeNumber, word, type Row } from './table-text.js';

const bpsPerKbps = 1_000;

/**
 * Reads a REPETITA .graph file: weight → igpMetric, bw in kbit/s → bandwidthBps, delay in µs → delayUs. Nodes keep the
 * order of the file, which is how .demands files name them. Throws TopologyFormatError, and nothing else.
 */
export function readRepetitaGraph(text: string): TopologyDocument {
  const file = new TableText(text);
  const nodeRows = file.table('NODES', ['label', 'x', 'y']);
  const edgeRows = file.table('EDGES', ['label', 'src', 'dest', 'weight', 'bw', 'delay']);
  file.end();
  const nodes = readNodes(nodeRows);
  return { nodes, links: pairUp(edgeRows.map((row) => readEdge(row, nodes))), sidPlan: null };
}

function readNodes(rows: readonly Row[]): DocumentNode[] {
  const points = rows.map((row) => ({
    longitude: decimal(row, 'x', -Number.MAX_VALUE, Number.MAX_VALUE),
    latitude: decimal(row, 'y', -Number.MAX_VALUE, Number.MAX_VALUE),
  }));
  const onEarth = areOnEarth(points);
  const ids = nodeIdsFromLabels(rows.map((row, i) => ({ key: String(i), label: word(row, 'label') })));
  return rows.map((row, i) => {
    const id = ids.get(String(i)) ?? String(i);
    const name = word(row, 'label')
      .replaceAll(/[\p{Cc}\p{Cs}]+/gu, ' ')
      .slice(0, 200);
    return { id, kind: 'router', ...(name !== id && { name }), ...(onEarth && points[i]) };
  });
}

/** Generated networks have points of a plane, and some have 0 0 for "unknown": then no coordinates are taken at all. */
function areOnEarth(points: readonly Coordinates[]): boolean {
  return (
    points.every(({ latitude, longitude }) => Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180) &&
    points.some(({ latitude, longitude }) => latitude !== 0 || longitude !== 0)
  );
}

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly attributes: Pick<DocumentLink, 'igpMetric' | 'bandwidthBps' | 'delayUs'>;
}

function readEdge(row: Row, nodes: readonly DocumentNode[]): Edge {
  const end = (field: 'src' | 'dest'): string => {
    const node = nodes[wholeNumber(row, field, 0, Math.max(0, nodes.length - 1))];
    if (node === undefined) throw rowError(row, field, 'there is no node with this number');
    return node.id;
  };
  const [from, to] = [end('src'), end('dest')];
  if (from === to) throw rowError(row, 'dest', `this edge leads from ${from} to itself`);
  return {
    from,
    to,
    attributes: {
      igpMetric: wholeNumber(row, 'weight', 0, 16_777_215),
      bandwidthBps: Math.round(decimal(row, 'bw', 0, Number.MAX_SAFE_INTEGER / bpsPerKbps) * bpsPerKbps),
      delayUs: Math.round(decimal(row, 'delay', 0, 4_294_967_295)),
    },
  };
}

/**
 * Makes adjacencies of directed edges: the n-th edge from a to b belongs with the n-th from b to a. An edge without a
 * counterpart gets one that is operationally down, which is what the two-way check of an IGP makes of it.
 */
function pairUp(edges: readonly Edge[]): DocumentLink[] {
  const linkIds = new LinkIds();
  const waiting = new Map<string, Edge[]>();
  const links: DocumentLink[] = [];
  const join = (edge: Edge, back: Omit<DocumentLink, 'id' | 'from' | 'to' | 'reverseId'>): void => {
    const { from, to, attributes } = edge;
    const [forward, backward] = linkIds.pair(from, to);
    links.push(
      { id: forward, from, to, reverseId: backward, ...attributes },
      { id: backward, from: to, to: from, reverseId: forward, ...back },
    );
  };
  for (const edge of edges) {
    const opposite = waiting.get(`${edge.to} ${edge.from}`)?.shift();
    if (opposite !== undefined) {
      join(opposite, edge.attributes);
      continue;
    }
    const key = `${edge.from} ${edge.to}`;
    const queue = waiting.get(key);
    if (queue === undefined) waiting.set(key, [edge]);
    else queue.push(edge);
  }
  for (const edge of [...waiting.values()].flat()) join(edge, { ...edge.attributes, operationalState: 'down' });
  return links;
}
