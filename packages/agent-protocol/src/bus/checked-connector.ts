import { createConnection, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, type RedisOptions } from 'ioredis';
import { ReplyCheck, type ConnectionRole } from './reply-check.js';

/** Makes connections as the Redis client does, and ends those on which Redis says what it cannot have to say. */
export function checkedConnector(role: ConnectionRole): NonNullable<RedisOptions['Connector']> {
  return class extends AbstractConnector {
    readonly #options: RedisOptions;

    constructor(options: unknown) {
      const given = options as RedisOptions;
      super(given.disconnectTimeout ?? 0);
      this.#options = given;
    }

    connect(): Promise<Socket> {
      this.connecting = true;
      // The client listens for errors once this has resolved, so not before it does.
      return new Promise((resolve, reject) => {
        process.nextTick(() => {
          if (!this.connecting) {
            reject(new Error('Connection is closed.'));
            return;
          }
          const socket = open(this.#options);
          this.stream = socket;
          socket.once('error', (error) => (this.firstError = error));
          guard(socket, new ReplyCheck(role));
          resolve(socket);
        });
      });
    }
  };
}

function open({ host = 'localhost', port = 6379, path, family, tls }: RedisOptions): Socket {
  const address = path == null ? { host, port, ...(family == null ? {} : { family }) } : { path };
  return tls === undefined ? createConnection(address) : connectTls({ ...address, ...tls });
}

/** Before the client sees them. */
function guard(socket: Socket, check: ReplyCheck): void {
  const emit = socket.emit.bind(socket) as (event: string | symbol, ...values: unknown[]) => boolean;
  socket.emit = (event: string | symbol, ...values: unknown[]) => {
    const wrong = event === 'data' ? check.take(values[0] as Buffer) : undefined;
    if (wrong === undefined) return emit(event, ...values);
    socket.destroy(new Error(`what answers is no Redis, or was garbled on the way: ${wrong}`));
    return false;
  };
}
