import { connect, type Socket } from 'node:net';
import {
  builtinDefinitions,
  type CallReply,
  type CallRequest,
  type DumpDetails,
  type DumpRequest,
  type EventOf,
} from '../builtin/typed.js';
import type { VppInput, VppRecord } from '../codec/value.js';
import type { ApiDefinitions } from '../definition/api-definitions.js';
import type { MessageCodec } from '../definition/message-codec.js';
import { VppDefinitionError, VppDisconnectedError, VppError, VppOverloadedError, VppProtocolError } from '../errors.js';
import { lost, ReplyCollector, type Exchange } from './exchange.js';
import { frameOf, FrameReader } from './frame.js';
import { MessageTable, type KnownMessage, type TableEntry } from './message-table.js';
import { Queue } from './queue.js';

export interface ConnectionOptions {
  /** For example /run/vpp/api.sock. */
  readonly socketPath: string;
  /** Default: the built-in ones. */
  readonly definitions?: ApiDefinitions;
  /** Shown by VPP's `show api clients`; at most 63 bytes. */
  readonly clientName?: string;
  /** How long to wait for the next message of an answer, unless the call says otherwise. Default 5,000. */
  readonly timeoutMs?: number;
  /** Requests that VPP may be working on at the same time. Default 256. */
  readonly window?: number;
  /** Requests that may wait for their turn beyond the window. Default 100,000. */
  readonly maxWaiting?: number;
}

export interface CallOptions {
  readonly timeoutMs?: number;
}

type EventListener = (event: VppRecord) => void;

/** Fixed: how a client learns all other numbers. */
const SOCKCLNT_CREATE_ID = 15;
const SOCKCLNT_CREATE_REPLY_ID = 16;
const SOCKCLNT_DELETE_ID = 17;
export const DEFAULT_TIMEOUT_MS = 5_000;
/** How long VPP may take to close the socket of a client that leaves. */
const GOODBYE_MS = 1_000;
const DEFAULTS = {
  definitions: builtinDefinitions,
  clientName: 'waymark',
  timeoutMs: DEFAULT_TIMEOUT_MS,
  window: 256,
  maxWaiting: 100_000,
};

/** One connection to VPP, from handshake to loss. Requests may overlap; VPP answers them in order. */
export class VppConnection {
  readonly #options: Required<ConnectionOptions>;
  readonly #socket: Socket;
  readonly #frames = new FrameReader();
  readonly #pending = new Map<number, Exchange>();
  readonly #waiting = new Queue<() => void>();
  readonly #listeners = new Map<string, Set<EventListener>>();
  readonly #closed: Promise<VppDisconnectedError>;
  #markClosed!: (error: VppDisconnectedError) => void;
  #end: VppDisconnectedError | undefined;
  #definitions: ApiDefinitions;
  #table: MessageTable;
  #clientIndex = 0;
  #lastContext = 0;
  #inFlight = 0;
  #isBlocked = false;
  #lastHeard = performance.now();
  /** VPP knows this client by its index. */
  #isGreeted = false;
  #ignored = 0;

