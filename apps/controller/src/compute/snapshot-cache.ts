import type { Snapshot, Ted } from '@waymark/topology';
import type { TopologyService } from '../model/ports.js';
import { LeastRecentlyUsed } from './least-recently-used.js';
import { snapshotOf } from './snapshot-of.js';

const keptPastRevisions = 4;

/** Snapshots of the TED: one of the newest revision, and the last few of the past that somebody asked for. */
export class SnapshotCache {
  readonly #topology: Pick<TopologyService, 'ted'>;
  readonly #past = new LeastRecentlyUsed<number, Promise<Snapshot>>(keptPastRevisions);

  constructor(topology: Pick<TopologyService, 'ted'>) {
    this.#topology = topology;
  }

  /** Of the newest revision. */
  async newest(): Promise<Snapshot> {
    return this.of(await this.#topology.ted());
  }

  /** Of a TED that the topology service returned, made once per TED object. */
  of(ted: Ted): Snapshot {
    return snapshotOf(ted);
  }

  /** Of a revision of the past. Throws the topology service's Problem when it is not kept any more. */
  at(revision: number): Promise<Snapshot> {
    return this.#past.get(revision, () => {
      const snapshot = this.#topology.ted(revision).then((ted) => this.of(ted));
      snapshot.catch(() => this.#past.delete(revision));
      return snapshot;
    });
  }
}
