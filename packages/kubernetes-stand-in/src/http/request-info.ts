/** What a request is about, as Kubernetes reads it from method and path. */
export interface RequestInfo {
  /** get, list, watch, create, update, patch, delete, deletecollection; of other paths the method in lower case. */
  readonly verb: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Undefined for paths that are no resource, as /version. */
  readonly target: Target | undefined;
}

export interface Target {
  readonly group: string;
  readonly version: string;
  /** `v1` or `group/version`. */
  readonly apiVersion: string;
  /** The plural. */
  readonly resource: string;
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

export function readRequest(method: string, url: string): RequestInfo {
  const { pathname: path, searchParams: query } = new URL(url, 'https://server');
  const target = targetOf(path);
  return { verb: target === undefined ? method.toLowerCase() : verbOf(method, target, query), path, query, target };
}

function verbOf(method: string, { name }: Target, query: URLSearchParams): string {
  if (method === 'GET' || method === 'HEAD') {
    if (isTrue(query.get('watch'))) return 'watch';
    return name === undefined ? 'list' : 'get';
  }
  const whole = name === undefined ? 'deletecollection' : 'delete';
  return { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: whole }[method] ?? method.toLowerCase();
}

export function isTrue(flag: string | null): boolean {
  return flag === 'true' || flag === '1';
}

function targetOf(path: string): Target | undefined {
  const parts = path.split('/').slice(1).map(decodeURIComponent);
  const core = parts[0] === 'api';
  if (!core && parts[0] !== 'apis') return undefined;
  const [group = '', version = ''] = core ? ['', parts[1]] : [parts[1], parts[2]];
  const rest = parts.slice(core ? 2 : 3).filter((part) => part !== '');
  if (rest.length === 0) return undefined;
  const at = { group, version, apiVersion: core ? version : `${group}/${version}` };
  const ofNamespace = rest[0] === 'namespaces' && rest.length > 2 && rest[2] !== 'status' && rest[2] !== 'finalize';
  const [resource = '', name, subresource] = ofNamespace ? rest.slice(2) : rest;
  return { ...at, resource, name, subresource, namespace: ofNamespace ? rest[1] : undefined };
}
