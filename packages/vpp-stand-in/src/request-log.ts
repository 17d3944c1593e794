import type { Fields } from './messages/handler.js';

/** What became of a request. Only `answered` ones got what the client waits for. */
export type Outcome =
  | 'answered'
  | 'unknown-id'
  | 'truncated'
  | 'wrong-client'
  | 'dropped-request'
  | 'dropped-reply'
  | 'closed-mid-reply'
  | 'crashed';

export interface LoggedRequest {
  /** From 0, over all lives. */
  readonly sequence: number;
  /** Which life of VPP, from 1; every restart and crash begins another. */
  readonly life: number;
  /** client_index of the connection it came on, which need not be the one in the message. */
  readonly client: number;
  /** Empty for an unknown id. */
  readonly name: string;
  readonly context: number;
  /** The fields that VPP acts on; empty when the message was not read. */
  readonly fields: Fields;
  readonly outcome: Outcome;
  /** True when VPP acted on it, whatever the client got to know. */
  readonly executed: boolean;
  /** Of the reply, for messages that have one. */
  readonly retval: number | undefined;
  /** The message without its frame. */
  readonly message: Buffer;
}

export interface Counters {
  readonly handshakes: number;
  readonly requests: number;
  readonly answered: number;
  /** Requests without any answer, for whatever reason. */
  readonly unanswered: number;
  /** Calls of sr_localsids_with_packet_stats_dump in this life. */
  readonly leakedDumps: number;
  readonly byRequest: Readonly<Record<string, number>>;
}
