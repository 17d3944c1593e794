/**
 * What anybody would write: Dijkstra with a binary heap of (distance, node) pairs and stale entries, on typed arrays. The
 * reference that bench/spf.mjs holds everything against.
 */
export function plainDijkstra({ nodeCount, start, ends, length }, source, destination = -1) {
  const distance = new Float64Array(nodeCount).fill(Infinity);
  const keys = [0];
  const nodes = [source];
  distance[source] = 0;
  while (keys.length > 0) {
    const here = keys[0];
    const node = nodes[0];
    const key = keys.pop();
    const last = nodes.pop();
    const size = keys.length;
    if (size > 0) {
      let i = 0;
      for (;;) {
        let child = 2 * i + 1;
        if (child >= size) break;
        if (child + 1 < size && keys[child + 1] < keys[child]) child++;
        if (keys[child] >= key) break;
        keys[i] = keys[child];
        nodes[i] = nodes[child];
        i = child;
      }
      keys[i] = key;
      nodes[i] = last;
    }
    if (here > distance[node]) continue;
    if (node === destination) break;
    for (let i = start[node]; i < start[node + 1]; i++) {
      const next = ends[i];
      const candidate = here + length[i];
      if (candidate >= distance[next]) continue;
      distance[next] = candidate;
      let at = keys.length;
      keys.push(candidate);
      nodes.push(next);
      while (at > 0) {
        const parent = (at - 1) >> 1;
        if (keys[parent] <= candidate) break;
        keys[at] = keys[parent];
        nodes[at] = nodes[parent];
        at = parent;
      }
      keys[at] = candidate;
      nodes[at] = next;
    }
  }
  return distance;
}
