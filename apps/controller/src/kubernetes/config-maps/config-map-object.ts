import { srv6ConfigNamespace } from '@waymark/kubernetes-resources';
import type { KubernetesObject } from '../watched-list.js';

export interface ConfigMapObject extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
}

/** Where the ConfigMaps of a cluster are, or one of them. */
export function configMapPath(name?: string): string {
  return `/api/v1/namespaces/${srv6ConfigNamespace}/configmaps${name === undefined ? '' : `/${name}`}`;
}
