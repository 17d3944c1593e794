import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../model/errors.js';
import { FollowingAbort } from '../model/following-abort.js';
import { unlessAborted } from '../model/unless-aborted.js';
import { onceOver } from './answer-over.js';
import type { ApiApp } from './type-provider.js';

export interface StreamMessage {
  readonly id?: string;
  readonly event: string;
  readonly data: unknown;
}

const reconnectAfterMs = 2000;

export interface StreamLimits {
  /** A reader that takes nothing for so long while something waits for it is disconnected. */
  readonly stalledAfterMs: number;
  /** At every heartbeat it is looked whether the reader may still read. */
  readonly heartbeatMs: number;
}

export interface EventStreamsOptions {
  readonly limits: StreamLimits;
  /** May the reader, who once was let in, not read any more? */
  readonly isRefused: (request: FastifyRequest) => Promise<boolean>;
  /** Throws a Problem when there is no room for another stream. */
  readonly admit: (request: FastifyRequest, reply: FastifyReply) => void;
}

/** Answers requests with server-sent events, for as long as client and server live. */
export class EventStreams {
  readonly #limits: StreamLimits;
  readonly #isRefused: EventStreamsOptions['isRefused'];
  readonly #admit: EventStreamsOptions['admit'];
  readonly #closing = new AbortController();

  constructor(app: ApiApp, { limits, isRefused, admit }: EventStreamsOptions) {
    this.#limits = limits;
    this.#isRefused = isRefused;
    this.#admit = admit;
    app.addHook('preClose', (done) => {
      this.#closing.abort();
      done();
    });
  }

  /**
   * Sends the messages as they come, until there are no more. Throws Problem not-acceptable, overloaded and
   * too-many-requests before anything is sent.
   */
  async send(
    request: FastifyRequest,
    reply: FastifyReply,
    messages: (signal: AbortSignal) => AsyncIterable<StreamMessage>,
  ): Promise<void> {
    if (!acceptsEvents(request.headers.accept)) {
      throw new Problem('not-acceptable', {
        detail: 'this operation answers with text/event-stream',
        field: 'Accept',
      });
    }
    this.#admit(request, reply);
    const gone = new FollowingAbort(this.#closing.signal);
    onceOver(request, reply, gone.abort);
    const { signal } = gone;
    let looking: NodeJS.Timeout | undefined;
    try {
      const source = messages(signal);
      // sends the headers, so that a client knows at once that it is connected
      await reply.sse.send({ data: undefined, retry: reconnectAfterMs });
      looking = setInterval(() => {
        void this.#isRefused(request).then((isRefused) => isRefused && request.raw.destroy());
      }, this.#limits.heartbeatMs);
      for await (const message of source) {
        // a client that is gone never drains, one that stalls may: wait for neither for ever
        const stalled = setTimeout(() => request.raw.destroy(), this.#limits.stalledAfterMs);
        await unlessAborted(reply.sse.send(message), signal).catch(gone.abort);
        clearTimeout(stalled);
      }
    } finally {
      clearInterval(looking);
      gone.letGo();
    }
    reply.sse.close();
  }
}

function acceptsEvents(accept: string | undefined): boolean {
  if (accept === undefined) return true;
  const ranges = accept.split(',').map((range) => range.split(';')[0]?.trim().toLowerCase());
  return ranges.some((range) => range === 'text/event-stream' || range === 'text/*' || range === '*/*');
}
