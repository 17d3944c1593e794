import { LocatorFlag } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { entryLimitsOf } from './entry-limits.js';
import type { CSids } from './c-sids.js';
import { flexAlgorithmsInUse } from './flex-links.js';
import { adjacencySidsOf, endSidsOf, knownBeforePlanned, type RoutedSid } from './owned-sids.js';
import { routeOf, type SidRoute } from './sid-route.js';

/** SIDs to use from anywhere: by algorithm 0, which is asked for all the time, and by the others. */
interface ByAlgorithm {
  readonly igp: readonly number[];
  readonly flexible: ReadonlyMap<number, readonly number[]>;
}

const NONE: readonly number[] = [];

/**
 * Which SIDs name routers and cross links, remembered: a search over segments asks for the same ones again and again.
 * Several of one algorithm only where they differ in how they pack, are anycast, or remove the SRH and that matters to some node.
 */
export class SidChoice {
  /** Algorithms whose paths segments can follow, ascending; 0 is always one. */
  readonly algorithms: readonly number[];
  /** Some locator is anycast: without any, a SID that is routed leads to its owner. */
  readonly hasAnycast: boolean;
  readonly #snapshot: Snapshot;
  readonly #cSids: CSids;
  readonly #endSids: ({ readonly atOwner: readonly number[]; readonly routed: ByAlgorithm } | undefined)[];
  readonly #adjacencySids: ({ readonly atOwner: readonly number[]; readonly routed: ByAlgorithm } | undefined)[];
  readonly #routes: (SidRoute | undefined)[];

  /** `before`: that of the snapshot's predecessor, whose SIDs are the same; so are their routes while the algorithms in force are. */
  constructor(snapshot: Snapshot, cSids: CSids, before?: SidChoice) {
    this.#snapshot = snapshot;
    this.#cSids = cSids;
    this.hasAnycast = snapshot.data.locatorFlags.some((flags) => (flags & LocatorFlag.Anycast) !== 0);
    this.algorithms = [0, ...flexAlgorithmsInUse(snapshot)];
    if (before !== undefined && isSameList(before.#snapshot.data.flexDefinition, snapshot.data.flexDefinition)) {
      this.#endSids = before.#endSids;
      this.#adjacencySids = before.#adjacencySids;
      this.#routes = before.#routes;
      return;
    }
    this.#endSids = new Array<undefined>(snapshot.nodeCount).fill(undefined);
    this.#adjacencySids = new Array<undefined>(snapshot.arcCount).fill(undefined);
    this.#routes = new Array<undefined>(snapshot.data.sidCount).fill(undefined);
  }

  routeOf(sid: number): SidRoute {
    return (this.#routes[sid] ??= routeOf(this.#snapshot, sid));
  }

  isAnycast(sid: number): boolean {
    if (!this.hasAnycast) return false;
    const route = this.routeOf(sid);
    return route.kind === 'igp' && route.anycast !== null;
  }

  /** End SIDs of a router when used where packets are there already: of all algorithms, and those without a route. */
  endSidsAtOwner(node: number): readonly number[] {
    return this.#endSidsOf(node).atOwner;
  }

  /** Those that an algorithm routes from anywhere; anycast ones come last. */
  endSids(node: number, algorithm: number): readonly number[] {
    const { routed } = this.#endSidsOf(node);
    return algorithm === 0 ? routed.igp : (routed.flexible.get(algorithm) ?? NONE);
  }

  /** The SIDs that cross an arc when used at the owner. */
  adjacencySidsAtOwner(arc: number): readonly number[] {
    return this.#adjacencySidsOf(arc).atOwner;
  }

  /** The SIDs that cross an arc and that an algorithm routes from anywhere; anycast ones come last. */
  adjacencySids(arc: number, algorithm: number): readonly number[] {
    const { routed } = this.#adjacencySidsOf(arc);
    return algorithm === 0 ? routed.igp : (routed.flexible.get(algorithm) ?? NONE);
  }

  #endSidsOf(node: number) {
    return (this.#endSids[node] ??= this.#choiceOf(endSidsOf(this.#snapshot, node)));
  }

  #adjacencySidsOf(arc: number) {
    return (this.#adjacencySids[arc] ??= this.#choiceOf(adjacencySidsOf(this.#snapshot, arc)));
  }

  #choiceOf(own: readonly RoutedSid[]) {
    const all = knownBeforePlanned(
      this.#snapshot,
      own.map(({ sid }) => sid),
    );
    return { atOwner: this.#distinct(all), routed: this.#byAlgorithm(own) };
  }

  #byAlgorithm(sids: readonly RoutedSid[]): ByAlgorithm {
    const byAlgorithm = new Map<number, number[]>();
    for (const { sid, route } of sids) {
      if (route.kind !== 'igp') continue;
      const same = byAlgorithm.get(route.algorithm);
      if (same === undefined) byAlgorithm.set(route.algorithm, [sid]);
      else same.push(sid);
    }
    for (const [algorithm, same] of byAlgorithm) {
      const known = knownBeforePlanned(this.#snapshot, same);
      const anycast = known.filter((sid) => this.isAnycast(sid));
      const others = known.filter((sid) => !this.isAnycast(sid));
      byAlgorithm.set(algorithm, [...this.#distinct(others), ...anycast]);
    }
    return { igp: byAlgorithm.get(0) ?? NONE, flexible: byAlgorithm };
  }

  /** The first of those that pack alike. Without C-SIDs all do: into an entry each. */
  #distinct(sids: readonly number[]): readonly number[] {
    const cSids = this.#cSids;
    const limits = entryLimitsOf(this.#snapshot);
    const kinds = new Set<string>();
    return sids.filter((sid) => {
      const pops = limits.isInUse && limits.has(sid, 'PSP');
      const kind = `${cSids.blockOf(sid)} ${cSids.bitsOf(sid)} ${cSids.continues(sid)} ${pops}`;
      return kinds.size !== kinds.add(kind).size;
    });
  }
}

function isSameList(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
