/**
 * What a process has in its heap that it had not before: of two heap snapshots of it, the objects that only the later one has,
 * by constructor, and by what holds on to them.
 *
 *   node --max-old-space-size=4096 bench/support/heap-growth.mjs <earlier> <later>
 *
 * In a process that does not grow as much is gone as is new: the first table says by how much each kind has grown in all. The second
 * one names the shortest way from a root to what is new and was not made for that moment: constructors and names of properties.
 */
import { readFile } from 'node:fs/promises';

const SHOWN = 25;
/** Steps of a way that are shown: the last ones. */
const STEPS = 7;

const [earlierFile, laterFile] = process.argv.slice(2);
const earlier = await read(earlierFile);
const before = byKind(earlier);
const known = idsOf(earlier);
earlier.nodes = undefined;
const later = await read(laterFile);

console.log('more objects  more KiB  kind');
const more = [...byKind(later)]
  .map(([kind, { count, bytes }]) => {
    const then = before.get(kind) ?? { count: 0, bytes: 0 };
    return { kind, count: count - then.count, bytes: bytes - then.bytes };
  })
  .sort((a, b) => b.bytes - a.bytes);
for (const { kind, count, bytes } of more.slice(0, SHOWN)) print(count, bytes, kind);
console.log('\nnew objects   KiB  held by');
for (const [way, { count, bytes }] of newByWay(later, known)) print(count, bytes, way);

function print(count, bytes, what) {
  console.log(`${String(count).padStart(11)}  ${(bytes / 1024).toFixed(1).padStart(8)}  ${what}`);
}

/** A snapshot as V8 writes it: flat arrays of numbers, described by `meta`. */
async function read(file) {
  const { snapshot, nodes, edges, strings } = JSON.parse(await readFile(file, 'utf8'));
  const { node_fields: fields, node_types: types, edge_fields: edgeFields, edge_types: edgeTypes } = snapshot.meta;
  const at = (name) => fields.indexOf(name);
  const size = fields.length;
  return {
    ...{ nodes, edges, strings, size, types: types[0], edgeTypes: edgeTypes[0] },
    ...{ type: at('type'), name: at('name'), id: at('id'), bytes: at('self_size'), edgeCount: at('edge_count') },
    edgeSize: edgeFields.length,
  };
}

/** An object keeps its id as long as it lives. */
function idsOf({ nodes, size, id }) {
  const ids = new Set();
  for (let i = id; i < nodes.length; i += size) ids.add(nodes[i]);
  return ids;
}

function kindOf(heap, node) {
  const type = heap.types[heap.nodes[node + heap.type]];
  const name = heap.strings[heap.nodes[node + heap.name]];
  return type === 'object' || type === 'native' || type === 'hidden' || type === 'synthetic'
    ? name.slice(0, 60)
    : `(${type})`;
}

function byKind(heap) {
  const kinds = new Map();
  for (let node = 0; node < heap.nodes.length; node += heap.size)
    add(kinds, kindOf(heap, node), heap.nodes[node + heap.bytes]);
  return kinds;
}

function add(sums, key, bytes) {
  const sum = sums.get(key) ?? { count: 0, bytes: 0 };
  sum.count += 1;
  sum.bytes += bytes;
  sums.set(key, sum);
}

/** The most bytes first. */
function newByWay(heap, known) {
  const from = shortestWays(heap);
  const ways = new Map();
  for (let node = 0; node < heap.nodes.length; node += heap.size) {
    if (!known.has(heap.nodes[node + heap.id])) add(ways, wayTo(heap, from, node), heap.nodes[node + heap.bytes]);
  }
  return [...ways].sort(([, a], [, b]) => b.bytes - a.bytes).slice(0, 2 * SHOWN);
}

/** Breadth first from the root: of each node, who leads to it, and over which edge. Weak edges hold nothing. */
function shortestWays(heap) {
  const count = heap.nodes.length / heap.size;
  const first = new Uint32Array(count + 1);
  for (let i = 0; i < count; i++) first[i + 1] = first[i] + heap.nodes[i * heap.size + heap.edgeCount];
  const parent = new Int32Array(count).fill(-1);
  const over = new Int32Array(count).fill(-1);
  const queue = new Int32Array(count);
  let end = 1;
  parent[0] = 0;
  for (let next = 0; next < end; next++) {
    for (let edge = first[queue[next]]; edge < first[queue[next] + 1]; edge++) {
      const position = edge * heap.edgeSize;
      if (heap.edgeTypes[heap.edges[position]] === 'weak') continue;
      const to = heap.edges[position + 2] / heap.size;
      if (parent[to] >= 0) continue;
      parent[to] = queue[next];
      over[to] = position;
      queue[end++] = to;
    }
  }
  return { parent, over };
}

function wayTo(heap, { parent, over }, node) {
  const steps = [];
  for (let at = node / heap.size; at > 0 && parent[at] >= 0 && steps.length < STEPS; at = parent[at]) {
    steps.unshift(`${edgeName(heap, over[at])} ${kindOf(heap, at * heap.size)}`);
  }
  return steps.join(' > ');
}

function edgeName(heap, edge) {
  const type = heap.edgeTypes[heap.edges[edge]];
  const value = heap.edges[edge + 1];
  return type === 'element' || type === 'hidden' ? '[]' : heap.strings[value].replace(/\d+/g, '#').slice(0, 40);
}
