/**
 * Why bytes from the wire, from Redis or from a disk were refused:
 * - `malformed`: not the protobuf message they should be, or one that breaks a rule of the protocol
 * - `signature`: not signed by the controller
 */
export type ProtocolErrorCode = 'malformed' | 'signature';

/** The only error that the decoders of this package throw, whatever bytes they are given. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ProtocolErrorCode;

  constructor(code: ProtocolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Runs a generated decoder; whatever it throws on hostile bytes becomes a ProtocolError. */
export function decoding<T>(what: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    throw new ProtocolError('malformed', `these bytes are not a ${what}`, { cause: error });
  }
}
