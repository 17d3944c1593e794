import type { ByteReader } from './byte-reader.js';
import type { ByteWriter } from './byte-writer.js';
import type { VppValue } from './value.js';

/** How values of one type travel. `at` names the field in errors. */
export interface Codec {
  /** The fewest bytes a value can take: what a count is held against before anything is allocated for it. */
  readonly minBytes: number;
  /** Throws VppEncodeError. */
  write(writer: ByteWriter, value: unknown, at: string): void;
  /** Throws VppDecodeError. */
  read(reader: ByteReader, at: string): VppValue;
}
