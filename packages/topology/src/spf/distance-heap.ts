/**
 * Nodes of a search by tentative distance: an indexed 4-ary min-heap that holds no keys of its own but reads them from the
 * distances, so that a node has moved as soon as its distance is written and `moveUp` called. Equal distances in no order.
 */
export class DistanceHeap {
  readonly #nodes: Uint32Array;
  readonly #position: Int32Array;
  #size = 0;

  constructor(capacity: number) {
    this.#nodes = new Uint32Array(capacity);
    this.#position = new Int32Array(capacity).fill(-1);
  }

  get size(): number {
    return this.#size;
  }

  /** The nearest node. The heap must not be empty. */
  get first(): number {
    return this.#nodes[0] as number;
  }

  clear(): void {
    for (let i = 0; i < this.#size; i++) this.#position[this.#nodes[i] as number] = -1;
    this.#size = 0;
  }

  /** Adds a node, or moves it to the front after its distance became smaller. */
  moveUp(node: number, distance: Float64Array): void {
    const nodes = this.#nodes;
    const position = this.#position;
    const key = distance[node] as number;
    let i = position[node] as number;
    if (i < 0) i = this.#size++;
    while (i > 0) {
      const parent = (i - 1) >> 2;
      const above = nodes[parent] as number;
      if ((distance[above] as number) <= key) break;
      nodes[i] = above;
      position[above] = i;
      i = parent;
    }
    nodes[i] = node;
    position[node] = i;
  }

  /** Removes and returns the nearest node. The heap must not be empty. */
  takeFirst(distance: Float64Array): number {
    const nodes = this.#nodes;
    const position = this.#position;
    const first = nodes[0] as number;
    position[first] = -1;
    const size = --this.#size;
    if (size === 0) return first;
    const moved = nodes[size] as number;
    const key = distance[moved] as number;
    let i = 0;
    for (;;) {
      let child = 4 * i + 1;
      if (child >= size) break;
      let least = child;
      let leastKey = distance[nodes[child] as number] as number;
      const end = Math.min(child + 4, size);
      for (child++; child < end; child++) {
        const childKey = distance[nodes[child] as number] as number;
        if (childKey < leastKey) {
          leastKey = childKey;
          least = child;
        }
      }
      if (leastKey >= key) break;
      const below = nodes[least] as number;
      nodes[i] = below;
      position[below] = i;
      i = least;
    }
    nodes[i] = moved;
    position[moved] = i;
    return first;
  }
}
