import { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { limitConnectionsPerAddress } from '../connections-per-address.js';
import { Problem } from '../model/errors.js';
import { onceOver } from './answer-over.js';
import type { ApiLimits } from './limits.js';
import { clientOf } from './rate-limits.js';
import type { ApiApp } from './type-provider.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered whatever else is going on: who watches over this process must learn that it lives. */
    readonly isProbe?: true;
    /** An answer that does not end: counted with the streams. */
    readonly isStream?: true;
  }
}

/** What the metrics tell of it. */
export interface AdmissionCounts {
  readonly requests: number;
  readonly streams: number;
  /** Since the process started. */
  readonly refused: number;
  readonly connectionsDropped: number;
}

/**
 * So many requests at once, and so many streams. That bounds what waits for the database and for workers, and the bodies in
 * memory: one more is told to come back. A place is free again when its answer has gone out or its client has, and what was begun
 * for it has ended: who asks and goes, again and again, has no more under way than who waits.
 */
export class Admission {
  readonly #limits: ApiLimits;
  #requests = 0;
  #bytes = 0;
  #streams = 0;
  #refused = 0;
  #connectionsDropped = 0;
  readonly #streamsOf = new Map<string, number>();
  readonly #places = new WeakMap<FastifyRequest, Place>();

  constructor(app: ApiApp, limits: ApiLimits) {
    this.#limits = limits;
    app.server.maxConnections = limits.connections;
    app.server.on('drop', () => {
      this.#connectionsDropped += 1;
    });
    limitConnectionsPerAddress(app.server, limits.connectionsPerAddress, () => {
      this.#connectionsDropped += 1;
    });
    app.addHook('onRequest', (request, reply, done) => {
      const { isProbe, isStream } = request.routeOptions.config;
      if (isProbe !== true && isStream !== true) this.#admit(request, reply);
      done();
    });
    app.addHook('onSend', (request, _, payload, done) => {
      this.#disconnectStalled(request);
      done(null, payload);
    });
    // A connection on which nothing has come yet, or half a request, is none that Node takes for idle.
    let closing: NodeJS.Timeout | undefined;
    app.addHook('preClose', (done) => {
      closing = setTimeout(() => app.server.closeAllConnections(), limits.closingMs);
      done();
    });
    app.addHook('onClose', () => clearTimeout(closing));
  }

  counts(): AdmissionCounts {
    return {
      requests: this.#requests,
      streams: this.#streams,
      refused: this.#refused,
      connectionsDropped: this.#connectionsDropped,
    };
  }

  /** Throws Problem overloaded and too-many-requests, before anything is sent. */
  admitStream(request: FastifyRequest, reply: FastifyReply): void {
    const { streams, streamsPerClient } = this.#limits;
    if (this.#streams >= streams) throw this.#refusal(`${this.#streams} streams of events are open`);
    const client = clientOf(request);
    const own = this.#streamsOf.get(client) ?? 0;
    if (own >= streamsPerClient) {
      const detail = `${client}: ${own} streams of events are open, which is as many as one client may have`;
      throw new Problem('too-many-requests', { detail, retryAfterSeconds: 10 });
    }
    this.#streams += 1;
    this.#streamsOf.set(client, own + 1);
    onceOver(request, reply, () => {
      this.#streams -= 1;
      const left = (this.#streamsOf.get(client) ?? 1) - 1;
      if (left === 0) this.#streamsOf.delete(client);
      else this.#streamsOf.set(client, left);
    });
  }

  /** The request has its place until this work has ended, too. */
  holdFor(request: FastifyRequest, work: Promise<unknown>): void {
    const leave = this.#places.get(request)?.hold();
    if (leave !== undefined) work.then(leave, leave);
  }

  #admit(request: FastifyRequest, reply: FastifyReply): void {
    if (this.#requests >= this.#limits.requests) {
      throw this.#refusal(`${this.#requests} requests are being answered`);
    }
    const bytes = bodyBytes(request);
    if (this.#bytes > 0 && bytes > 0 && this.#bytes + bytes > this.#limits.bodyBytes) {
      throw this.#refusal(`bodies of ${this.#bytes} bytes are being taken`);
    }
    this.#requests += 1;
    this.#bytes += bytes;
    const place = new Place(() => {
      this.#requests -= 1;
      this.#bytes -= bytes;
    });
    this.#places.set(request, place);
    onceOver(request, reply, place.hold());
  }

  #refusal(detail: string): Problem {
    this.#refused += 1;
    return new Problem('overloaded', { detail, retryAfterSeconds: 1 });
  }

  /**
   * Who does not read his answer would otherwise keep it, and his place, for ever: Node ends a connection that is idle for so
   * long. Streams look after themselves.
   */
  #disconnectStalled({ raw: { socket } }: FastifyRequest): void {
    // that of app.inject is none
    if (socket instanceof Socket) socket.setTimeout(this.#limits.stalledMs);
  }
}

/** Free when nobody holds it any more. */
class Place {
  #holders = 0;

  constructor(private readonly free: () => void) {}

  /** Returns how to leave it. */
  hold(): () => void {
    this.#holders += 1;
    return () => {
      this.#holders -= 1;
      if (this.#holders === 0) this.free();
    };
  }
}

/** Of a body that does not say how long it is, as much as the operation takes. */
function bodyBytes({ headers, routeOptions }: FastifyRequest): number {
  const { 'content-length': length, 'transfer-encoding': encoding } = headers;
  const most = routeOptions.bodyLimit;
  if (encoding !== undefined) return most;
  return Math.min(most, Number(length ?? 0));
}
