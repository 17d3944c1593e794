import type { Machine } from '../machine/machine.js';

/** A message to the client: bytes 0 and 1 are left for the id, which differs from one VPP to the next. */
export interface Reply {
  readonly name: string;
  readonly message: Buffer;
}

/** What the running process says of itself. */
export interface Identity {
  readonly version: string;
  readonly buildDate: string;
  readonly pid: number;
  /** Text of get_api_json_reply. */
  readonly apiJson: string;
  /** Seconds since the epoch. */
  readonly now: () => number;
}

export type Fields = Readonly<Record<string, unknown>>;

export interface Handler {
  /** Bytes that VPP expects at least; it drops a shorter message without a word and takes a longer one. */
  readonly size: (message: Buffer) => number;
  /**
   * Dumps and a few others look for the client before they do anything. The rest act first: with a wrong client_index
   * the change is made and only the reply is lost.
   */
  readonly asksForClientFirst?: boolean;
  readonly run: (machine: Machine, message: Buffer, identity: Identity) => readonly Reply[];
  /** The request in readable form, for the log. */
  readonly describe: (message: Buffer) => Fields;
}

export type Handlers = Readonly<Record<string, Handler>>;

export const fixedSize =
  (bytes: number): Handler['size'] =>
  () =>
    bytes;

/** For a message whose length stands within its first `atLeast` bytes. */
export const variableSize =
  (atLeast: number, sizeOf: Handler['size']): Handler['size'] =>
  (message) =>
    message.length < atLeast ? atLeast : sizeOf(message);

export const nothing = (): Fields => ({});

/** A message of `bytes` with the request's context at offset 2. */
export function answer(name: string, request: Buffer, bytes: number): Reply {
  const message = Buffer.alloc(bytes);
  request.copy(message, 2, 6, 10);
  return { name, message };
}

/** u16 id, u32 context, i32 retval. */
export function retvalReply(name: string, request: Buffer, retval: number): readonly Reply[] {
  const reply = answer(name, request, 10);
  reply.message.writeInt32BE(retval, 6);
  return [reply];
}

/** NUL-terminated text in a field of fixed width. */
export function textAt(message: Buffer, offset: number, width: number): string {
  const field = message.subarray(offset, offset + width);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? width : end);
}
