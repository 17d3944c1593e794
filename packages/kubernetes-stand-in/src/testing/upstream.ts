import { Agent, request, type RequestOptions } from 'node:https';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { KubeConfig } from '@kubernetes/client-node';

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
}

export interface Received {
  readonly code: number;
  readonly body: unknown;
}

/** Requests to a real API server, over connections that last. */
export class Upstream {
  readonly #server: string;
  readonly #admin: Agent;
  readonly #anybody: Agent;
  readonly #adminHeaders: OutgoingHttpHeaders;

  private constructor(server: string, admin: Agent, headers: OutgoingHttpHeaders) {
    const { ca, servername, rejectUnauthorized } = admin.options;
    this.#server = server;
    this.#admin = new Agent({ ...admin.options, keepAlive: true });
    this.#anybody = new Agent({ ca, servername, rejectUnauthorized, keepAlive: true });
    this.#adminHeaders = headers;
  }

  static async of(kubeConfig: KubeConfig): Promise<Upstream> {
    const options: RequestOptions = {};
    await kubeConfig.applyToHTTPSOptions(options as Parameters<KubeConfig['applyToHTTPSOptions']>[0]);
    const server = kubeConfig.getCurrentCluster()?.server ?? '';
    if (!(options.agent instanceof Agent)) throw new Error(`${server} is not reached directly over HTTPS`);
    return new Upstream(server, options.agent, (options.headers ?? {}) as OutgoingHttpHeaders);
  }

  /** As the user of the kubeconfig. */
  asAdmin(sent: Sent): Promise<IncomingMessage> {
    return this.#send({ ...sent, headers: { ...sent.headers, ...this.#adminHeaders } }, this.#admin);
  }

  /** As whoever the headers say, if anybody. */
  asTold(sent: Sent): Promise<IncomingMessage> {
    return this.#send(sent, this.#anybody);
  }

  async call(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<Received> {
    const headers = { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': contentType }) };
    const text = body === undefined ? undefined : JSON.stringify(body);
    const response = await this.asAdmin({ method, path, headers, ...(text === undefined ? {} : { body: text }) });
    let answer = '';
    for await (const chunk of response.setEncoding('utf8')) answer += String(chunk);
    const isJson = response.headers['content-type']?.startsWith('application/json') === true;
    return { code: response.statusCode ?? 0, body: isJson ? JSON.parse(answer) : answer };
  }

  /** What must succeed. */
  async must(method: string, path: string, body?: unknown, contentType?: string): Promise<unknown> {
    const received = await this.call(method, path, body, contentType);
    if (received.code >= 300) {
      throw new Error(`${method} ${path}: ${received.code}: ${JSON.stringify(received.body)}`);
    }
    return received.body;
  }

  close(): void {
    this.#admin.destroy();
    this.#anybody.destroy();
  }

  #send({ method, path, headers = {}, body }: Sent, agent: Agent): Promise<IncomingMessage> {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      const sent = request(this.#server + path, { method, agent, headers: { ...headers, ...length } }, resolve);
      sent.on('error', reject);
      sent.end(body);
    });
  }
}
