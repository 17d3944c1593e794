import { CRD_CLEANUP, CRD_GROUP, typesOf, type CustomResourceDefinition } from '../crd/crd.js';
import type { KubeObject } from '../model/kube-object.js';
import type { Registry } from '../model/registry.js';
import { collectionOf } from '../model/resource-type.js';
import { timestamp } from './metadata.js';
import type { Objects } from './objects.js';
import type { Store } from './store.js';

const CRDS = `customresourcedefinitions.${CRD_GROUP}`;
/** A new definition is served a moment after it was written, as on a real server: who does not wait is refused. */
const ESTABLISHED_AFTER_MS = 20;

/** What a cluster does by itself: serves what definitions define, empties what is being deleted. */
export class Housekeeping {
  readonly #store: Store;
  readonly #registry: Registry;
  readonly #objects: Objects;
  #scheduled = false;

  constructor(store: Store, registry: Registry, objects: Objects) {
    this.#store = store;
    this.#registry = registry;
    this.#objects = objects;
    store.collection(CRDS).listen(({ type, object, previous }) => {
      const definition = object as CustomResourceDefinition;
      if (type === 'DELETED') this.#registry.remove(object.metadata.name);
      else if (type === 'ADDED') setTimeout(() => this.#establish(object.metadata.name), ESTABLISHED_AFTER_MS).unref();
      else if (isEstablished(object) && previous?.['spec'] !== object['spec']) this.#serve(definition);
    });
    store.onChange(({ type, object }) => {
      if (type === 'DELETED' || object.metadata.deletionTimestamp !== undefined) this.#schedule();
    });
  }

  /** Serves at once what waits for its moment. */
  establishAll(): void {
    for (const { metadata } of this.#store.collection(CRDS).all()) this.#establish(metadata.name);
  }

  #establish(name: string): void {
    const found = this.#store.get(CRDS, undefined, name) as CustomResourceDefinition | undefined;
    if (found === undefined || isEstablished(found)) return;
    this.#serve(found);
    const condition = (type: string, reason: string, message: string): object => ({
      ...{ type, status: 'True', lastTransitionTime: timestamp(), reason, message },
    });
    const { names, versions } = found.spec;
    const conditions = [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ];
    const storedVersions = versions.filter(({ storage }) => storage).map((version) => version.name);
    this.#store.put(CRDS, { ...found, status: { conditions, acceptedNames: names, storedVersions } });
  }

  #serve(definition: CustomResourceDefinition): void {
    this.#registry.remove(definition.metadata.name);
    for (const type of typesOf(definition)) this.#registry.add(type);
    this.#store.collection(definition.metadata.name);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#emptyNamespaces();
      this.#emptyDefinitions();
    });
  }

  #emptyNamespaces(): void {
    for (const namespace of this.#store.collection('namespaces').all()) {
      if (namespace.metadata.deletionTimestamp === undefined) continue;
      const held = this.#deleteAll((object) => object.metadata.namespace === namespace.metadata.name);
      if (!held) this.#store.delete('namespaces', namespace);
    }
  }

  #emptyDefinitions(): void {
    for (const definition of this.#store.collection(CRDS).all()) {
      const { deletionTimestamp, finalizers = [], name } = definition.metadata;
      if (deletionTimestamp === undefined || !finalizers.includes(CRD_CLEANUP)) continue;
      if (this.#deleteAll((_, collection) => collection === name)) continue;
      const others = finalizers.filter((finalizer) => finalizer !== CRD_CLEANUP);
      if (others.length === 0) this.#store.delete(CRDS, definition);
      else this.#store.put(CRDS, { ...definition, metadata: { ...definition.metadata, finalizers: others } });
    }
  }

  /** @returns whether something is left, held by its finalizers */
  #deleteAll(goes: (object: KubeObject, collection: string) => boolean): boolean {
    let held = false;
    const done = new Set<string>();
    for (const type of this.#registry.all()) {
      const collection = collectionOf(type);
      if (done.has(collection)) continue;
      done.add(collection);
      for (const object of this.#store.collection(collection).all()) {
        if (goes(object, collection)) held = !this.#objects.delete(type, object, { dryRun: false }).gone || held;
      }
    }
    return held;
  }
}

function isEstablished(object: KubeObject): boolean {
  const { conditions = [] } = (object['status'] ?? {}) as {
    readonly conditions?: readonly { type: string; status: string }[];
  };
  return conditions.some(({ type, status }) => type === 'Established' && status === 'True');
}
