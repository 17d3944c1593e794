import type { Manifest } from './manifests.js';

/** What the tests ask of containers and pods. */
export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly resources?: object;
  readonly securityContext?: {
    readonly capabilities?: { readonly add?: readonly string[] };
    readonly privileged?: boolean;
  };
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
}

interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: { readonly name: string; readonly key: string };
    readonly configMapKeyRef?: { readonly name: string; readonly key: string };
    readonly fieldRef?: { readonly fieldPath: string };
  };
}

interface Probe {
  readonly httpGet?: { readonly host?: string; readonly path: string; readonly port: string | number };
  readonly exec?: { readonly command: readonly string[] };
}

export interface Pod {
  readonly containers: readonly Container[];
  readonly hostNetwork?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly securityContext?: object;
  readonly topologySpreadConstraints?: readonly { readonly labelSelector: { readonly matchLabels: object } }[];
  readonly volumes?: readonly {
    readonly name: string;
    readonly configMap?: { readonly name: string };
    readonly hostPath?: { readonly path: string };
  }[];
}

const workloads = ['Deployment', 'DaemonSet'];

export function workloadsOf(objects: readonly Manifest[]): readonly Manifest[] {
  return objects.filter(({ kind }) => workloads.includes(kind));
}

/** The pods that a Deployment or DaemonSet makes. */
export function podOf(workload: Manifest): Pod {
  return (workload['spec'] as { readonly template: { readonly spec: Pod } }).template.spec;
}

/** Of a workload or a patch of one; none of other kinds. */
export function containersOf(object: Manifest): readonly Container[] {
  return workloads.includes(object.kind) && 'template' in (object['spec'] as object) ? podOf(object).containers : [];
}
