import type { KubeObject } from '../model/kube-object.js';
import { Collection, keyOf, type ChangeListener } from './collection.js';

/** All objects of the server, under one counter of resourceVersions. */
export class Store {
  readonly #collections = new Map<string, Collection>();
  readonly #window: number;
  readonly #listeners = new Set<ChangeListener>();
  #revision = 1;
  #compacted = 0;

  /** @param window how many changes of each resource are kept for watches that resume */
  constructor(window: number) {
    this.#window = window;
  }

  /** The newest resourceVersion. */
  get revision(): number {
    return this.#revision;
  }

  /** The oldest resourceVersion that a watch may start from is this one. */
  oldestFor(collection: string): number {
    return Math.max(this.#compacted, this.collection(collection).forgotten);
  }

  collection(name: string): Collection {
    let found = this.#collections.get(name);
    if (found === undefined) {
      found = new Collection(this.#window, this.#revision);
      this.#collections.set(name, found);
      found.listen((change) => {
        for (const listener of this.#listeners) listener(change);
      });
    }
    return found;
  }

  get(collection: string, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.collection(collection).get(keyOf(namespace, name));
  }

  /** Hears the changes of all collections. */
  onChange(listener: ChangeListener): void {
    this.#listeners.add(listener);
  }

  /** Creates or replaces. @returns the object with its new resourceVersion */
  put(collection: string, object: KubeObject): KubeObject {
    const key = keyOf(object.metadata.namespace, object.metadata.name);
    const objects = this.collection(collection);
    const previous = objects.get(key);
    const kept = this.#next(object);
    const type = previous === undefined ? 'ADDED' : 'MODIFIED';
    objects.apply(key, { type, revision: this.#revision, object: kept, previous });
    return kept;
  }

  /** @returns the object as it was, with the resourceVersion of its deletion */
  delete(collection: string, object: KubeObject): KubeObject {
    const key = keyOf(object.metadata.namespace, object.metadata.name);
    const objects = this.collection(collection);
    const gone = this.#next(object);
    objects.apply(key, { type: 'DELETED', revision: this.#revision, object: gone, previous: objects.get(key) });
    return gone;
  }

  /** Forgets all past changes: who wants to resume from before must list again. */
  compact(): void {
    this.#compacted = this.#revision;
    for (const collection of this.#collections.values()) collection.compact(this.#revision);
  }

  #next(object: KubeObject): KubeObject {
    this.#revision += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#revision) } };
  }
}
