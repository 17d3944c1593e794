import { VppDecodeError } from '../errors.js';

/** Reads bytes in order; never past their end. */
export class ByteReader {
  /** The whole message. */
  readonly view: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.view = bytes;
  }

  get remaining(): number {
    return this.view.length - this.#at;
  }

  /** Passes over the next bytes and says where in `view` they begin. */
  claim(count: number): number {
    const at = this.#at;
    if (count > this.view.length - at) {
      throw new VppDecodeError(`the message ends ${count - this.remaining} bytes too early`);
    }
    this.#at = at + count;
    return at;
  }

  /** The next bytes, as a view of the message. */
  take(count: number): Buffer {
    const at = this.claim(count);
    return this.view.subarray(at, this.#at);
  }
}
