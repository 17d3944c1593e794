import { ByteReader } from '../codec/byte-reader.js';
import { ByteWriter } from '../codec/byte-writer.js';
import type { Codec } from '../codec/codec.js';
import { structCodec, type FieldCodec } from '../codec/compounds.js';
import { scalars } from '../codec/scalars.js';
import type { VppInput, VppRecord } from '../codec/value.js';
import type { MessageDefinition } from './api-file.js';

/** What the transport fills in and looks at. Requests have all three, replies no client index. */
export interface MessageHeader {
  readonly id: number;
  readonly clientIndex: number;
  readonly context: number;
}

const headerFields = ['_vl_msg_id', 'client_index', 'context'] as const;
type HeaderField = (typeof headerFields)[number];

/** One message: its name and CRC, and how its fields travel. */
export class MessageCodec {
  readonly name: string;
  /** As VPP's message table has it: `<name>_<crc>`. */
  readonly key: string;
  /** Leading fields that the transport owns, in order. */
  readonly #header: readonly HeaderField[];
  readonly #body: Codec;
  readonly #hasRetval: boolean;
  readonly #headerBytes: number;
  /** Offset of the context; undefined when there is none. */
  readonly #contextAt: number | undefined;

  constructor(definition: MessageDefinition, fields: readonly FieldCodec[]) {
    this.name = definition.name;
    this.key = `${definition.name}_${definition.crc}`;
    const end = fields.findIndex(({ name }) => !(headerFields as readonly string[]).includes(name));
    const count = end < 0 ? fields.length : end;
    this.#header = fields.slice(0, count).map(({ name }) => name as HeaderField);
    this.#body = structCodec(fields.slice(count));
    this.#hasRetval = fields.some(({ name }) => name === 'retval');
    this.#headerBytes = bytesOf(this.#header);
    const context = this.#header.indexOf('context');
    this.#contextAt = context < 0 ? undefined : bytesOf(this.#header.slice(0, context));
  }

  get hasContext(): boolean {
    return this.#contextAt !== undefined;
  }

  /** Does its first own field tell whether the request succeeded? */
  get hasRetval(): boolean {
    return this.#hasRetval;
  }

  /** The message without the transport's frame. Throws VppEncodeError. */
  encode(header: MessageHeader, values: VppInput): Buffer {
    const writer = new ByteWriter();
    const { id, clientIndex, context } = header;
    const parts: Readonly<Record<HeaderField, number>> = { _vl_msg_id: id, client_index: clientIndex, context };
    for (const field of this.#header) codecOf(field).write(writer, parts[field], field);
    this.#body.write(writer, values, this.name);
    return writer.finish();
  }

  /** Context of a message; undefined when it has none. Throws VppDecodeError. */
  contextOf(message: Buffer): number | undefined {
    if (this.#contextAt === undefined) return undefined;
    return message.readUInt32BE(new ByteReader(message).claim(this.#headerBytes) + this.#contextAt);
  }

  /** Fields of a message, its header left out; bytes after the last field are ignored. Throws VppDecodeError. */
  decode(message: Buffer): VppRecord {
    const reader = new ByteReader(message);
    reader.claim(this.#headerBytes);
    return this.#body.read(reader, this.name) as VppRecord;
  }
}

const u16 = scalars.get('u16') as Codec;
const u32 = scalars.get('u32') as Codec;

function codecOf(field: HeaderField): Codec {
  return field === '_vl_msg_id' ? u16 : u32;
}

function bytesOf(header: readonly HeaderField[]): number {
  return header.reduce((sum, field) => sum + codecOf(field).minBytes, 0);
}
