import type { Snapshot } from '../snapshot/snapshot.js';
import { IgpReach } from './igp-reach.js';

/** The reach of each algorithm, made when it is first asked for. */
export class AlgorithmReaches {
  readonly #snapshot: Snapshot;
  readonly #byAlgorithm = new Map<number, IgpReach>();

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  of(algorithm: number): IgpReach {
    const known = this.#byAlgorithm.get(algorithm);
    if (known !== undefined) return known;
    const reach = new IgpReach(this.#snapshot, algorithm);
    this.#byAlgorithm.set(algorithm, reach);
    return reach;
  }
}
