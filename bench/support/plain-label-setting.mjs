import { plainDijkstra } from './plain-dijkstra.mjs';

/**
 * What anybody would write for the cheapest path within a delay: labels (cost, delay) in a binary heap by cost plus the least
 * cost that is left, those that cannot keep the bound any more or that another at the same node dominates thrown away. Two
 * reverse trees per query. Returns the cost; Infinity when there is no path. The reference that bench/spf.mjs holds bounded searches against.
 */
export function plainLabelSetting({ nodeCount, start, ends, cost, delay, reverse }, source, destination, maxDelay) {
  const costLeft = plainDijkstra({ ...reverse, nodeCount, length: reverse.cost }, destination);
  const delayLeft = plainDijkstra({ ...reverse, nodeCount, length: reverse.delay }, destination);
  if (delayLeft[source] > maxDelay) return Infinity;
  const settled = new Map();
  const heap = [{ key: costLeft[source], node: source, cost: 0, delay: 0 }];
  while (heap.length > 0) {
    const label = pop(heap);
    // Labels of one node come by ascending cost, so one that is no faster than the last is dominated.
    if (label.delay >= (settled.get(label.node) ?? Infinity)) continue;
    settled.set(label.node, label.delay);
    if (label.node === destination) return label.cost;
    for (let i = start[label.node]; i < start[label.node + 1]; i++) {
      const node = ends[i];
      const delayThere = label.delay + delay[i];
      if (delayThere + delayLeft[node] > maxDelay || delayThere >= (settled.get(node) ?? Infinity)) continue;
      const costThere = label.cost + cost[i];
      push(heap, { key: costThere + costLeft[node], node, cost: costThere, delay: delayThere });
    }
  }
  return Infinity;
}

function isBefore(a, b) {
  return a.key < b.key || (a.key === b.key && a.delay < b.delay);
}

function push(heap, label) {
  let at = heap.length;
  heap.push(label);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(label, heap[parent])) break;
    heap[at] = heap[parent];
    at = parent;
  }
  heap[at] = label;
}

function pop(heap) {
  const first = heap[0];
  const label = heap.pop();
  if (heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++;
    if (!isBefore(heap[child], label)) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = label;
  return first;
}
