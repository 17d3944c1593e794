import { Agent, request } from 'node:http';
import { connect } from 'node:net';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface HttpInput {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** An answer that takes longer is taken for none. */
const PATIENCE_MS = 60_000;
/** How long bytes that may be no request are left to speak for themselves. */
const QUIET_MS = 300;

/** Keeps connections, and sends what it is given as it is; of an endless stream it reads only the head. */
export class HttpClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });
  readonly #host: string;
  readonly #port: number;

  constructor(baseUrl: string) {
    const { hostname, port } = new URL(baseUrl);
    [this.#host, this.#port] = [hostname, Number(port)];
  }

  async send(input: HttpInput): Promise<HttpAnswer> {
    try {
      return await this.#once(input);
    } catch (error) {
      // A connection that was kept may have been closed meanwhile: only what a new one says counts.
      if (!isStale(error)) throw error;
      return this.#once(input);
    }
  }

  #once({ method, url, headers, body }: HttpInput): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'content-length': String(body.length) };
      const outgoing = request({
        ...{ agent: this.#agent, host: this.#host, port: this.#port, method, path: url },
        headers: { ...length, ...headers },
        timeout: PATIENCE_MS,
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer in ${PATIENCE_MS} ms`)));
      outgoing.on('error', reject);
      outgoing.on('response', (response) => {
        const finish = (text: string): void =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        if (response.headers['content-type']?.startsWith('text/event-stream') === true) {
          response.destroy();
          finish('');
          return;
        }
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => finish(Buffer.concat(chunks).toString()));
        response.on('error', reject);
      });
      outgoing.end(body);
    });
  }

  /**
   * Sends these very bytes on a connection of its own, and reads until the other side ends it. One that waits for more,
   * where there may be no more to come, is told so: an HTTP server then ends the connection, with an answer or without.
   */
  sendRaw(bytes: Buffer, isWhole: boolean): Promise<readonly HttpAnswer[]> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      const socket = connect(this.#port, this.#host, () => socket.write(bytes));
      const noMore = setTimeout(() => socket.end(), isWhole ? PATIENCE_MS : QUIET_MS);
      const finish = (): void => {
        clearTimeout(noMore);
        socket.destroy();
        resolve(answersIn(Buffer.concat(chunks).toString('latin1')));
      };
      socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`no answer in ${PATIENCE_MS} ms`)));
      socket.on('data', (chunk) => {
        chunks.push(chunk);
        // Endless: its head is all there is to judge.
        if (chunk.includes('text/event-stream')) finish();
      });
      socket.on('end', finish);
      socket.on('error', (error: NodeJS.ErrnoException) => {
        // It may hang up on what it does not want to read to the end.
        if (error.code === 'ECONNRESET' || error.code === 'EPIPE') finish();
        else reject(error);
      });
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function isStale(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ECONNRESET' || code === 'EPIPE';
}

/** The answers of one connection, one after the other, each with its `Content-Length` or in chunks. */
function answersIn(text: string): HttpAnswer[] {
  const answers: HttpAnswer[] = [];
  for (let rest = text; rest.startsWith('HTTP/1.1 ');) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) break;
    const [line = '', ...fields] = rest.slice(0, end).split('\r\n');
    const headers = Object.fromEntries(
      fields.map((field) => {
        const [name = '', ...value] = field.split(':');
        return [name.toLowerCase(), value.join(':').trim()];
      }),
    );
    const status = Number(line.split(' ')[1]);
    const after = rest.slice(end + 4);
    const next = after.search(/HTTP\/1\.1 \d/);
    const body =
      headers['content-length'] === undefined
        ? next < 0
          ? after
          : after.slice(0, next)
        : after.slice(0, Number(headers['content-length']));
    if (status !== 100) answers.push({ status, headers, text: Buffer.from(body, 'latin1').toString() });
    rest = after.slice(body.length);
  }
  return answers;
}
