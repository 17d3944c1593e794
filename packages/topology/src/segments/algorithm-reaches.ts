import type { Snapshot } from '../snapshot/snapshot.js';
import { IgpReach } from './igp-reach.js';

/** The reach of each algorithm, made when it is first asked for. */
export class AlgorithmReaches {
  readonly #snapshot: Snapshot;
  readonly #byAlgorithm = new Map<number, IgpReach>();

  /** `before`: those of the snapshot's predecessor, which lose what is taken over from them. */
  constructor(snapshot: Snapshot, before?: AlgorithmReaches) {
    this.#snapshot = snapshot;
    if (before === undefined) return;
    for (const [algorithm, reach] of before.#byAlgorithm) {
      this.#byAlgorithm.set(algorithm, new IgpReach(snapshot, algorithm, reach));
    }
  }

  of(algorithm: number): IgpReach {
    const known = this.#byAlgorithm.get(algorithm);
    if (known !== undefined) return known;
    const reach = new IgpReach(this.#snapshot, algorithm);
    this.#byAlgorithm.set(algorithm, reach);
    return reach;
  }
}
