import { VppProtocolError } from '../errors.js';

/** u64 (ignored), u32 length of the message in big endian, u32 (ignored). */
const HEADER_BYTES = 16;
const LENGTH_AT = 8;
/** The largest message that VPP sends is the JSON of its whole API, 1.4 MB. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

export function frameOf(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + message.length);
  frame.writeUInt32BE(message.length, LENGTH_AT);
  frame.set(message, HEADER_BYTES);
  return frame;
}

/** Cuts a stream of bytes into messages, however they arrive. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #buffered = 0;
  /** Bytes of the frame at the front; undefined until its header is there. */
  #wanted: number | undefined;

  /** Messages that are complete with this chunk. Throws VppProtocolError when the length cannot be one. */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    const messages: Buffer[] = [];
    for (;;) {
      if (this.#wanted === undefined) {
        if (this.#buffered < HEADER_BYTES) return messages;
        const length = this.#joined().readUInt32BE(LENGTH_AT);
        if (length > MAX_MESSAGE_BYTES) throw new VppProtocolError(`a frame claims ${length} bytes`);
        this.#wanted = HEADER_BYTES + length;
      }
      if (this.#buffered < this.#wanted) return messages;
      const joined = this.#joined();
      messages.push(joined.subarray(HEADER_BYTES, this.#wanted));
      this.#chunks = [joined.subarray(this.#wanted)];
      this.#buffered -= this.#wanted;
      this.#wanted = undefined;
    }
  }

  /** Joins once per frame, not once per chunk: a large message arrives in many. */
  #joined(): Buffer {
    const [only] = this.#chunks;
    if (this.#chunks.length > 1 || only === undefined) this.#chunks = [Buffer.concat(this.#chunks, this.#buffered)];
    return this.#chunks[0] as Buffer;
  }
}
