import type { NewObject } from '../api-server.js';
import { without, type KubeObject } from '../model/kube-object.js';
import { RealNamespaces } from './real-namespaces.js';
import type { Upstream } from './upstream.js';

interface Resource {
  /** Such as `/api/v1`. */
  readonly root: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly hasStatus: boolean;
}

interface ResourceList {
  readonly resources: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

interface ObjectList {
  readonly items: readonly KubeObject[];
}

const MERGE_PATCH = 'application/merge-patch+json';

/** The objects that a test makes in a real API server. They carry its label, and go when it ends. */
export class RealObjects {
  readonly #upstream: Upstream;
  readonly #namespaces: RealNamespaces;
  readonly #label: string;
  readonly #id: string;
  readonly #resources = new Map<string, Promise<Resource>>();
  readonly #made = new Set<Resource>();
  readonly #uids = new Set<string>();

  constructor(upstream: Upstream, label: string, id: string) {
    this.#upstream = upstream;
    this.#namespaces = new RealNamespaces(upstream);
    this.#label = label;
    this.#id = id;
  }

  async create(body: NewObject): Promise<KubeObject> {
    const resource = await this.#resourceOf(body.apiVersion, body.kind);
    const { name = '', namespace = 'default' } = body.metadata ?? {};
    const path = pathOf(resource, namespace);
    this.#made.add(resource);
    const made = (await this.#upstream.must('POST', path, this.#labelled(body))) as KubeObject;
    this.#uids.add(made.metadata.uid);
    if (body.kind === 'Namespace') await this.#namespaces.furnish(name);
    if (body['status'] === undefined || !resource.hasStatus) return this.#asMade(made);
    const patch = { status: body['status'] };
    return this.#asMade(await this.#upstream.must('PATCH', `${path}/${name}/status`, patch, MERGE_PATCH));
  }

  async replace(body: NewObject): Promise<KubeObject> {
    const path = await this.#pathTo(body.apiVersion, body.kind, body.metadata?.name, body.metadata?.namespace);
    for (;;) {
      const { metadata, spec } = (await this.#upstream.must('GET', path)) as KubeObject;
      // The server has filled in the spec of a pod, and lets nobody change it.
      const fixed = body.kind === 'Pod' ? { spec } : {};
      const object = this.#labelled({ ...body, ...fixed }, { resourceVersion: metadata.resourceVersion });
      const { code, body: answer } = await this.#upstream.call('PUT', path, object);
      if (code === 200) return this.#asMade(answer);
      // Somebody else was faster.
      if (code !== 409) throw new Error(`PUT ${path}: ${code}: ${JSON.stringify(answer)}`);
    }
  }

  async delete(apiVersion: string, kind: string, name: string, namespace?: string): Promise<boolean> {
    const path = await this.#pathTo(apiVersion, kind, name, namespace);
    const answer = (await this.#upstream.must('DELETE', path, { gracePeriodSeconds: 0 })) as KubeObject;
    return answer.kind === 'Status' || (answer.metadata.finalizers ?? []).length === 0;
  }

  async find(apiVersion: string, kind: string, name: string, namespace?: string): Promise<KubeObject | undefined> {
    const path = await this.#pathTo(apiVersion, kind, name, namespace);
    const { code, body } = await this.#upstream.call('GET', path);
    if (code === 404) return undefined;
    if (code !== 200) throw new Error(`GET ${path}: ${code}: ${JSON.stringify(body)}`);
    return this.#asMade(body);
  }

  async list(apiVersion: string, kind: string): Promise<readonly KubeObject[]> {
    const items = await this.#items(pathOf(await this.#resourceOf(apiVersion, kind)));
    const isOurs = (object: KubeObject): boolean =>
      object.metadata.labels?.[this.#label] === this.#id || this.#uids.has(subjectOf(object));
    return items.filter(isOurs).map((item) => this.#asMade({ ...item, apiVersion, kind }));
  }

  /** Deletes everything that was made, whatever holds it. */
  async clear(): Promise<void> {
    const selector = new URLSearchParams({ labelSelector: `${this.#label}=${this.#id}` }).toString();
    const inNamespacesFirst = [...this.#made].sort((a, b) => Number(b.namespaced) - Number(a.namespaced));
    for (const resource of inNamespacesFirst) {
      const items = await this.#items(`${pathOf(resource)}?${selector}`);
      if (resource.plural === 'namespaces') {
        for (const { metadata } of items) await this.#namespaces.remove(metadata.name);
        continue;
      }
      for (const path of new Set(items.map(({ metadata }) => pathOf(resource, metadata.namespace)))) {
        await this.#upstream.must('DELETE', `${path}?${selector}`, { gracePeriodSeconds: 0 });
      }
      for (const { metadata } of items) {
        if (metadata.finalizers === undefined) continue;
        const path = `${pathOf(resource, metadata.namespace)}/${metadata.name}`;
        await this.#upstream.call('PATCH', path, { metadata: { finalizers: null } }, MERGE_PATCH);
      }
    }
    for (const event of await this.#items('/api/v1/events')) {
      const { namespace = '', name } = event.metadata;
      if (!this.#uids.has(subjectOf(event))) continue;
      await this.#upstream.call('DELETE', `/api/v1/namespaces/${namespace}/events/${name}`);
    }
  }

  async #items(path: string): Promise<readonly KubeObject[]> {
    return ((await this.#upstream.must('GET', path)) as ObjectList).items;
  }

  #labelled(body: NewObject, metadata: object = {}): object {
    const labels = { ...body.metadata?.labels, [this.#label]: this.#id };
    return { ...body, metadata: { ...body.metadata, labels, ...metadata } };
  }

  /** As the test made it: without the label. */
  #asMade(answer: unknown): KubeObject {
    const { metadata, ...object } = answer as KubeObject;
    const { labels: all = {}, ...rest } = metadata;
    const labels = without(all, this.#label);
    return { ...object, metadata: { ...rest, ...(Object.keys(labels).length === 0 ? {} : { labels }) } };
  }

  async #pathTo(apiVersion: string, kind: string, name = '', namespace = 'default'): Promise<string> {
    return `${pathOf(await this.#resourceOf(apiVersion, kind), namespace)}/${name}`;
  }

  #resourceOf(apiVersion: string, kind: string): Promise<Resource> {
    const key = `${apiVersion} ${kind}`;
    const resource = this.#resources.get(key) ?? this.#discover(apiVersion, kind);
    this.#resources.set(key, resource);
    return resource;
  }

  async #discover(apiVersion: string, kind: string): Promise<Resource> {
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const { resources } = (await this.#upstream.must('GET', root)) as ResourceList;
    const found = resources.find((one) => one.kind === kind && !one.name.includes('/'));
    if (found === undefined) throw new RangeError(`${apiVersion} ${kind} is not served`);
    const { name: plural, namespaced } = found;
    return { root, plural, namespaced, hasStatus: resources.some(({ name }) => name === `${plural}/status`) };
  }
}

/** Of a collection: that of one namespace, or without one of all. */
function pathOf({ root, plural, namespaced }: Resource, namespace?: string): string {
  return namespaced && namespace !== undefined ? `${root}/namespaces/${namespace}/${plural}` : `${root}/${plural}`;
}

/** The uid of the object that an event is about. */
function subjectOf(event: KubeObject): string {
  return ((event['involvedObject'] ?? {}) as { readonly uid?: string }).uid ?? '';
}
