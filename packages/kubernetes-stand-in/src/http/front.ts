import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '../model/api-error.js';
import type { Registry } from '../model/registry.js';
import { readBody } from './body.js';
import type { Calls } from './calls.js';
import { selfSignedCertificate, type Certificate } from './certificate.js';
import { apiGroup, coreVersions, groupList, resourceList, versionInfo } from './discovery.js';
import type { Fault } from './faults.js';
import { openApiOf, openApiRoot } from './openapi.js';
import { readRequest, type RequestInfo } from './request-info.js';
import type { Answer, ResourceHandler } from './resource-handler.js';
import { authorize, type Users } from './users.js';

/** As many items of a list are written in one piece. */
const ITEMS_AT_ONCE = 500;

export interface FrontParts {
  readonly registry: Registry;
  readonly users: Users;
  readonly calls: Calls;
  readonly resources: ResourceHandler;
  readonly nextFault: (info: RequestInfo) => Fault | undefined;
}

/** The HTTPS listener: who comes in, what befalls the request, who answers it. */
export class Front {
  readonly certificate: Certificate = selfSignedCertificate();
  readonly #parts: FrontParts;
  #server: Server | undefined;
  #port = 0;

  constructor(parts: FrontParts) {
    this.#parts = parts;
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  /** Listens; on the same port again when it did before. */
  async listen(port = this.#port): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer(this.certificate, (request, response) => void this.#serve(request, response));
    // Longer than clients keep a connection: else it closes just when one is used again.
    server.keepAliveTimeout = 120_000;
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Stops listening and breaks every connection. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A client that leaves is no error of the server.
    response.on('error', () => undefined);
    try {
      const answer = await this.#answer(request, response);
      if (answer !== undefined) respond(response, answer);
    } catch (error) {
      if (response.headersSent || response.destroyed) response.destroy();
      else respondError(response, error);
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<Answer | undefined> {
    const { users, calls, nextFault, resources } = this.#parts;
    const info = readRequest(request.method ?? 'GET', request.url ?? '/');
    calls.note(info);
    const body = await readBody(request);
    const fault = nextFault(info);
    if (fault?.kind === 'delay') await sleep(fault.ms, undefined, { ref: false });
    else if (fault?.kind === 'hang') return undefined;
    else if (fault?.kind === 'reset') {
      response.destroy();
      return undefined;
    } else if (fault?.kind === 'nonsense') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(fault.body);
      return undefined;
    } else if (fault?.kind === 'status') throw faultStatus(fault.code, fault.retryAfterSeconds);
    if (['/healthz', '/livez', '/readyz'].includes(info.path)) {
      response.writeHead(200, { 'content-type': 'text/plain' }).end('ok');
      return undefined;
    }
    const user = users.authenticate(request.headers.authorization);
    authorize(user, info);
    if (info.path === '/metrics') {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(calls.metrics());
      return undefined;
    }
    const { target } = info;
    const answer =
      target === undefined
        ? this.#describe(info)
        : resources.handle({ ...info, target }, user, request.headers, body, response);
    if (fault?.kind !== 'lost-answer') return answer;
    response.destroy();
    return undefined;
  }

  /** What the server is and serves. */
  #describe({ path, verb }: RequestInfo): Answer {
    const types = this.#parts.registry.all();
    const [, root, group, version] = path.replace(/\/$/, '').split('/');
    const body = ((): object | undefined => {
      if (verb !== 'get') return undefined;
      if (root === 'version' && group === undefined) return versionInfo;
      if (root === 'api')
        return group === undefined ? coreVersions(this.url.slice('https://'.length)) : resourceList(types, group);
      if (root === 'openapi' && group === 'v3')
        return version === undefined ? openApiRoot(types) : openApiOf(types, path.slice('/openapi/v3/'.length));
      if (root !== 'apis') return undefined;
      if (group === undefined) return groupList(types);
      return version === undefined ? apiGroup(types, group) : resourceList(types, `${group}/${version}`);
    })();
    if (body === undefined) throw new ApiError(404, 'NotFound', 'the server could not find the requested resource');
    return { code: 200, body };
  }
}

function faultStatus(code: number, retryAfterSeconds: number | undefined): ApiError {
  const reason =
    { 401: 'Unauthorized', 403: 'Forbidden', 404: 'NotFound', 409: 'Conflict', 410: 'Expired', 429: 'TooManyRequests' }[
      code
    ] ?? (code === 503 ? 'ServiceUnavailable' : code === 504 ? 'Timeout' : 'InternalError');
  const details = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  return new ApiError(code, reason, `fault injected by the test: ${code}`, details);
}

function respond(response: ServerResponse, { code, body, warnings = [] }: Answer): void {
  response.statusCode = code;
  response.setHeader('content-type', 'application/json');
  if (warnings.length > 0)
    response.setHeader(
      'warning',
      warnings.map((text) => `299 - ${JSON.stringify(text)}`),
    );
  const { items, ...rest } = body as { readonly items?: readonly object[] };
  if (items === undefined || items.length <= ITEMS_AT_ONCE) {
    response.end(JSON.stringify(body));
    return;
  }
  // One text of a large list might be longer than a string may be.
  response.write(`${JSON.stringify(rest).slice(0, -1)},"items":[`);
  for (let at = 0; at < items.length; at += ITEMS_AT_ONCE) {
    const piece = JSON.stringify(items.slice(at, at + ITEMS_AT_ONCE)).slice(1, -1);
    response.write(at === 0 ? piece : `,${piece}`);
  }
  response.end(']}');
}

function respondError(response: ServerResponse, error: unknown): void {
  const told =
    error instanceof ApiError
      ? error
      : new ApiError(
          500,
          'InternalError',
          `Internal error occurred: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        );
  if (told.retryAfterSeconds !== undefined) response.setHeader('retry-after', String(told.retryAfterSeconds));
  respond(response, { code: told.code, body: told.status });
}
