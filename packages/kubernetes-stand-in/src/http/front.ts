import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError } from '../model/api-error.js';
import type { Registry } from '../model/registry.js';
import { befall } from './befall.js';
import { readBody } from './body.js';
import type { Calls } from './calls.js';
import { apiGroup, coreVersions, groupList, resourceList, versionInfo } from './discovery.js';
import type { Fault } from './faults.js';
import { Listener } from './listener.js';
import { openApiOf, openApiRoot } from './openapi.js';
import { readRequest, type RequestInfo } from './request-info.js';
import type { Answer, ResourceHandler } from './resource-handler.js';
import { authorize, type Users } from './users.js';

export interface FrontParts {
  readonly registry: Registry;
  readonly users: Users;
  readonly calls: Calls;
  readonly resources: ResourceHandler;
  readonly nextFault: (info: RequestInfo) => Fault | undefined;
}

/** The server as clients see it: who comes in, what befalls the request, who answers it. */
export class Front extends Listener {
  readonly #parts: FrontParts;

  constructor(parts: FrontParts) {
    super();
    this.#parts = parts;
  }

  protected override async answer(request: IncomingMessage, response: ServerResponse): Promise<Answer | undefined> {
    const { users, calls, nextFault, resources } = this.#parts;
    const info = readRequest(request.method ?? 'GET', request.url ?? '/');
    calls.note(info);
    const body = await readBody(request);
    const fault = nextFault(info);
    if (!(await befall(fault, response))) return undefined;
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
