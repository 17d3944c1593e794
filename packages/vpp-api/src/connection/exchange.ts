import type { VppRecord } from '../codec/value.js';
import type { MessageCodec } from '../definition/message-codec.js';
import { VppDisconnectedError, VppProtocolError, VppRetvalError, VppTimeoutError, type VppError } from '../errors.js';

/** Ends with its last message, or with an error. */
export interface Exchange {
  readonly request: string;
  receive(codec: MessageCodec, message: Buffer): void;
  fail(error: VppError): void;
}

export interface Deadline {
  readonly timeoutMs: number;
  /** Called when no message came for `timeoutMs`. */
  readonly onExpired: () => void;
}

/** A request and what answers it: a number of `details` (none for a plain call), then one `last`. */
export class ReplyCollector implements Exchange {
  readonly request: string;
  readonly result: Promise<{ readonly details: readonly VppRecord[]; readonly last: VppRecord }>;
  readonly #expected: { readonly details: string | undefined; readonly last: string };
  readonly #details: VppRecord[] = [];
  readonly #timer: NodeJS.Timeout;
  #resolve!: (value: { details: readonly VppRecord[]; last: VppRecord }) => void;
  #reject!: (error: Error) => void;

  constructor(
    request: string,
    expected: { readonly details: string | undefined; readonly last: string },
    { timeoutMs, onExpired }: Deadline,
  ) {
    this.request = request;
    this.#expected = expected;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = setTimeout(() => {
      onExpired();
      this.fail(new VppTimeoutError(request, timeoutMs));
    }, timeoutMs);
  }

  /** Called by the connection for each message that carries this exchange's context. */
  receive(codec: MessageCodec, message: Buffer): void {
    try {
      if (codec.name === this.#expected.details) {
        this.#details.push(codec.decode(message));
        this.#timer.refresh();
        return;
      }
      if (codec.name !== this.#expected.last) {
        throw new VppProtocolError(`${this.request} was answered by ${codec.name}`);
      }
      // First of all: behind a refusal stands whatever the memory of VPP held, which may be no fields at all.
      const retval = codec.retvalOf(message);
      if (retval !== undefined && retval !== 0) throw new VppRetvalError(this.request, retval);
      const last = codec.decode(message);
      this.#end(() => this.#resolve({ details: this.#details, last }));
    } catch (error) {
      this.#end(() => this.#reject(error as Error));
    }
  }

  fail(error: VppError): void {
    this.#end(() => this.#reject(error));
  }

  #end(settle: () => void): void {
    clearTimeout(this.#timer);
    settle();
  }
}

export function lost(reason: string, sent: boolean): VppDisconnectedError {
  return new VppDisconnectedError(sent ? `${reason}; the request may have been executed` : reason, sent);
}
