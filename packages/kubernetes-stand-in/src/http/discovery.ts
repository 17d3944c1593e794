import { apiVersionOf, type ResourceType } from '../model/resource-type.js';

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

export const versionInfo = {
  major: '1',
  minor: '33',
  gitVersion: 'v1.33.0+stand-in',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: 'linux/amd64',
};

/** GET /api */
export function coreVersions(address: string): object {
  const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress: address }];
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs };
}

/** GET /apis */
export function groupList(types: readonly ResourceType[]): object {
  const groups = new Set(types.map(({ group }) => group).filter((group) => group !== ''));
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: [...groups].map((group) => groupOf(types, group)) };
}

/** GET /apis/{group}; undefined for a group that is not served */
export function apiGroup(types: readonly ResourceType[], group: string): object | undefined {
  if (!types.some((type) => type.group === group)) return undefined;
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(types, group) };
}

function groupOf(types: readonly ResourceType[], name: string): object {
  const versions = new Set(types.filter(({ group }) => group === name).map(({ version }) => version));
  const told = [...versions].sort(byPriority).map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: told, preferredVersion: told[0] };
}

/** v2, v1, v1beta1, v1alpha1: stable before beta before alpha, newer before older. */
export function byPriority(a: string, b: string): number {
  const rank = (version: string): readonly number[] => {
    const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
    if (match === null) return [0, 0, 0];
    const [, major = '0', stage, minor = '0'] = match;
    return [stage === undefined ? 3 : stage === 'beta' ? 2 : 1, Number(major), Number(minor)];
  };
  const [left, right] = [rank(a), rank(b)];
  for (let index = 0; index < 3; index += 1) {
    const by = (right[index] ?? 0) - (left[index] ?? 0);
    if (by !== 0) return by;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

/** GET /api/v1 and /apis/{group}/{version}; undefined for a version that is not served */
export function resourceList(types: readonly ResourceType[], groupVersion: string): object | undefined {
  const served = types.filter((type) => apiVersionOf(type) === groupVersion);
  if (served.length === 0) return undefined;
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: served.flatMap(resourcesOf) };
}

function resourcesOf(type: ResourceType): readonly object[] {
  const { plural, singular, kind, namespaced, shortNames, categories, hasStatus } = type;
  return [
    {
      ...{ name: plural, singularName: singular, namespaced, kind, verbs: VERBS },
      ...(shortNames.length === 0 ? {} : { shortNames }),
      ...(categories.length === 0 ? {} : { categories }),
    },
    ...(hasStatus
      ? [{ name: `${plural}/status`, singularName: '', namespaced, kind, verbs: ['get', 'patch', 'update'] }]
      : []),
  ];
}
