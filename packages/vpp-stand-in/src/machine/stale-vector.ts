/**
 * A VPP vector of u32. Deletion moves the last element into the hole and shortens the vector, but the memory behind the
 * end keeps its value; VPP's search for a segment list looks one element too far and finds it.
 */
export class StaleVector {
  readonly #memory: number[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    this.#memory[this.#length] = value;
    this.#length += 1;
  }

  /** Index of `value`, or the length when the stale element just behind the end equals it; undefined otherwise. */
  findAsVppDoes(value: number): number | undefined {
    for (let index = 0; index <= this.#length; index += 1) if (this.#memory[index] === value) return index;
    return undefined;
  }

  removeAt(index: number): void {
    const last = this.#length - 1;
    const moved = this.#memory[last];
    if (index < last && moved !== undefined) this.#memory[index] = moved;
    this.#length = last;
  }

  values(): readonly number[] {
    return this.#memory.slice(0, this.#length);
  }
}
