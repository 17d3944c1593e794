import { KubernetesError, type ApiClient } from '../api-client.js';
import { WatchedList, type WatchedListOptions, type WatchTiming } from '../watched-list.js';
import { classLabel } from './class-label.js';
import { classNamespace, classPod, type ClassNamespace, type ClassPod } from './class-objects.js';

export interface FollowedLabelsOptions {
  readonly client: ApiClient;
  readonly onChange: () => void;
  readonly timing?: Partial<WatchTiming>;
}

/** What a cluster says of service classes. */
export interface LabelsSeen {
  /** All that there are. */
  readonly namespaces: readonly ClassNamespace[];
  /** With the label, or in a namespace with it; each once. */
  readonly pods: readonly ClassPod[];
  /** Namespaces with a color whose pods are not known yet. */
  readonly unlisted: ReadonlySet<string>;
}

const podsPath = '/api/v1/pods';

/**
 * Namespaces and pods of one cluster that the label concerns. All pods of a cluster are never followed, for there may be
 * hundreds of thousands:
 *
 *   namespaces ─► of each with a color, its pods ─┐
 *   pods with the label, of all namespaces ───────┴─► pods that may have a class
 */
export class FollowedLabels {
  readonly #options: FollowedLabelsOptions;
  readonly #troubles = new Map<string, string>();
  readonly #namespaces: WatchedList<ClassNamespace>;
  readonly #labelledPods: WatchedList<ClassPod>;
  readonly #podsOf = new Map<string, WatchedList<ClassPod>>();
  readonly #ending = new Set<Promise<void>>();

  constructor(options: FollowedLabelsOptions) {
    this.#options = options;
    this.#namespaces = this.#watched('/api/v1/namespaces', { parts: classNamespace }, () => {
      this.#followNamespaces();
    });
    this.#labelledPods = this.#watched(podsPath, { parts: classPod, label: classLabel });
  }

  /** Why they may be out of date; null: nothing is wrong. */
  get trouble(): string | null {
    const [first = null] = this.#troubles.values();
    return first;
  }

  get isListed(): boolean {
    return this.#namespaces.objects !== undefined && this.#labelledPods.objects !== undefined;
  }

  /** undefined until namespaces and labelled pods were listed for the first time. */
  seen(): LabelsSeen | undefined {
    const namespaces = this.#namespaces.objects;
    const labelled = this.#labelledPods.objects;
    if (namespaces === undefined || labelled === undefined) return undefined;
    const pods = new Map<string, ClassPod>();
    const unlisted = new Set<string>();
    const add = (pod: ClassPod): void => {
      const key = `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`;
      const known = pods.get(key);
      if (known === undefined || isNewer(pod, known)) pods.set(key, pod);
    };
    for (const [namespace, list] of this.#podsOf) {
      if (list.objects === undefined) unlisted.add(namespace);
      for (const pod of list.objects ?? []) add(pod);
    }
    for (const pod of labelled) add(pod);
    return { namespaces: [...namespaces], pods: [...pods.values()], unlisted };
  }

  start(): void {
    this.#namespaces.start();
    this.#labelledPods.start();
  }

  async stop(): Promise<void> {
    await this.#namespaces.stop();
    await Promise.all([this.#labelledPods, ...this.#podsOf.values()].map((list) => list.stop()));
    await Promise.all(this.#ending);
  }

  #followNamespaces(): void {
    const namespaces = [...(this.#namespaces.objects ?? [])];
    const wanted = new Set(
      namespaces.filter(({ labelled }) => labelled.kind === 'color').map(({ metadata }) => metadata.name),
    );
    for (const [namespace, list] of this.#podsOf) {
      if (wanted.has(namespace)) continue;
      this.#podsOf.delete(namespace);
      this.#end(namespace, list);
    }
    for (const namespace of wanted) {
      if (this.#podsOf.has(namespace)) continue;
      const list = this.#watched(podsIn(namespace), { parts: classPod });
      this.#podsOf.set(namespace, list);
      list.start();
    }
  }

  #end(namespace: string, list: WatchedList<ClassPod>): void {
    this.#troubles.delete(podsIn(namespace));
    const ended = list.stop().finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  #watched<Held>(
    path: string,
    options: Required<Pick<WatchedListOptions<Held>, 'parts'>> & Pick<WatchedListOptions<Held>, 'label'>,
    before: () => void = () => undefined,
  ): WatchedList<Held> {
    const { client, onChange, timing } = this.#options;
    return new WatchedList({
      client,
      path,
      ...options,
      onChange: () => {
        before();
        onChange();
      },
      onTrouble: (trouble: KubernetesError | null) => {
        if (trouble === null) this.#troubles.delete(path);
        else this.#troubles.set(path, trouble.message);
      },
      ...(timing === undefined ? {} : { timing }),
    });
  }
}

function podsIn(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/pods`;
}

/** The same pod may be in two lists, one of which is behind. Versions of one resource are compared as numbers (KEP-5504). */
function isNewer({ metadata }: ClassPod, than: ClassPod): boolean {
  const [own, other] = [Number(metadata.resourceVersion), Number(than.metadata.resourceVersion)];
  return Number.isNaN(own) || Number.isNaN(other) || own >= other;
}
