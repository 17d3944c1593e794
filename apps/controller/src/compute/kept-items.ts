import { deflateRawSync, inflateRawSync } from 'node:zlib';

/** JSON text that is parsed at a time. */
const MOST_BYTES_READ = 4 * 1024 * 1024;

/** The least that zlib does: answers are so much alike that more gains little. */
const DEFLATE = { level: 1 };

/**
 * Items by index as compressed JSON text, outside the heap: what many of them take is known and a tenth of what it would be, and answers
 * of hours ago cost no garbage collection.
 */
export class KeptItems<Item> {
  /** Beginning at 0, without gaps. */
  readonly #ready: Chunk[] = [];
  /** Behind a gap, by first index. */
  readonly #early = new Map<number, Chunk>();
  #available = 0;
  #count = 0;
  #bytes = 0;

  /** How many there are from the first one on without a gap. */
  get available(): number {
    return this.#available;
  }

  /** All, also those behind a gap. */
  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Each index once; the order does not matter. */
  keep(first: number, items: readonly Item[]): void {
    if (items.length === 0) return;
    const json = deflateRawSync(JSON.stringify(items), DEFLATE);
    this.#early.set(first, { first, end: first + items.length, json });
    this.#count += items.length;
    this.#bytes += json.length;
    for (let chunk = this.#early.get(this.#available); chunk; chunk = this.#early.get(this.#available)) {
      this.#early.delete(chunk.first);
      this.#ready.push(chunk);
      this.#available = chunk.end;
    }
  }

  /**
   * From this index on, as far as they are available: at most `limit`, and fewer where they are so large that reading them
   * all would hold up others, but always one.
   */
  slice(start: number, limit: number): Item[] {
    const end = Math.min(start + limit, this.#available);
    const items: Item[] = [];
    let bytes = 0;
    for (let i = this.#chunkOf(start); start + items.length < end && bytes < MOST_BYTES_READ; i++) {
      const chunk = this.#ready[i] as Chunk;
      const json = inflateRawSync(chunk.json);
      bytes += json.length;
      const all = JSON.parse(json.toString()) as Item[];
      items.push(...all.slice(start + items.length - chunk.first, end - chunk.first));
    }
    return items;
  }

  /** Position of the chunk that has this index. */
  #chunkOf(index: number): number {
    let low = 0;
    let high = this.#ready.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ready[middle] as Chunk).end <= index) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

interface Chunk {
  readonly first: number;
  readonly end: number;
  /** Compressed. */
  readonly json: Buffer;
}
