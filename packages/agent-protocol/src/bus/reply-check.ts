/** Longest line: of an error, or the head of a reply. */
const MAX_LINE_BYTES = 64 * 1024;
/** As long as anything can be that Redis takes. */
const MAX_BULK_BYTES = 512 * 1024 * 1024;
const NEWLINE = 0x0a;

/** What a connection can be told: `publisher` publishes only, `subscriber` subscribes only. */
export type ConnectionRole = 'publisher' | 'subscriber';

/**
 * Holds what a Redis says (RESP2) against what it can have to say to a connection of that role. The Redis client takes
 * anything else for a fault of the program and ends it, and so one that answers nonsense, or a line that garbles what it
 * says, would end every controller and agent.
 */
export class ReplyCheck {
  readonly #role: ConnectionRole;
  #line: Buffer = Buffer.alloc(0);
  /** Bytes of a bulk string, its line end included, that are still to come. */
  #bulk = 0;
  /** The element of an array of three that comes next; 0 outside of one. */
  #position = 0;
  #word = '';

  constructor(role: ConnectionRole) {
    this.#role = role;
  }

  /** What is wrong with the next bytes, or undefined. Nothing that comes after something wrong can be read. */
  take(chunk: Buffer): string | undefined {
    for (let offset = 0; offset < chunk.length;) {
      if (this.#bulk > 0) {
        const bytes = chunk.subarray(offset, offset + this.#bulk);
        offset += bytes.length;
        const wrong = this.#bulkBytes(bytes);
        if (wrong !== undefined) return wrong;
        continue;
      }
      const end = chunk.indexOf(NEWLINE, offset);
      const part = chunk.subarray(offset, end < 0 ? chunk.length : end + 1);
      offset += part.length;
      this.#line = this.#line.length === 0 ? part : Buffer.concat([this.#line, part]);
      if (this.#line.length > MAX_LINE_BYTES) return 'a line that does not end';
      if (end < 0) return undefined;
      const wrong = this.#endOfLine(this.#line.toString('latin1'));
      this.#line = Buffer.alloc(0);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }

  #bulkBytes(bytes: Buffer): string | undefined {
    this.#bulk -= bytes.length;
    if (this.#position === 1) this.#word += bytes.toString('latin1');
    if (this.#bulk > 0) return undefined;
    const word = this.#word.trimEnd();
    this.#word = '';
    if (this.#position === 1 && !['subscribe', 'unsubscribe', 'message'].includes(word)) return `a message "${word}"`;
    this.#position = (this.#position + 1) % 4;
    return undefined;
  }

  #endOfLine(line: string): string | undefined {
    const wrong = `a reply that begins with ${JSON.stringify(line.slice(0, 40))}`;
    if (!line.endsWith('\r\n')) return wrong;
    if (this.#position === 0) return this.#beginsReply(line) ? undefined : wrong;
    if (this.#position === 3 && /^:-?\d{1,15}\r/.test(line)) {
      this.#position = 0;
      return undefined;
    }
    const [, length] = /^\$(\d{1,9})\r/.exec(line) ?? [];
    const bytes = Number(length);
    if (length === undefined || bytes > MAX_BULK_BYTES || (this.#position === 1 && bytes > 20)) return wrong;
    this.#bulk = bytes + 2;
    return undefined;
  }

  /** A status has two letters at least, which is more than the client asks for. */
  #beginsReply(line: string): boolean {
    if (line.startsWith('-') || /^\+../.test(line)) return true;
    if (this.#role === 'publisher') return /^:-?\d{1,15}\r/.test(line);
    if (!line.startsWith('*3\r')) return false;
    this.#position = 1;
    return true;
  }
}
