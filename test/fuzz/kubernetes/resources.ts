import { apiVersion as waymark, srv6ConfigNamespace } from '@waymark/kubernetes-resources';
import type { CallMatch } from '@waymark/kubernetes-stand-in';

/** Namespace of pods with a service class. */
export const SHOP = 'shop';

/** A resource that the controller follows. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespace?: string;
  /** A custom resource of ours, which is told what became of it. */
  readonly isOurs: boolean;
}

const calico = 'crd.projectcalico.org/v1';
const resource = (apiVersion: string, kind: string, plural: string, namespace?: string): Resource => ({
  ...{ apiVersion, kind, plural, isOurs: apiVersion === waymark },
  ...(namespace === undefined ? {} : { namespace }),
});

export const resources = {
  Node: resource('v1', 'Node', 'nodes'),
  BlockAffinity: resource(calico, 'BlockAffinity', 'blockaffinities'),
  IPPool: resource(calico, 'IPPool', 'ippools'),
  IPAMBlock: resource(calico, 'IPAMBlock', 'ipamblocks'),
  ConfigMap: resource('v1', 'ConfigMap', 'configmaps', srv6ConfigNamespace),
  Namespace: resource('v1', 'Namespace', 'namespaces'),
  Pod: resource('v1', 'Pod', 'pods', SHOP),
  SRPolicy: resource(waymark, 'SRPolicy', 'srpolicies'),
  PolicyMesh: resource(waymark, 'PolicyMesh', 'policymeshes'),
  LinkConstraint: resource(waymark, 'LinkConstraint', 'linkconstraints'),
  PathProfile: resource(waymark, 'PathProfile', 'pathprofiles'),
} as const;

export type Kind = keyof typeof resources;
export const kinds = Object.keys(resources) as Kind[];
export const ourKinds = kinds.filter((kind) => resources[kind].isOurs);

/** Where objects of a kind are made. */
export function collectionPath({ apiVersion, plural, namespace }: Resource): string {
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  return `${root}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${plural}`;
}

/** Requests for the resource, as faults match them. */
export function matchOf({ apiVersion, plural }: Resource): CallMatch {
  return { group: apiVersion === 'v1' ? '' : (apiVersion.split('/')[0] ?? ''), resource: plural };
}
