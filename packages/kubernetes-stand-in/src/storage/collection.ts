import type { KubeObject } from '../model/kube-object.js';

/** One change of one object. A deleted object is shown as it was last, with the resourceVersion of its deletion. */
export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly revision: number;
  readonly object: KubeObject;
  readonly previous: KubeObject | undefined;
}

export type ChangeListener = (change: Change) => void;

/** Key in the collection; keys order as in the store of a real API server. */
export function keyOf(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** The objects of one resource, and its newest changes. */
export class Collection {
  readonly #objects = new Map<string, KubeObject>();
  readonly #listeners = new Set<ChangeListener>();
  #sorted: readonly KubeObject[] | undefined;
  #changes: Change[] = [];
  #forgotten: number;
  readonly #window: number;

  /**
   * @param window how many changes are kept for watches that resume
   * @param since the revision at which it began: nothing can resume from before
   */
  constructor(window: number, since: number) {
    this.#window = window;
    this.#forgotten = since;
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Every change up to this revision is forgotten. */
  get forgotten(): number {
    return this.#forgotten;
  }

  get(key: string): KubeObject | undefined {
    return this.#objects.get(key);
  }

  /** All objects in the order of their keys. */
  all(): readonly KubeObject[] {
    // Sorted when asked, not at every insertion: many objects are often made between two lists.
    this.#sorted ??= [...this.#objects.keys()].sort().flatMap((key) => this.#objects.get(key) ?? []);
    return this.#sorted;
  }

  apply(key: string, change: Change): void {
    if (change.type === 'DELETED') this.#objects.delete(key);
    else this.#objects.set(key, change.object);
    this.#sorted = undefined;
    this.#changes.push(change);
    // Twice the window before it is cut: each change is moved once at most.
    if (this.#changes.length > 2 * this.#window) this.#forget(this.#changes.length - this.#window);
    for (const listener of this.#listeners) listener(change);
  }

  /** Changes after `revision`, oldest first. The caller asks for no revision that is forgotten. */
  changesAfter(revision: number): readonly Change[] {
    let low = 0;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#changes[middle]?.revision ?? Infinity) > revision) high = middle;
      else low = middle + 1;
    }
    return this.#changes.slice(low);
  }

  /** The objects as they were at `revision`, in the order of their keys. */
  at(revision: number): readonly KubeObject[] {
    const later = this.changesAfter(revision);
    if (later.length === 0) return this.all();
    const then = new Map(this.#objects);
    for (const { previous, object } of [...later].reverse()) {
      const key = keyOf(object.metadata.namespace, object.metadata.name);
      if (previous === undefined) then.delete(key);
      else then.set(key, previous);
    }
    return [...then.keys()].sort().flatMap((key) => then.get(key) ?? []);
  }

  compact(revision: number): void {
    this.#changes = [];
    this.#forgotten = revision;
  }

  listen(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #forget(count: number): void {
    this.#forgotten = this.#changes[count - 1]?.revision ?? this.#forgotten;
    this.#changes = this.#changes.slice(count);
  }
}
