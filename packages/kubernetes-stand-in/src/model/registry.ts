import { apiVersionOf, collectionOf, type ResourceType } from './resource-type.js';

/** The resources that are served now. */
export class Registry {
  readonly #types = new Map<string, ResourceType>();

  constructor(types: readonly ResourceType[]) {
    for (const type of types) this.add(type);
  }

  add(type: ResourceType): void {
    this.#types.set(`${apiVersionOf(type)}/${type.plural}`, type);
  }

  /** Takes away all versions of a resource. */
  remove(collection: string): void {
    for (const [key, type] of this.#types) if (collectionOf(type) === collection) this.#types.delete(key);
  }

  find(apiVersion: string, plural: string): ResourceType | undefined {
    return this.#types.get(`${apiVersion}/${plural}`);
  }

  findKind(apiVersion: string, kind: string): ResourceType | undefined {
    return this.all().find((type) => apiVersionOf(type) === apiVersion && type.kind === kind);
  }

  all(): readonly ResourceType[] {
    return [...this.#types.values()];
  }
}
