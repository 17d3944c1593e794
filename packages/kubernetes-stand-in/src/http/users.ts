import { randomBytes } from 'node:crypto';
import { ApiError } from '../model/api-error.js';
import type { RequestInfo, Target } from './request-info.js';

/** A rule of a Role or ClusterRole. */
export interface PolicyRule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

/** Rules that hold in one namespace (a RoleBinding), or everywhere (a ClusterRoleBinding). */
export interface Grant {
  readonly namespace?: string;
  readonly rules: readonly PolicyRule[];
}

export interface User {
  readonly name: string;
  readonly grants: readonly Grant[];
}

const EVERYTHING: Grant = {
  rules: [
    { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
    { nonResourceURLs: ['*'], verbs: ['*'] },
  ],
};

/** Who may come in, by bearer token, and what they may do, as RBAC says it. */
export class Users {
  readonly adminToken: string;
  readonly #byToken = new Map<string, User>();

  constructor() {
    this.adminToken = this.add({ name: 'kubernetes-admin', grants: [EVERYTHING] });
  }

  /** @returns the token of the user */
  add(user: User): string {
    const token = randomBytes(16).toString('hex');
    this.#byToken.set(token, user);
    return token;
  }

  /** @throws ApiError 401 */
  authenticate(authorization: string | undefined): User {
    const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1];
    const user = token === undefined ? undefined : this.#byToken.get(token);
    if (user === undefined) throw new ApiError(401, 'Unauthorized', 'Unauthorized');
    return user;
  }
}

/** @throws ApiError 403 when no rule allows the request */
export function authorize(user: User, { verb, path, target }: RequestInfo): void {
  if (target !== undefined) {
    if (!mayUse(user, verb, target)) throw forbidden(user, verb, target);
    return;
  }
  if (verb === 'get' && /^\/(api|apis|openapi|version|healthz|livez|readyz)(\/|$)/.test(path)) return;
  const allowed = user.grants.some(({ namespace, rules }) =>
    rules.some(
      ({ nonResourceURLs = [], verbs }) =>
        namespace === undefined && has(verbs, verb) && nonResourceURLs.some((url) => matchesUrl(url, path)),
    ),
  );
  if (!allowed) {
    const message = `forbidden: User "${user.name}" cannot ${verb} path "${path}"`;
    throw new ApiError(403, 'Forbidden', message);
  }
}

export function mayUse(user: User, verb: string, target: Target): boolean {
  const resource = target.subresource === undefined ? target.resource : `${target.resource}/${target.subresource}`;
  return user.grants.some(
    ({ namespace, rules }) =>
      (namespace === undefined || namespace === target.namespace) &&
      rules.some(
        ({ apiGroups = [], resources = [], resourceNames = [], verbs }) =>
          has(verbs, verb) &&
          has(apiGroups, target.group) &&
          (has(resources, resource) || resources.includes(`*/${target.subresource ?? ''}`)) &&
          (resourceNames.length === 0 || (target.name !== undefined && resourceNames.includes(target.name))),
      ),
  );
}

export function forbidden(
  user: User,
  verb: string,
  { group, resource, subresource, namespace, name }: Target,
): ApiError {
  const what = subresource === undefined ? resource : `${resource}/${subresource}`;
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const subject = { group, kind: resource, name };
  const full = `${group === '' ? resource : `${resource}.${group}`}${name === undefined ? '' : ` "${name}"`}`;
  const message = `${full} is forbidden: User "${user.name}" cannot ${verb} resource "${what}" in API group "${group}" ${where}`;
  return new ApiError(403, 'Forbidden', message, { subject });
}

function has(list: readonly string[], value: string): boolean {
  return list.includes('*') || list.includes(value);
}

function matchesUrl(pattern: string, path: string): boolean {
  return pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)));
}
