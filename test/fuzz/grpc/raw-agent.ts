import { Client, credentials, status, type ServiceError } from '@grpc/grpc-js';
import { connect } from 'node:net';

const PATIENCE_MS = 60_000;
/** How long bytes that may be no connection at all are left to speak for themselves. */
const QUIET_MS = 100;
const raw = (bytes: Buffer): Buffer => bytes;

/** How a call ended, or that it goes on. */
export interface CallEnd {
  /** A status of gRPC, or `goes on`. */
  readonly outcome: string;
  readonly details: string;
  readonly received: readonly Buffer[];
}

/** Speaks the agents' service in bytes that need not be messages. */
export class RawAgent {
  readonly #client: Client;
  readonly #host: string;
  readonly #port: number;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 });
    const [host = '', port = ''] = address.split(':');
    [this.#host, this.#port] = [host, Number(port)];
  }

  /** A session with these messages; it goes on when each of them was answered by `answers` messages in all. */
  session(messages: readonly Buffer[], answers: number): Promise<CallEnd> {
    const call = this.#client.makeBidiStreamRequest('/waymark.agent.v1.AgentService/Session', raw, raw);
    const ended = watch(call, answers);
    for (const message of messages) call.write(message);
    return ended.finally(() => call.cancel());
  }

  snapshot(request: Buffer): Promise<CallEnd> {
    const call = this.#client.makeServerStreamRequest('/waymark.agent.v1.AgentService/GetSnapshot', raw, raw, request);
    return watch(call, Infinity).finally(() => call.cancel());
  }

  /** Bytes on a connection of their own; resolves when the other side ends it, or has been quiet for a while. */
  bytes(bytes: Buffer): Promise<CallEnd> {
    return new Promise((resolve, reject) => {
      const received: Buffer[] = [];
      const socket = connect(this.#port, this.#host, () => socket.write(bytes));
      const finish = (): void => {
        socket.destroy();
        resolve({ outcome: 'closed', details: '', received });
      };
      socket.setTimeout(QUIET_MS, finish);
      socket.on('data', (chunk) => received.push(chunk));
      socket.on('end', finish);
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNRESET' || error.code === 'EPIPE') finish();
        else reject(error);
      });
    });
  }

  close(): void {
    this.#client.close();
  }
}

interface Readable {
  on(event: 'data', listener: (message: Buffer) => void): unknown;
  on(event: 'error', listener: (error: ServiceError) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
}

function watch(call: Readable, answers: number): Promise<CallEnd> {
  return new Promise((resolve) => {
    const received: Buffer[] = [];
    const silence = setTimeout(() => finish('silence', ''), PATIENCE_MS);
    const finish = (outcome: string, details: string): void => {
      clearTimeout(silence);
      resolve({ outcome, details, received });
    };
    call.on('data', (message) => {
      received.push(message);
      if (received.length >= answers) finish('goes on', '');
    });
    call.on('error', ({ code, details }) => finish(status[code], details));
    call.on('end', () => finish('OK', ''));
  });
}