  private constructor(socket: Socket, options: Required<ConnectionOptions>) {
    this.#socket = socket;
    this.#options = options;
    this.#definitions = options.definitions;
    const fixed: TableEntry[] = [
      { index: SOCKCLNT_CREATE_ID, name: options.definitions.message('sockclnt_create').key },
      { index: SOCKCLNT_CREATE_REPLY_ID, name: options.definitions.message('sockclnt_create_reply').key },
    ];
    this.#table = new MessageTable(fixed, options.definitions);
    this.#closed = new Promise((resolve) => (this.#markClosed = resolve));
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => {
      this.#isBlocked = false;
      this.#advance();
    });
    socket.on('error', (error) => this.#lose(`the connection to VPP broke: ${error.message}`));
    socket.on('close', () => this.#lose('VPP closed the connection'));
  }

  /** Connects and shakes hands. Throws VppDisconnectedError, VppTimeoutError, or VppIncompatibleError. */
  static async open(given: ConnectionOptions): Promise<VppConnection> {
    const options = { ...DEFAULTS, ...given };
    const connection = new VppConnection(connect(options.socketPath), options);
    try {
      await connection.#shakeHands();
    } catch (error) {
      // A handshake changes nothing, so whether it was executed does not matter.
      const ended = connection.#end;
      connection.close();
      throw ended ?? error;
    }
    return connection;
  }

  /** Resolves, with the reason, when the connection has ended. */
  get closed(): Promise<VppDisconnectedError> {
    return this.#closed;
  }

  get isOpen(): boolean {
    return this.#end === undefined;
  }

  /** Messages that nobody waited for: late replies, events without a listener. */
  get ignoredMessages(): number {
    return this.#ignored;
  }

  /** How long ago VPP has last said anything, in milliseconds. */
  get silentMs(): number {
    return performance.now() - this.#lastHeard;
  }

  /** Requests sent and not answered yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Messages of the running VPP. */
  get table(): MessageTable {
    return this.#table;
  }

  /**
   * Sends a request and resolves with its reply. Throws VppRetvalError when VPP refused, VppTimeoutError and
   * VppDisconnectedError when it is not known whether it executed the request; all other errors say that nothing was sent.
   */
  async call<N extends string>(request: N, values: CallRequest<N>, options: CallOptions = {}): Promise<CallReply<N>> {
    const { reply, isDump, streamMessage } = this.#definitions.service(request);
    const { codec, id } = this.#table.find(request);
    if (isDump || streamMessage !== undefined)
      throw new VppDefinitionError(`${request} answers with many messages: dump it`);
    if (reply === undefined) throw new VppDefinitionError(`${request} is not answered by VPP`);
    this.#table.find(reply);
    const { last } = await this.#exchange([{ id, codec }], values, { details: undefined, last: reply }, options);
    return last as CallReply<N>;
  }

  /** Sends a dump and resolves with all its details. Throws as `call` does. */
  async dump<N extends string>(
    request: N,
    values: DumpRequest<N>,
    options: CallOptions = {},
  ): Promise<readonly DumpDetails<N>[]> {
    const { reply, isDump, streamMessage } = this.#definitions.service(request);
    const found = this.#table.find(request);
    if (reply === undefined || !(isDump || streamMessage !== undefined)) {
      throw new VppDefinitionError(`${request} has one reply: call it`);
    }
    // Nothing says which details are the last: what is answered after them does. VPP echoes the context of both.
    const ping = streamMessage === undefined ? [this.#table.find('control_ping')] : [];
    const expected =
      streamMessage === undefined
        ? { details: reply, last: this.#table.find('control_ping_reply').codec.name }
        : { details: streamMessage, last: reply };
    this.#table.find(expected.details);
    const { details } = await this.#exchange([found, ...ping], values, expected, options);
    return details as readonly DumpDetails<N>[];
  }

  /** Calls the listener for each such message that VPP sends unasked. Returns how to stop. */
  on<N extends string>(event: N, listener: (event: EventOf<N>) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener as EventListener));
    return () => listeners.delete(listener as EventListener);
  }

  /** Uses other definitions from now on, for messages of plugins. */
  define(definitions: ApiDefinitions): void {
    this.#definitions = definitions;
    this.#table = this.#table.with(definitions);
  }

  /** Ends the connection: nothing is sent or heard any more from now on. VPP is told, and closes the socket. */
  close(reason = 'the connection was closed'): void {
    this.#lose(reason, () => this.#sayGoodbye());
  }

  async #shakeHands(): Promise<void> {
    const { clientName } = this.#options;
    const { codec, id } = this.#table.find('sockclnt_create');
    const { last } = await this.#exchange(
      [{ id, codec }],
      { name: clientName },
      { details: undefined, last: 'sockclnt_create_reply' },
      {},
    );
    const { response, index, message_table: entries } = last as unknown as Handshake;
    if (response !== 0) throw new VppProtocolError(`VPP refused the client with ${response}`);
    this.#clientIndex = index;
    this.#isGreeted = true;
    this.#table = new MessageTable(entries, this.#definitions);
  }

  async #exchange(
    messages: readonly KnownMessage[],
    values: VppInput,
    expected: { readonly details: string | undefined; readonly last: string },
    { timeoutMs = this.#options.timeoutMs }: CallOptions,
  ) {
    const context = this.#nextContext();
    // Encoded before anything is sent or waited for: a wrong field is the caller's error, whatever VPP is doing.
    const frames = messages.map(({ codec, id }, index) =>
      frameOf(codec.encode({ id, clientIndex: this.#clientIndex, context }, index === 0 ? values : {})),
    );
    const request = (messages[0] as KnownMessage).codec.name;
    const exchange = await this.#admit(() => {
      const begun = new ReplyCollector(request, expected, { timeoutMs, onExpired: () => this.#forget(context) });
      this.#pending.set(context, begun);
      for (const frame of frames) this.#write(frame);
      return begun;
    });
    try {
      return await exchange.result;
    } finally {
      this.#forget(context);
      this.#inFlight--;
      this.#advance();
    }
  }

  /** What is written in one turn leaves in one system call. */
  #write(frame: Buffer): void {
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork();
      process.nextTick(() => this.#socket.uncork());
    }
    if (!this.#socket.write(frame)) this.#isBlocked = true;
  }

  /** Sends at once when there is a place in the window and nobody waits for it, otherwise in turn. */
  async #admit<T>(send: () => T): Promise<T> {
    this.#requireOpen();
    if (this.#hasRoom && this.#waiting.length === 0) {
      this.#inFlight++;
      return send();
    }
    if (this.#waiting.length >= this.#options.maxWaiting) {
      throw new VppOverloadedError(`${this.#waiting.length} requests wait for VPP already`);
    }
    return new Promise((resolve, reject) =>
      this.#waiting.push(() => {
        if (this.#end !== undefined) {
          reject(lost(this.#end.message, false));
          return;
        }
        this.#inFlight++;
        resolve(send());
      }),
    );
  }

  get #hasRoom(): boolean {
    return this.#inFlight < this.#options.window && !this.#isBlocked;
  }

  #requireOpen(): void {
    if (this.#end !== undefined) throw lost(this.#end.message, false);
  }

  /** Each is sent before the next is looked at: it may have filled the socket. */
  #advance(): void {
    while (this.#waiting.length > 0 && (this.#hasRoom || !this.isOpen)) this.#waiting.shift()?.();
  }

  #nextContext(): number {
    do {
      this.#lastContext = (this.#lastContext + 1) >>> 0;
    } while (this.#pending.has(this.#lastContext));
    return this.#lastContext;
  }

  #forget(context: number): void {
    this.#pending.delete(context);
  }

  #receive(chunk: Buffer): void {
    this.#lastHeard = performance.now();
    try {
      for (const message of this.#frames.push(chunk)) this.#dispatch(message);
    } catch (error) {
      if (!(error instanceof VppError)) throw error;
      this.close(error.message);
    }
  }

  #dispatch(message: Buffer): void {
    if (message.length < 2) throw new VppProtocolError('VPP sent a message without a number');
    const known = this.#table.byId(message.readUInt16BE(0));
    if (known === undefined) {
      this.#ignored++;
      return;
    }
    const { codec } = known;
    const context = codec.contextOf(message);
    const exchange = context === undefined ? undefined : this.#pending.get(context);
    if (exchange !== undefined) exchange.receive(codec, message);
    else this.#announce(codec, message);
  }

  #announce(codec: MessageCodec, message: Buffer): void {
    const listeners = this.#listeners.get(codec.name);
    if (listeners === undefined || listeners.size === 0) {
      this.#ignored++;
      return;
    }
    const event = codec.decode(message);
    for (const listener of listeners) listener(event);
  }

  /**
   * Has VPP close the socket. VPP 26.06 keeps a client that just leaves whenever the last system call that failed, of
   * whomever, said EAGAIN, and it hangs for good once it keeps 16 of them.
   */
  #sayGoodbye(): void {
    if (!this.#isGreeted) {
      this.#socket.destroy();
      return;
    }
    const codec = builtinDefinitions.message('sockclnt_delete');
    const head = { id: SOCKCLNT_DELETE_ID, clientIndex: this.#clientIndex, context: this.#nextContext() };
    this.#socket.write(frameOf(codec.encode(head, { index: this.#clientIndex })));
    const giveUp = setTimeout(() => this.#socket.destroy(), GOODBYE_MS).unref();
    this.#socket.once('close', () => clearTimeout(giveUp));
    // The goodbye is with the kernel: a program that ends need not wait for the answer.
    this.#socket.unref();
  }

  #lose(reason: string, leave: () => void = () => this.#socket.destroy()): void {
    if (this.#end !== undefined) return;
    this.#end = lost(reason, false);
    leave();
    for (const exchange of this.#pending.values()) exchange.fail(lost(reason, true));
    this.#advance();
    this.#markClosed(this.#end);
  }
}

interface Handshake {
  readonly response: number;
  readonly index: number;
  readonly message_table: readonly TableEntry[];
}
