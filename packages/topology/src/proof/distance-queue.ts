/** Binary heap of nodes by distance. */
export class DistanceQueue {
  readonly #distances: number[];
  readonly #nodes: number[];

  constructor(same?: DistanceQueue) {
    this.#distances = same === undefined ? [] : [...same.#distances];
    this.#nodes = same === undefined ? [] : [...same.#nodes];
  }

  clear(): void {
    this.#distances.length = 0;
    this.#nodes.length = 0;
  }

  get size(): number {
    return this.#nodes.length;
  }

  /** Infinity when empty. */
  get least(): number {
    return this.#distances[0] ?? Infinity;
  }

  push(distance: number, node: number): void {
    let i = this.size;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if ((this.#distances[parent] as number) <= distance) break;
      this.#move(parent, i);
      i = parent;
    }
    this.#distances[i] = distance;
    this.#nodes[i] = node;
  }

  /** The nearest, of which `least` tells the distance; not for an empty queue. */
  pop(): number {
    const first = this.#nodes[0] as number;
    const distance = this.#distances.pop() as number;
    const node = this.#nodes.pop() as number;
    const { size } = this;
    if (size === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= size) break;
      if (child + 1 < size && (this.#distances[child + 1] as number) < (this.#distances[child] as number)) child++;
      if ((this.#distances[child] as number) >= distance) break;
      this.#move(child, i);
      i = child;
    }
    this.#distances[i] = distance;
    this.#nodes[i] = node;
    return first;
  }

  #move(from: number, to: number): void {
    this.#distances[to] = this.#distances[from] as number;
    this.#nodes[to] = this.#nodes[from] as number;
  }
}
