import { nodeChannel, sealDelta, type Bus, type Signer } from '@waymark/agent-protocol';
import type { NodeId } from '@waymark/topology';
import type { PendingDelta } from './desired-store.js';

/** Deltas handed to the bus at the same time. */
const IN_FLIGHT = 256;

/**
 * Publishes what a committed transaction wrote. Nothing depends on its success: an agent that misses a delta learns so
 * from its next digest. `onPublished` names the headends afterwards, for those agents that no bus reaches.
 */
export class Publisher {
  readonly #instance: string;
  readonly #bus: Bus;
  readonly #signer: Signer;
  readonly #onPublished: (headends: readonly { readonly headend: NodeId; readonly delivered: boolean }[]) => void;

  constructor(options: {
    instance: string;
    bus: Bus;
    signer: Signer;
    onPublished: (headends: readonly { readonly headend: NodeId; readonly delivered: boolean }[]) => void;
  }) {
    this.#instance = options.instance;
    this.#bus = options.bus;
    this.#signer = options.signer;
    this.#onPublished = options.onPublished;
  }

  /** Only after COMMIT, and the deltas of one headend in the order of their generations. Never rejects. */
  async publish(deltas: readonly PendingDelta[]): Promise<void> {
    for (let start = 0; start < deltas.length; start += IN_FLIGHT) {
      const some = deltas.slice(start, start + IN_FLIGHT);
      const results = await Promise.all(
        some.map(async (delta) => ({
          headend: delta.headend,
          delivered: await this.#bus.publish(nodeChannel(this.#instance, delta.headend), this.#seal(delta)),
        })),
      );
      this.#onPublished(results);
    }
  }

  #seal(delta: PendingDelta): Uint8Array {
    const { headend, epoch, generation, previousGeneration, stateHash, changes, bsidBlock } = delta;
    // A generation without changes was raised above what the agent reported: only a snapshot says what it holds.
    const hint = changes.length === 0;
    return sealDelta(
      {
        instance: this.#instance,
        nodeId: headend,
        epoch,
        generation,
        previousGeneration,
        stateHash,
        hint,
        changes: [...changes],
        bsidBlock,
      },
      this.#signer,
    );
  }
}
