import { VppEncodeError } from '../errors.js';

/** VPP reads a message into one buffer; nothing that Waymark or an operator sends comes near this. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Bytes in VPP's order: integers big endian, packed. */
export class ByteWriter {
  #buffer = Buffer.allocUnsafe(512);
  #length = 0;

  /** Claims bytes, zeroed, and says where they begin. */
  claim(count: number): number {
    const at = this.#length;
    const end = at + count;
    if (end > MAX_MESSAGE_BYTES) throw new VppEncodeError(`the message is larger than ${MAX_MESSAGE_BYTES} bytes`);
    if (end > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(end, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    this.#buffer.fill(0, at, end);
    this.#length = end;
    return at;
  }

  /** For writing into what was claimed; not valid after the next claim. */
  get view(): Buffer {
    return this.#buffer;
  }

  bytes(bytes: Uint8Array): void {
    const at = this.claim(bytes.length);
    this.#buffer.set(bytes, at);
  }

  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }
}
