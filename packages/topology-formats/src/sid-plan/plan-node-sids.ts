import {
  formatIpv6,
  parseIpv6,
  parsePrefix,
  type Locator,
  type Sid,
  type SidFlavor,
  type SidStructure,
  type TedNode,
} from '@waymark/topology';
import { sameStructure } from '../native/implied-values.js';
import { TopologyFormatError } from '../topology-format-error.js';
import type { DocumentNode, SidPlan } from '../topology-document.js';
import { partsTouched, rangeOf, type SortedRanges } from '../address-ranges.js';
import { localShare } from './locator-planner.js';
import type { MissingSid } from './missing-sids.js';
import { NumberPool, type Interval } from './number-pool.js';

interface NodeToPlan {
  readonly node: DocumentNode;
  readonly locator: Locator;
  readonly missing: readonly MissingSid[];
  /** The node as it was before; its planned SIDs keep their values. */
  readonly before: TedNode | undefined;
  readonly inUse: {
    /** By the document. */
    readonly declared: SortedRanges;
    /** By the document or the TED before. */
    readonly known: SortedRanges;
  };
  readonly plan: SidPlan;
}

/** The missing SIDs of one node, in its locator. Throws TopologyFormatError when its functions are used up. */
export function planNodeSids(task: NodeToPlan): Sid[] {
  const functions = new FunctionPool(task);
  const kept = new KeptSids(task);
  return task.missing.map(({ behavior, linkId }) => {
    const isService = behavior !== 'End' && behavior !== 'End.X';
    const flavors = isService ? [] : [...task.plan.flavors].sort();
    const nextCSid = flavors.includes('NEXT-C-SID');
    const structure = structureIn(task.locator, { nextCSid, hasFunction: !(nextCSid && behavior === 'End') });
    const planned: Omit<Sid, 'sid'> = {
      behavior,
      flavors,
      algorithm: 0,
      protected: false,
      linkId,
      structure,
      origin: 'planned',
    };
    return {
      sid: kept.find(planned) ?? (structure.functionBits === 0 ? functions.bare() : functions.next()),
      ...planned,
    };
  });
}

/**
 * RFC 9800 section 4.1: a NEXT-C-SID has the rest of the address as its argument, and an End SID has no function, so
 * that the next C-SID follows the node's number at once.
 */
function structureIn(
  locator: Locator,
  kind: { readonly nextCSid: boolean; readonly hasFunction: boolean },
): SidStructure {
  const { blockBits, nodeBits } = locator.structure;
  const functionBits = kind.hasFunction ? locator.structure.functionBits : 0;
  const argumentBits = kind.nextCSid ? 128 - blockBits - nodeBits - functionBits : 0;
  return { blockBits, nodeBits, functionBits, argumentBits };
}

/** The SIDs planned before in this locator whose addresses the file does not use for something else, by purpose. */
class KeptSids {
  readonly #byPurpose = new Map<string, Sid[]>();

  constructor({ before, locator, inUse }: NodeToPlan) {
    const range = rangeOf(parsePrefix(locator.prefix));
    for (const sid of before?.sids ?? []) {
      if (sid.origin !== 'planned' || sid.algorithm !== 0) continue;
      const address = parseIpv6(sid.sid);
      if (address < range.first || address > range.last) continue;
      if (inUse.declared.beginningIn({ first: address, last: address }).length > 0) continue;
      const others = this.#byPurpose.get(purposeOf(sid));
      if (others === undefined) this.#byPurpose.set(purposeOf(sid), [sid]);
      else others.push(sid);
    }
  }

  /** The one for the same purpose, and of the same make. */
  find(planned: Omit<Sid, 'sid'>): string | undefined {
    return this.#byPurpose
      .get(purposeOf(planned))
      ?.find(
        ({ flavors, structure }) =>
          flavors.length === planned.flavors.length &&
          flavors.every((flavor: SidFlavor) => planned.flavors.includes(flavor)) &&
          sameStructure(structure, planned.structure),
      )?.sid;
  }
}

function purposeOf({ behavior, linkId }: Pick<Sid, 'behavior' | 'linkId'>): string {
  return `${behavior} ${linkId ?? ''}`;
}

/** A declared locator may leave more bits to functions than numbers are precise; the first of them will do. */
const maxFunctionBits = 32;

/** Function numbers of one locator. */
class FunctionPool {
  readonly #task: NodeToPlan;
  readonly #network: bigint;
  readonly #shift: number;
  #pool: NumberPool | undefined;

  constructor(task: NodeToPlan) {
    const prefix = parsePrefix(task.locator.prefix);
    this.#task = task;
    this.#network = prefix.network;
    this.#shift = 128 - prefix.length - task.locator.structure.functionBits;
  }

  /** The locator's own address: function 0. */
  bare(): string {
    const address = { first: this.#network, last: this.#network };
    const { declared } = this.#task.inUse;
    if (declared.beginningIn(address).length > 0) throw this.#error(`${formatIpv6(this.#network)} is in use`);
    return formatIpv6(this.#network);
  }

  next(): string {
    this.#pool ??= this.#free();
    const number = this.#pool.take();
    if (number === undefined) throw this.#error('all its functions are in use; plan more functionBits');
    return formatIpv6(this.#network + (BigInt(number) << BigInt(this.#shift)));
  }

  /** NEXT-C-SID: functions are local values and stay out of the numbers that nodes may have. */
  #free(): NumberPool {
    const { locator, inUse, plan } = this.#task;
    const all = 2 ** Math.min(locator.structure.functionBits, maxFunctionBits);
    const first = plan.flavors.includes('NEXT-C-SID') ? Math.ceil(all * (1 - localShare)) : 1;
    const range = rangeOf(parsePrefix(locator.prefix));
    const taken = inUse.known
      .beginningIn(range)
      .map((used) => partsTouched(range, this.#shift, used))
      .filter((numbers): numbers is Interval => numbers !== undefined);
    return new NumberPool({ first, last: all - 1 }, taken);
  }

  #error(why: string): TopologyFormatError {
    const { node, locator } = this.#task;
    const message = `no SID can be planned for ${node.id} in ${locator.prefix}: ${why}`;
    return new TopologyFormatError({ line: null, column: null, field: '/sidPlan/functionBits', message });
  }
}
