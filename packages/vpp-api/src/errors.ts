import { explainRetval } from './retvals.js';

/** Whatever goes wrong between a program and VPP. `instanceof` tells the kinds apart. */
export abstract class VppError extends Error {}

/** API definitions that cannot be understood: the message names the file and the place in it. */
export class VppDefinitionError extends VppError {
  override readonly name = 'VppDefinitionError';
}

/** This VPP has no such message, or has it in another version (CRC). Nothing was sent. */
export class VppIncompatibleError extends VppError {
  override readonly name = 'VppIncompatibleError';
}

/** A request that does not fit its definition; the message names the field. Nothing was sent. */
export class VppEncodeError extends VppError {
  override readonly name = 'VppEncodeError';
}

/** Bytes from VPP that do not fit the definition of their message. */
export class VppDecodeError extends VppError {
  override readonly name = 'VppDecodeError';
}

/** VPP broke the rules of the transport; the connection is closed. */
export class VppProtocolError extends VppError {
  override readonly name = 'VppProtocolError';
}

/**
 * No reply in time. VPP answers neither an unknown client nor a truncated message, so silence proves nothing: the request
 * may have been executed. Read back before doing anything else.
 */
export class VppTimeoutError extends VppError {
  override readonly name = 'VppTimeoutError';
  readonly request: string;

  constructor(request: string, timeoutMs: number) {
    super(`no reply to ${request} within ${timeoutMs} ms; it may have been executed`);
    this.request = request;
  }
}

/** There is no connection, or it went away. `mayHaveExecuted`: the request was handed to the socket before. */
export class VppDisconnectedError extends VppError {
  override readonly name = 'VppDisconnectedError';
  readonly mayHaveExecuted: boolean;

  constructor(message: string, mayHaveExecuted: boolean) {
    super(message);
    this.mayHaveExecuted = mayHaveExecuted;
  }
}

/** More requests wait for their turn than the client is to hold. Nothing was sent. */
export class VppOverloadedError extends VppError {
  override readonly name = 'VppOverloadedError';
}

/** VPP refused: `retval` is not 0. What the number means depends on the message. */
export class VppRetvalError extends VppError {
  override readonly name = 'VppRetvalError';
  readonly request: string;
  readonly retval: number;

  constructor(request: string, retval: number) {
    super(`${request}: ${explainRetval(request, retval)}`);
    this.request = request;
    this.retval = retval;
  }
}
