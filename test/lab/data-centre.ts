import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ApiException,
  KubeConfig,
  KubernetesObjectApi,
  PatchStrategy,
  type KubernetesObject,
} from '@kubernetes/client-node';
import { customResourceDefinition, customResourceKinds, type Condition } from '@waymark/kubernetes-resources';
import { calicoDefinitions, startApiServer, type ApiServer } from '@waymark/kubernetes-stand-in';
import type { Family, Host, Pod } from './testbed.js';

const CALICO = 'crd.projectcalico.org/v1';
/** What Calico gives a node at a time: 64 addresses. */
const BLOCK_LENGTH = { ipv4: 26, ipv6: 122 } as const satisfies Record<Family, number>;

/** An object as the API server shows it. */
export interface Shown {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly generation?: number;
    readonly finalizers?: string[];
  };
  readonly status?: { readonly conditions?: readonly Condition[]; readonly podIPs?: readonly { ip: string }[] };
}

export interface Reference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  readonly [field: string]: unknown;
}

/** A cluster with Calico and with Waymark's kinds. Everything is said to its API server by requests, as kubectl does. */
export class DataCentre {
  readonly name: string;
  /** Router that its nodes are attached to. */
  readonly attachment: string;
  readonly server: ApiServer;
  readonly #api: KubernetesObjectApi;

  private constructor(name: string, attachment: string, server: ApiServer) {
    this.name = name;
    this.attachment = attachment;
    this.server = server;
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromString(server.kubeconfig);
    this.#api = KubernetesObjectApi.makeApiClient(kubeConfig);
  }

  static async start(name: string, attachment: string): Promise<DataCentre> {
    const definitions = [...calicoDefinitions, ...customResourceKinds.map(customResourceDefinition)];
    return new DataCentre(name, attachment, await startApiServer({ definitions }));
  }

  async create(object: Reference): Promise<void> {
    await this.#api.create(object);
  }

  /** Changes what is named of it (a JSON merge patch, RFC 7396). */
  async patch(object: Reference): Promise<void> {
    await this.#api.patch(object, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch);
  }

  /** Asks for it; finalizers may hold the object. */
  async delete(object: Reference): Promise<void> {
    await this.#api.delete(object);
  }

  /** undefined: there is none. */
  async find({ apiVersion, kind, metadata: { name, namespace } }: Reference): Promise<Shown | undefined> {
    try {
      const header = { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
      return await this.#api.read<KubernetesObject & Shown>(header);
    } catch (error) {
      if (error instanceof ApiException && error.code === 404) return undefined;
      throw error;
    }
  }

  /** As a kubelet registers itself, with the address that Calico chose. */
  async addNode({ id, address }: Host): Promise<void> {
    const status = {
      addresses: [{ type: 'InternalIP', address }],
      conditions: [{ type: 'Ready', status: 'True' }],
    };
    await this.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: id }, status });
  }

  /** The pools that Calico gives pods addresses from. */
  async addPools(cidrs: Readonly<Record<Family, string>>): Promise<void> {
    for (const family of ['ipv4', 'ipv6'] as const) {
      const spec = { cidr: cidrs[family], blockSize: BLOCK_LENGTH[family], allowedUses: ['Workload'] };
      await this.create({ apiVersion: CALICO, kind: 'IPPool', metadata: { name: `pods-${family}` }, spec });
    }
  }

  /** As Calico claims a block for a node, or gives it up. */
  async addBlock(node: string, cidr: string): Promise<void> {
    await this.create({ ...affinity(node, cidr), spec: { cidr, node, state: 'confirmed', deleted: 'false' } });
  }

  async addNamespace(name: string): Promise<void> {
    await this.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }

  /** As the pod runs on its host, with the addresses that Calico gave it. */
  async addPod(namespace: string, { id, host, address }: Pod): Promise<void> {
    const status = { phase: 'Running', podIPs: [{ ip: address.ipv4 }, { ip: address.ipv6 }] };
    const metadata = { name: id, namespace };
    await this.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName: host }, status });
  }

  /** `kubectl label namespace NAME waymark.dev/color=COLOR`; null takes the label away. */
  async colorNamespace(name: string, color: string | null): Promise<void> {
    // The client's types do not know what a merge patch takes away.
    const labels = { 'waymark.dev/color': color } as Record<string, string>;
    await this.patch({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  }

  async deleteBlock(node: string, cidr: string): Promise<void> {
    await this.delete(affinity(node, cidr));
  }
}

function affinity(node: string, cidr: string): Reference {
  const name = `${node}-${cidr.replaceAll(/[.:/]+/g, '-')}`;
  return { apiVersion: CALICO, kind: 'BlockAffinity', metadata: { name } };
}

/** The block that the pod's address is of. */
export function blockOf({ prefix }: Pod, family: Family): string {
  return prefix[family].replace(/\d+$/, String(BLOCK_LENGTH[family]));
}

/** Writes what WAYMARK_KUBERNETES names. The first data centre holds the objects. */
export async function writeKubernetesConfig(dataCentres: readonly DataCentre[], folder: string): Promise<string> {
  const clusters = [];
  for (const [index, { name, attachment, server }] of dataCentres.entries()) {
    const kubeconfig = join(folder, `${name}.kubeconfig`);
    await writeFile(kubeconfig, server.kubeconfig, { mode: 0o600 });
    const place = { site: name, attachedTo: [attachment], serviceClasses: true };
    clusters.push({ name, kubeconfig, ...place, ...(index === 0 && { resources: true }) });
  }
  const file = join(folder, 'kubernetes.json');
  await writeFile(file, JSON.stringify({ clusters }));
  return file;
}
