import { formatPrefix, parsePrefix, type Locator, type NodeId, type Prefix, type TedNode } from '@waymark/topology';
import { sameStructure } from '../native/implied-values.js';
import { TopologyFormatError } from '../topology-format-error.js';
import type { DocumentNode, SidPlan } from '../topology-document.js';
import { knownAddresses, partsTouched, rangeOf, SortedRanges, type KnownAddresses } from '../address-ranges.js';
import { NumberPool, type Interval } from './number-pool.js';

/** Share of a number space, at its end, that NEXT-C-SID leaves to values of local meaning (RFC 9800 section 7). */
export const localShare = 1 / 8;

/** Cuts locators for nodes from the block of a plan. */
export class LocatorPlanner {
  readonly #plan: SidPlan;
  readonly #block: Prefix;
  readonly #length: number;
  readonly #declared: SortedRanges;
  readonly #pool: NumberPool;

  constructor(plan: SidPlan, addresses: { readonly declared: KnownAddresses; readonly known: KnownAddresses }) {
    this.#plan = plan;
    this.#block = parsePrefix(plan.block);
    this.#length = this.#block.length + plan.nodeBits;
    this.#declared = new SortedRanges([...addresses.declared.inUse, ...addresses.declared.locators]);
    const block = rangeOf(this.#block);
    const taken = [...addresses.known.inUse, ...addresses.known.locators]
      .map((range) => partsTouched(block, 128 - this.#length, range))
      .filter((numbers): numbers is Interval => numbers !== undefined);
    this.#pool = new NumberPool({ first: 1, last: this.#lastNumber }, taken);
  }

  /** The locator that was planned for the node before, when it still obeys the plan and no other node uses it. */
  kept(node: DocumentNode, before: TedNode | undefined): Locator | undefined {
    return before?.locators.find(
      (locator) => locator.origin === 'planned' && this.#obeysPlan(locator) && this.#isFree(locator, node),
    );
  }

  /** A new one. Throws TopologyFormatError when all numbers are taken. */
  next(node: NodeId): Locator {
    const number = this.#pool.take();
    if (number === undefined) {
      const { block, nodeBits } = this.#plan;
      const message = `no number is left for ${node}: ${block} with nodeBits ${nodeBits} has ${this.#lastNumber}; plan more nodeBits or another block`;
      throw new TopologyFormatError({ line: null, column: null, field: '/sidPlan/nodeBits', message });
    }
    return this.#locator(number);
  }

  get #lastNumber(): number {
    const all = 2 ** this.#plan.nodeBits;
    return Math.floor(this.#plan.flavors.includes('NEXT-C-SID') ? all * (1 - localShare) : all) - 1;
  }

  #locator(number: number): Locator {
    const network = this.#block.network + (BigInt(number) << BigInt(128 - this.#length));
    return {
      prefix: formatPrefix({ family: 'ipv6', network, length: this.#length }),
      algorithm: 0,
      metric: 0,
      anycast: false,
      scope: 'igp',
      structure: {
        blockBits: this.#block.length,
        nodeBits: this.#plan.nodeBits,
        functionBits: this.#plan.functionBits,
        argumentBits: 0,
      },
      origin: 'planned',
    };
  }

  #obeysPlan(locator: Locator): boolean {
    const numbers = partsTouched(rangeOf(this.#block), 128 - this.#length, rangeOf(parsePrefix(locator.prefix)));
    if (numbers === undefined || numbers.first < 1 || numbers.first > this.#lastNumber) return false;
    const planned = this.#locator(numbers.first);
    return planned.prefix === locator.prefix && sameStructure(planned.structure, locator.structure);
  }

  #isFree(locator: Locator, node: DocumentNode): boolean {
    const range = rangeOf(parsePrefix(locator.prefix));
    const own = knownAddresses([node], []);
    const usedByNode = new SortedRanges([...own.inUse, ...own.locators]).beginningIn(range);
    return this.#declared.beginningIn(range).length === usedByNode.length;
  }
}
