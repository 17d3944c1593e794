import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders, type RequestOptions } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';

/** What an API server answered other than success, or that it did not answer. */
export class KubernetesError extends Error {
  override readonly name = 'KubernetesError';

  constructor(
    message: string,
    /** HTTP status; null: no answer, or one that is not of an API server. */
    readonly status: number | null,
    /** `reason` of its Status object, such as Conflict, Expired or Forbidden; empty when there is none. */
    readonly reason: string,
    /** How long it asks to be left alone, in milliseconds; null: it does not ask. */
    readonly retryAfterMs: number | null = null,
  ) {
    super(message);
  }

  /** The resourceVersion is too old: list again. */
  get isExpired(): boolean {
    return this.status === 410;
  }
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** How patches are sent; `apply` is server-side apply. */
export type PatchKind = 'merge' | 'json' | 'apply';

const patchTypes: Readonly<Record<PatchKind, string>> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  // JSON is YAML.
  apply: 'application/apply-patch+yaml',
};

export interface WatchEvent {
  readonly type: string;
  readonly object: unknown;
}

/** No list of a page is nearly as long. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;
/** No event is nearly as long: what an API server stores has 1.5 MB at most. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Requests to one API server, with the addresses and credentials of a kubeconfig or service account. The client library's own
 * calls are not used beyond that: they take `{}` for an empty list, skip lines of a watch that they cannot read, and have no
 * time-out.
 */
export class ApiClient {
  readonly #kubeConfig: KubeConfig;
  #agent: { readonly identity: string; readonly agent: Agent } | undefined;

  constructor(kubeConfig: KubeConfig) {
    this.#kubeConfig = kubeConfig;
  }

  get server(): string {
    return this.#kubeConfig.getCurrentCluster()?.server ?? '';
  }

  get(path: string, query: Query = {}): Promise<unknown> {
    return this.#json('GET', path, query);
  }

  post(path: string, body: unknown, query: Query = {}): Promise<unknown> {
    return this.#json('POST', path, query, body, 'application/json');
  }

  put(path: string, body: unknown, query: Query = {}): Promise<unknown> {
    return this.#json('PUT', path, query, body, 'application/json');
  }

  async patch(path: string, kind: PatchKind, body: unknown, query: Query = {}): Promise<unknown> {
    const answer = await this.#json('PATCH', path, query, body, patchTypes[kind]);
    // Whatever stands in front of an API server may say 200, too, and nothing is written.
    if (kind === 'apply' && kindOf(answer) !== kindOf(body)) throw noAnswer(`${path} was answered something else`);
    return answer;
  }

  /** With a uid only that very object goes; another one of its name is a conflict (409). */
  delete(path: string, uid?: string): Promise<unknown> {
    const options = uid === undefined ? {} : { preconditions: { uid } };
    return this.#json('DELETE', path, {}, options, 'application/json');
  }

  /**
   * Hands over events until the server ends the watch or `signal` does. Rejects with KubernetesError when it cannot be
   * opened, breaks off, or sends something that is no event: what follows that cannot be believed to be complete.
   */
  async watch(path: string, query: Query, onEvent: (event: WatchEvent) => void, signal: AbortSignal): Promise<void> {
    const response = await this.#send('GET', path, { ...query, watch: true }, { signal });
    if (response.statusCode !== 200) throw await failureOf(response);
    try {
      for await (const line of linesOf(response)) onEvent(readEvent(line));
      if (!response.complete) throw noAnswer('the watch was cut off');
    } catch (error) {
      if (signal.aborted) return;
      throw error instanceof KubernetesError ? error : noAnswer(messageOf(error));
    } finally {
      response.destroy();
    }
  }

  async #json(method: string, path: string, query: Query, body?: unknown, contentType?: string): Promise<unknown> {
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const response = await this.#send(method, path, query, { signal, payload, contentType });
    const status = response.statusCode ?? 0;
    if (status < 200 || status > 299) throw await failureOf(response);
    return parsed(await textOf(response), status);
  }

  async #send(
    method: string,
    path: string,
    query: Query,
    {
      signal,
      payload,
      contentType,
    }: { signal: AbortSignal; payload?: string | undefined; contentType?: string | undefined },
  ): Promise<IncomingMessage> {
    const url = new URL(this.server + path);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const options: RequestOptions = { method, signal };
    await this.#kubeConfig.applyToHTTPSOptions(options);
    options.agent = this.#lasting(options.agent);
    options.headers = {
      ...(options.headers as OutgoingHttpHeaders | undefined),
      accept: 'application/json',
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
    };
    const request = url.protocol === 'http:' ? httpRequest : httpsRequest;
    return new Promise((resolve, reject) => {
      const sent = request(url, options, resolve);
      sent.on('error', (error) => {
        reject(noAnswer(messageOf(error)));
      });
      sent.end(payload);
    });
  }

  /** The library makes a new agent for every request, and with it a new connection. */
  #lasting(agent: RequestOptions['agent']): RequestOptions['agent'] {
    if (!(agent instanceof Agent) || Object.getPrototypeOf(agent) !== Agent.prototype) return agent;
    const identity = identityOf(agent);
    if (this.#agent?.identity !== identity) {
      this.#agent?.agent.destroy();
      this.#agent = { identity, agent: new Agent({ ...agent.options, keepAlive: true }) };
    }
    return this.#agent.agent;
  }

  close(): void {
    this.#agent?.agent.destroy();
  }
}

function identityOf({ options: { ca, cert, key, servername, rejectUnauthorized } }: Agent): string {
  return JSON.stringify([ca, cert, key, servername, rejectUnauthorized].map(String));
}

function kindOf(object: unknown): unknown {
  return (object as { readonly kind?: unknown } | null)?.kind;
}

async function* linesOf(response: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let begun: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    let from = 0;
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', from)) {
      yield Buffer.concat([...begun, chunk.subarray(from, end)]).toString('utf8');
      from = end + 1;
      [begun, bytes] = [[], 0];
    }
    begun.push(chunk.subarray(from));
    bytes += chunk.length - from;
    if (bytes > MAX_LINE_BYTES) throw new Error(`an event of the watch is longer than ${MAX_LINE_BYTES} bytes`);
  }
  if (bytes > 0) yield Buffer.concat(begun).toString('utf8');
}

function readEvent(line: string): WatchEvent {
  const event = parsed(line, 200);
  if (typeof event !== 'object' || event === null || !('type' in event) || typeof event.type !== 'string') {
    throw new KubernetesError('the watch sent something that is no event', null, '');
  }
  return { type: event.type, object: 'object' in event ? event.object : undefined };
}

async function failureOf(response: IncomingMessage): Promise<KubernetesError> {
  const status = response.statusCode ?? null;
  const seconds = Number(response.headers['retry-after']);
  const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : null;
  return new KubernetesError(...statusOf(await textOf(response), status), retryAfterMs);
}

function statusOf(text: string, status: number | null): [message: string, status: number | null, reason: string] {
  try {
    const body = JSON.parse(text) as { readonly message?: unknown; readonly reason?: unknown } | null;
    if (typeof body?.message === 'string')
      return [body.message, status, typeof body.reason === 'string' ? body.reason : ''];
  } catch {
    // No Status object: what HTTP says is all there is.
  }
  return [`the API server answered ${status ?? 'nothing'}`, status, ''];
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) throw new Error(`the answer is longer than ${MAX_BODY_BYTES} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw noAnswer(messageOf(error));
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new KubernetesError('the API server answered something that is not JSON', status === 200 ? null : status, '');
  }
}

function noAnswer(message: string): KubernetesError {
  return new KubernetesError(message, null, '');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
