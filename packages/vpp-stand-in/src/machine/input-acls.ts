import { NONE, type Classifiers, type Verdict } from './classifiers.js';
import { VppCrash } from './crash.js';
import type { Interface, Interfaces } from './interfaces.js';

export const ACL_KINDS = ['ip4', 'ip6', 'l2'] as const;
export type AclKind = (typeof ACL_KINDS)[number];

type OfKinds<T> = Readonly<Record<AclKind, T>>;
const ARCS: OfKinds<string> = { ip4: 'ip4-unicast', ip6: 'ip6-unicast', l2: 'l2-input' };

/** Indices of classifier tables; NONE: no input ACL. */
export type AclTables = OfKinds<number>;

const NO_SUCH_TABLE = -65;
const ETHERNET_HEADER = 14;

/**
 * Which classifier table packets of an interface are held against. VPP writes it down by the interface's index and never
 * forgets it when the interface is deleted, whereas the feature that looks there goes with the interface: another with
 * the same index shows a table that no packet meets, and cannot be given one until that is taken off.
 */
export class InputAcls {
  readonly #interfaces: Interfaces;
  readonly #classifiers: Classifiers;
  readonly #tables: OfKinds<Map<number, number>> = { ip4: new Map(), ip6: new Map(), l2: new Map() };

  constructor(interfaces: Interfaces, classifiers: Classifiers) {
    this.#interfaces = interfaces;
    this.#classifiers = classifiers;
  }

  tablesOf(swIfIndex: number): AclTables {
    const of = (kind: AclKind): number => this.#tables[kind].get(swIfIndex) ?? NONE;
    return { ip4: of('ip4'), ip6: of('ip6'), l2: of('l2') };
  }

  /** Return code of input_acl_set_interface, for an interface that exists. What came before a refusal stays done. */
  set(swIfIndex: number, wanted: AclTables, isAdd: boolean): number {
    for (const kind of ACL_KINDS) {
      const index = wanted[kind];
      if (index === NONE) continue;
      if (this.#classifiers.find(index) === undefined) return NO_SUCH_TABLE;
      const present = this.tablesOf(swIfIndex)[kind];
      if (!isAdd && present !== index) return NO_SUCH_TABLE;
      // Says that all is well, whichever table is there, and leaves out the kinds that follow.
      if (isAdd && present !== NONE) return 0;
      const arcs = this.#interfaces.get(swIfIndex)?.inputAclArcs;
      if (isAdd) {
        this.#tables[kind].set(swIfIndex, index);
        arcs?.add(ARCS[kind]);
      } else {
        this.#tables[kind].delete(swIfIndex);
        arcs?.delete(ARCS[kind]);
      }
    }
    return 0;
  }

  /** What becomes of a packet to a unicast address that comes in, from its IP header on. */
  verdict({ swIfIndex, inputAclArcs, mac }: Interface, packet: Buffer): Verdict {
    const kind = (packet[0] ?? 0) >> 4 === 4 ? 'ip4' : 'ip6';
    if (!inputAclArcs.has(ARCS[kind])) return { kind: 'accept', lookup: undefined };
    return this.#classifiers.verdict(this.tablesOf(swIfIndex)[kind], packet, mac === undefined ? 0 : ETHERNET_HEADER);
  }

  /** To be asked after each change of tables: the real VPP dies with the next packet. */
  dieOfMissingTables(): void {
    for (const { swIfIndex, inputAclArcs } of this.#interfaces.all()) {
      for (const kind of ACL_KINDS) {
        if (!inputAclArcs.has(ARCS[kind])) continue;
        const met = this.#classifiers.chain(this.tablesOf(swIfIndex)[kind]);
        if (met.some((index) => this.#classifiers.find(index) === undefined)) {
          throw new VppCrash('classifier-vanished-under-its-interface');
        }
      }
    }
  }
}
