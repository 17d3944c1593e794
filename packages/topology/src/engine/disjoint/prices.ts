import type { Risks } from './risks.js';

/**
 * Lagrange multipliers of links and nodes that at most one member may use: what each user pays for them. No group is worth
 * less than what its members' cheapest routes cost together with all they pay, less the sum of all prices.
 */
export class Prices {
  static readonly NONE = new Prices(new Map());

  readonly byRisk: ReadonlyMap<number, number>;
  readonly total: number;
  #weight: Float64Array | null = null;

  constructor(byRisk: ReadonlyMap<number, number>) {
    this.byRisk = byRisk;
    this.total = [...byRisk.values()].reduce((sum, price) => sum + price, 0);
  }

  of(risk: number): number {
    return this.byRisk.get(risk) ?? 0;
  }

  /** Without those of some risks; itself where that changes nothing. */
  without(isSettled: (risk: number) => boolean): Prices {
    const left = [...this.byRisk].filter(([risk]) => !isSettled(risk));
    return left.length === this.byRisk.size ? this : new Prices(new Map(left));
  }

  /** Weights with the price of each arc and of the node that it leads to. `weight` is the same in every call. */
  addedTo(weight: Float64Array, risks: Risks): Float64Array {
    if (this.byRisk.size === 0) return weight;
    if (this.#weight !== null) return this.#weight;
    const priced = weight.slice();
    for (const [risk, price] of this.byRisk) {
      for (const arc of risks.arcsCharged(risk)) priced[arc] = (priced[arc] as number) + price;
    }
    this.#weight = priced;
    return priced;
  }
}
