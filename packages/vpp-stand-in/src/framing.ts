/** Of a frame header's 16 bytes only the length at offset 8 counts; it is that of the message alone. */
const HEADER_BYTES = 16;
const LENGTH_OFFSET = 8;

/** Cuts the byte stream of one client into messages. */
export class Deframer {
  #pending: Buffer = Buffer.alloc(0);

  /** The messages that this chunk completes, in order. */
  push(chunk: Buffer): readonly Buffer[] {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const messages: Buffer[] = [];
    // Like VPP, not at exactly 16 bytes: an empty message waits for the byte behind it.
    while (this.#pending.length > HEADER_BYTES) {
      const end = HEADER_BYTES + this.#pending.readUInt32BE(LENGTH_OFFSET);
      if (end > this.#pending.length) break;
      messages.push(this.#pending.subarray(HEADER_BYTES, end));
      this.#pending = this.#pending.subarray(end);
    }
    return messages;
  }
}

/** VPP sends a pointer of its own and a time stamp where a client must not look. */
export function frame(message: Buffer): Buffer {
  const framed = Buffer.alloc(HEADER_BYTES + message.length);
  framed.writeUInt32LE(0x30401000, 0);
  framed.writeUInt32LE(0x00007f1c, 4);
  framed.writeUInt32BE(message.length, LENGTH_OFFSET);
  framed.writeUInt32LE(0x0badcafe, 12);
  message.copy(framed, HEADER_BYTES);
  return framed;
}
