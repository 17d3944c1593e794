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
  /** Offset of the return code; undefined when there is none. */
  readonly #retvalAt: number | undefined;
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
    this.#retvalAt = retvalOffset(fields);
    this.#headerBytes = bytesOf(this.#header);
    const context = this.#header.indexOf('context');
    this.#contextAt = context < 0 ? undefined : bytesOf(this.#header.slice(0, context));
  }

  get hasContext(): boolean {
    return this.#contextAt !== undefined;
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

  /** Whether the request succeeded (0); undefined when it does not tell. Throws VppDecodeError. */
  retvalOf(message: Buffer): number | undefined {
    if (this.#retvalAt === undefined) return undefined;
    new ByteReader(message).claim(this.#retvalAt + RETVAL_BYTES);
    return message.readInt32BE(this.#retvalAt);
  }

  /** Fields of a message, its header left out; bytes after the last field are ignored. Throws VppDecodeError. */
  decode(message: Buffer): VppRecord {
    const reader = new ByteReader(message);
    reader.claim(this.#headerBytes);
    return this.#body.read(reader, this.name) as VppRecord;
  }
}

const RETVAL_BYTES = 4;

/** What stands before a return code, if anything, has a fixed size in every API. */
function retvalOffset(fields: readonly FieldCodec[]): number | undefined {
  const index = fields.findIndex(({ name }) => name === 'retval');
  const sizes = fields.slice(0, index + 1).map(({ codec }) => ('minBytes' in codec ? codec.minBytes : Number.NaN));
  if (sizes.at(-1) !== RETVAL_BYTES) return undefined;
  const offset = sizes.reduce((sum, size) => sum + size, -RETVAL_BYTES);
  return Number.isNaN(offset) ? undefined : offset;
}

const u16 = scalars.get('u16') as Codec;
const u32 = scalars.get('u32') as Codec;

function codecOf(field: HeaderField): Codec {
  return field === '_vl_msg_id' ? u16 : u32;
}

function bytesOf(header: readonly HeaderField[]): number {
  return header.reduce((sum, field) => sum + codecOf(field).minBytes, 0);
}
