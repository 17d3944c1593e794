import { arcsFrom } from './wiring.js';
import type { Namespaces } from './namespaces.js';
import type { Arc, Testbed } from './testbed.js';

/** What can happen to the wires of the testbed. Nobody is told: whoever wants to know must notice. */
export class Wires {
  readonly #namespaces: Namespaces;
  readonly #testbed: Testbed;

  constructor(namespaces: Namespaces, testbed: Testbed) {
    this.#namespaces = namespaces;
    this.#testbed = testbed;
  }

  /** Both directions of a wire. */
  wire(linkId: string): readonly string[] {
    return [linkId, this.#arc(linkId).reverseId];
  }

  /** Both directions of every wire of a node. */
  wiresOf(node: string): readonly string[] {
    return arcsFrom(this.#testbed, node).flatMap(({ id, reverseId }) => [id, reverseId]);
  }

  /** The ends that these arcs leave lose their carrier, as when a cable is pulled or a neighbor loses power. */
  async cut(arcs: readonly string[]): Promise<void> {
    await this.#setInterfaces(arcs, 'down');
  }

  async mend(arcs: readonly string[]): Promise<void> {
    await this.#setInterfaces(arcs, 'up');
  }

  /**
   * Packets that leave over these arcs are lost before they arrive, hellos included, and every carrier stays up: a broken
   * switch or transponder in the middle.
   */
  async silence(arcs: readonly string[]): Promise<void> {
    await this.#onArrival(
      arcs,
      ({ from }) =>
        `table netdev ${tableOf(from)} {\n` +
        `chain lost {\ntype filter hook ingress device "to-${from}" priority -500; policy drop;\n}\n}\n`,
    );
  }

  async restore(arcs: readonly string[]): Promise<void> {
    await this.#onArrival(arcs, ({ from }) => `delete table netdev ${tableOf(from)}\n`);
  }

  /** Of these arcs, those whose two ends both have a carrier. */
  async withCarrier(arcs: readonly string[]): Promise<readonly string[]> {
    const up = await Promise.all(
      arcs.map(async (id) => {
        const { from, to } = this.#arc(id);
        return (await this.#hasCarrier(from, to)) && (await this.#hasCarrier(to, from));
      }),
    );
    return arcs.filter((_, index) => up[index]);
  }

  async #hasCarrier(node: string, neighbor: string): Promise<boolean> {
    const listed = await this.#namespaces.run(node, ['ip', '-j', 'link', 'show', `to-${neighbor}`]);
    const [link] = JSON.parse(listed) as readonly { readonly operstate: string }[];
    return link?.operstate === 'UP';
  }

  #arc(linkId: string): Arc {
    const arc = this.#testbed.arcs.find(({ id }) => id === linkId);
    if (arc === undefined) throw new Error(`no link ${linkId} in the testbed`);
    return arc;
  }

  async #setInterfaces(arcs: readonly string[], state: 'up' | 'down'): Promise<void> {
    await Promise.all(
      arcs
        .map((id) => this.#arc(id))
        .map(({ from, interfaceName }) => this.#namespaces.ip(from, [`link set ${interfaceName} ${state}`])),
    );
  }

  async #onArrival(arcs: readonly string[], ruleset: (arc: Arc) => string): Promise<void> {
    await Promise.all(
      arcs.map((id) => this.#arc(id)).map((arc) => this.#namespaces.run(arc.to, ['nft', '-f', '-'], ruleset(arc))),
    );
  }
}

function tableOf(from: string): string {
  return `silent_${from}`;
}
