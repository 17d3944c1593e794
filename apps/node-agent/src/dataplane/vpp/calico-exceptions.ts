import { neededExceptions } from '../needed-exceptions.js';
import type { Family } from '../port.js';
import { lookupRoute, looksUpIn, readRoutes, routeRemoval } from './routes.js';
import type { VppSettings } from './settings.js';
import type { Vpp } from './vpp-link.js';
import type { VppSteering } from './vpp-state.js';

/** Calico-VPP's own routes: pods, nodes and its steering. */
export const CALICO_TABLE = 0;
const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

/**
 * A prefix that is steered in the pods' table goes before everything in table 0, more specific routes included: an address
 * of the block that a local pod has borrowed, a node's own address. Those get a route in the pods' table that has them looked
 * up in table 0 after all. VPP marks no route with an owner, so only those that this process added are removed again; one
 * that stays behind says what would hold without it.
 */
export class CalicoExceptions {
  readonly #table: number;
  /** What pods must not send to at all. */
  readonly #edgeBlocks: readonly string[];
  readonly #added = new Set<string>();

  constructor({ table, edgeBlocks }: Pick<VppSettings, 'table' | 'edgeBlocks'>) {
    this.#table = table;
    this.#edgeBlocks = edgeBlocks;
  }

  /** Forgets what an earlier VPP held. */
  reset(): void {
    this.#added.clear();
  }

  /**
   * Makes the exceptions what they should be for the steered prefixes. Returns how many it added or removed. `steerings`:
   * all there are; what they steer in table 0 is Calico's own, which ours replaces.
   */
  async lay(vpp: Vpp, steered: ReadonlyMap<string, Family>, steerings: readonly VppSteering[]): Promise<number> {
    const changes = await Promise.all(FAMILIES.map((family) => this.#layFamily(vpp, family, steered, steerings)));
    return changes.reduce((sum, count) => sum + count, 0);
  }

  async #layFamily(
    vpp: Vpp,
    family: Family,
    steered: ReadonlyMap<string, Family>,
    steerings: readonly VppSteering[],
  ): Promise<number> {
    const prefixes = [...steered].filter(([, ofFamily]) => ofFamily === family).map(([prefix]) => prefix);
    if (prefixes.length === 0 && this.#added.size === 0) return 0;
    const [inCalicos, inOurs] = await Promise.all([
      readRoutes(vpp, family, CALICO_TABLE),
      readRoutes(vpp, family, this.#table),
    ]);
    const needed = neededExceptions(
      prefixes,
      inCalicos.map(({ prefix }) => prefix),
      new Set(steerings.filter(({ table }) => table === CALICO_TABLE).map(({ prefix }) => prefix)),
      this.#edgeBlocks,
    );
    const taken = new Map(inOurs.map((route) => [route.prefix, route]));
    const missing = [...needed].filter((prefix) => !taken.has(prefix));
    const unneeded = [...this.#added].filter((prefix) => isOfFamily(prefix, family) && !needed.has(prefix));
    const obsolete = unneeded.filter((prefix) => {
      const route = taken.get(prefix);
      return route !== undefined && looksUpIn(route, CALICO_TABLE);
    });
    // Before the answers: one that does not come leaves a route behind all the same.
    for (const prefix of missing) this.#added.add(prefix);
    await Promise.all([
      ...missing.map((prefix) => vpp.call('ip_route_add_del', lookupRoute(prefix, this.#table, CALICO_TABLE))),
      ...obsolete.map((prefix) => vpp.call('ip_route_add_del', routeRemoval(prefix, this.#table))),
    ]);
    for (const prefix of unneeded) this.#added.delete(prefix);
    return missing.length + obsolete.length;
  }
}

function isOfFamily(prefix: string, family: Family): boolean {
  return prefix.includes(':') === (family === 'ipv6');
}
