import { VppDecodeError } from '../errors.js';

/** Reads bytes in order; never past their end. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  /** The next bytes, as a view of the message. */
  take(count: number): Buffer {
    if (count > this.remaining) {
      throw new VppDecodeError(`the message ends ${count - this.remaining} bytes too early`);
    }
    const at = this.#at;
    this.#at += count;
    return this.#bytes.subarray(at, this.#at);
  }
}
