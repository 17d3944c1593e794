import { unpackStrings } from './string-table.js';

/** What a packed list of names says, each look-up built on first use. */
export class PackedNames {
  readonly #packed: Uint8Array;
  readonly #count: number;
  #values: readonly string[] | undefined;
  #index: ReadonlyMap<string, number> | undefined;
  #repeated: ReadonlyMap<string, readonly number[]> | undefined;

  constructor(packed: Uint8Array, count: number) {
    this.#packed = packed;
    this.#count = count;
  }

  get values(): readonly string[] {
    return (this.#values ??= unpackStrings(this.#packed, this.#count));
  }

  /** The first place of a name; -1 when it is not there. */
  indexOf(name: string): number {
    if (this.#index === undefined) {
      const index = new Map<string, number>();
      this.values.forEach((value, i) => {
        if (!index.has(value)) index.set(value, i);
      });
      this.#index = index;
    }
    return this.#index.get(name) ?? -1;
  }

  /** All places of a name that occurs several times. */
  placesOfRepeated(name: string): readonly number[] | undefined {
    if (this.#repeated === undefined) {
      const repeated = new Map<string, number[]>();
      this.values.forEach((value, i) => {
        const first = this.indexOf(value);
        if (first === i) return;
        const known = repeated.get(value);
        if (known === undefined) repeated.set(value, [first, i]);
        else known.push(i);
      });
      this.#repeated = repeated;
    }
    return this.#repeated.get(name);
  }
}

const known = new WeakMap<Uint8Array, PackedNames>();

/** Built once per packed list: a snapshot derived from another shares the list, and so its look-ups. */
export function packedNames(packed: Uint8Array, count: number): PackedNames {
  const found = known.get(packed) ?? new PackedNames(packed, count);
  known.set(packed, found);
  return found;
}
