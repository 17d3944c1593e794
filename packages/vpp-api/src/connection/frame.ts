import { VppProtocolError } from '../errors.js';

/** u64 (ignored), u32 length of the message in big endian, u32 (ignored). */
const HEADER_BYTES = 16;
const LENGTH_AT = 8;
/** The largest message that VPP sends is the JSON of its whole API, 1.4 MB. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

export function frameOf(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + message.length).fill(0, 0, HEADER_BYTES);
  frame.writeUInt32BE(message.length, LENGTH_AT);
  frame.set(message, HEADER_BYTES);
  return frame;
}

/** Cuts a stream of bytes into messages, however they arrive. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #buffered = 0;
  /** Bytes with which the frame at the front, or at least its header, is there. */
  #wanted = HEADER_BYTES;

  /** Messages that are complete with this chunk. Throws VppProtocolError when the length cannot be one. */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    // Chunks are joined once per frame, not once each: a large message arrives in many.
    if (this.#buffered < this.#wanted) return [];
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#buffered);
    const messages: Buffer[] = [];
    let at = 0;
    this.#wanted = HEADER_BYTES;
    while (bytes.length - at >= HEADER_BYTES) {
      const length = bytes.readUInt32BE(at + LENGTH_AT);
      if (length > MAX_MESSAGE_BYTES) throw new VppProtocolError(`a frame claims ${length} bytes`);
      const end = at + HEADER_BYTES + length;
      if (end > bytes.length) {
        this.#wanted = HEADER_BYTES + length;
        break;
      }
      messages.push(bytes.subarray(at + HEADER_BYTES, end));
      at = end;
    }
    this.#chunks = at === bytes.length ? [] : [bytes.subarray(at)];
    this.#buffered = bytes.length - at;
    return messages;
  }
}
