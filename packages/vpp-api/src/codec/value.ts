/**
 * Values of fields as a program sees them:
 *
 *   u8..u32, i8..i32, f64    number
 *   u64, i64                 bigint
 *   bool                     boolean
 *   enum                     name of the value, or the number where the definition has no name for it
 *   enum of flags            number; names may be written, as an array
 *   address, prefix, MAC     text: `10.0.0.1`, `fc00::1` (RFC 5952), `10.0.0.0/24`, `02:fe:00:00:00:01`
 *   string                   text
 *   u8 x[...]                Uint8Array
 *   array                    array
 *   structure, union         object
 */
export type VppValue = number | bigint | boolean | string | Uint8Array | readonly VppValue[] | VppRecord;

export interface VppRecord {
  readonly [field: string]: VppValue;
}

/** What may be written: fields with a default, and counts of arrays, may be left out. */
export type VppInput = object;
