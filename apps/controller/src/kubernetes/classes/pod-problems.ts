import type { ClusterProblem } from '../../model/kubernetes.js';

interface Told {
  readonly object: string;
  readonly message: string;
  count: number;
}

/** What is wrong with the labels of a cluster. A Deployment makes many pods alike, which are told once. */
export class PodProblems {
  readonly #told = new Map<string, Told>();

  tellNamespace(name: string, message: string): void {
    this.#tell(message, `Namespace ${name}`, message);
  }

  /** Those that are gone and not believed to be. */
  tellLost(names: readonly string[]): void {
    const message =
      'it is gone together with most others whose pods have service classes, which is not believed yet: they keep them';
    for (const name of names) this.#tell(`lost ${name}`, `Namespace ${name}`, message);
  }

  tellPod(namespace: string, name: string, message: string): void {
    this.#tell(`${namespace} ${message}`, `Pod ${namespace}/${name}`, message);
  }

  tellNode(node: string, namespace: string, pod: string): void {
    this.#tell(
      `node ${node}`,
      `Node ${node}`,
      `it is no host of this cluster, so pod ${namespace}/${pod} is in no service class`,
    );
  }

  all(): ClusterProblem[] {
    return [...this.#told.values()].map(({ object, message, count }) => ({
      object,
      message: count === 1 ? message : `${message} (and ${count - 1} more like it)`,
    }));
  }

  #tell(key: string, object: string, message: string): void {
    const known = this.#told.get(key);
    if (known === undefined) this.#told.set(key, { object, message, count: 1 });
    else known.count += 1;
  }
}
