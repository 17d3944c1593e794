/**
 * A VPP pool: indices are handed out last-freed-first, a freed element keeps its memory, and freeing an element twice
 * goes unnoticed: its index is then handed out twice.
 */
export class Pool<T> {
  readonly #elements: T[] = [];
  readonly #freeIndices: number[] = [];
  readonly #isFree = new Set<number>();

  /** What `allocate` would return now. */
  get nextIndex(): number {
    return this.#freeIndices.at(-1) ?? this.#elements.length;
  }

  allocate(element: T): number {
    const index = this.nextIndex;
    this.#freeIndices.pop();
    this.#elements[index] = element;
    this.#isFree.delete(index);
    return index;
  }

  release(index: number): void {
    this.#freeIndices.push(index);
    this.#isFree.add(index);
  }

  /** The memory at this index, live or freed; undefined only beyond the pool. */
  at(index: number): T | undefined {
    return this.#elements[index];
  }

  isFree(index: number): boolean {
    return index >= this.#elements.length || this.#isFree.has(index);
  }

  /** Live elements by index, ascending: the order of every VPP dump. */
  *live(): Generator<readonly [number, T]> {
    for (const [index, element] of this.#elements.entries()) if (!this.#isFree.has(index)) yield [index, element];
  }

  get size(): number {
    return this.#elements.length - this.#isFree.size;
  }
}
