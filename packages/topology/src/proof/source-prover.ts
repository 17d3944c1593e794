import { DEFAULT_MSD, headerBytes, MINIMUM_INNER_MTU_BYTES, srhEntries } from '../model/encapsulation.js';
import { metricOf } from '../model/metric-of.js';
import type { PathConstraints } from '../model/path-request.js';
import type { ProofRequirement } from '../model/proof.js';
import type { NodeId } from '../model/ted.js';
import { NodeFlag } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { addressRoutesOf, type AddressRoutes, type OwnedAddress } from './address-routes.js';
import { forwardingOf } from './forwarding.js';
import { lossUnitsOf, toMetrics, type Sums } from './measure.js';
import { proveExactly, type ExactProof, type ProofOptions } from './prove.js';
import { openPlacesOf, OPEN, OPEN_AT_ENDS, type OpenPlaces } from './open-places.js';

export type ListProof = Pick<ExactProof, 'ok' | 'worst' | 'worstLossUnits' | 'singlePath'>;

/** Sums of `worst` per node: igp, te, delay, delay variation, loss, hops. */
const SUMS = 6;

/**
 * Proves many lists of one headend against one requirement, with the verdict and the measures of `proveExactly`. Where a list is
 * plain (every address has one owner, packets for it never turn back) it follows its packets over next hops that are remembered,
 * adding up as it goes. Whatever is not plain, and whatever it would refuse, it leaves to `proveExactly`.
 */
export class SourceProver {
  readonly #snapshot: Snapshot;
  readonly #headend: number;
  readonly #requirement: Omit<ProofRequirement, 'destination'> & { readonly constraints: PathConstraints };
  readonly #options: ProofOptions;
  readonly #routes: AddressRoutes;
  readonly #places: OpenPlaces;
  readonly #values: readonly Float64Array[];
  readonly #mostEntries: number;
  readonly #mode: 'full' | 'reduced';
  /** False: no list of this headend is plain. */
  readonly #isPlain: boolean;
  // The walk of one list.
  #at = -1;
  #destination = -1;
  #singlePath = true;
  #leastMtu = Infinity;
  readonly #sums = new Float64Array(SUMS);
  /** The walk that crossed an arc last. */
  readonly #crossedIn: Uint32Array;
  #walk = 0;
  // Of the branches of one segment: nodes, each after all it leads to.
  readonly #branchSums: Float64Array;
  readonly #visitedIn: Uint32Array;
  readonly #isOnStack: Uint8Array;
  #segment = 0;

  constructor(
    snapshot: Snapshot,
    requirement: Omit<ProofRequirement, 'destination'> & { readonly constraints: PathConstraints },
    options: ProofOptions = {},
  ) {
    const { data, nodeCount } = snapshot;
    this.#snapshot = snapshot;
    this.#requirement = requirement;
    this.#options = options;
    this.#headend = snapshot.nodeIndexOf(requirement.headend);
    this.#routes = addressRoutesOf(snapshot);
    this.#places = openPlacesOf(snapshot, requirement.constraints);
    const { igpMetric, teMetric, delayUs, delayVariationUs } = data;
    this.#values = [igpMetric, teMetric, delayUs, delayVariationUs, lossUnitsOf(snapshot)];
    const flags = data.nodeFlags[this.#headend] ?? 0;
    this.#mode = (flags & NodeFlag.ReducedEncap) !== 0 ? 'reduced' : 'full';
    const known = data.nodeMsd[this.#headend] ?? -1;
    this.#mostEntries = Math.min(known < 0 ? DEFAULT_MSD : known, requirement.maxSegments ?? Infinity);
    this.#isPlain =
      (flags & NodeFlag.Up) !== 0 &&
      requirement.honourAdminState === undefined &&
      (requirement.constraints.include ?? []).length === 0 &&
      !this.#places.hasEndpointLimits;
    this.#crossedIn = new Uint32Array(snapshot.arcCount);
    this.#branchSums = new Float64Array(SUMS * nodeCount);
    this.#visitedIn = new Uint32Array(nodeCount);
    this.#isOnStack = new Uint8Array(nodeCount);
  }

  prove(entries: readonly string[], destination: NodeId): ListProof {
    if (this.#isPlain && this.#isAccepted(entries, this.#snapshot.nodeIndexOf(destination))) {
      const [igp, te, delayUs, delayVariationUs, lossUnits] = this.#sums as unknown as [
        number,
        number,
        number,
        number,
        number,
      ];
      const sums: Sums = { igp, te, delayUs, delayVariationUs, lossUnits, hops: this.#sums[HOPS] as number };
      const worst = toMetrics(sums);
      const isWithin = (this.#requirement.constraints.bounds ?? []).every(({ metric, max }) => {
        const value = metricOf(worst, metric);
        return value !== null && value <= max && !(metric === 'loss' && lossUnits === Infinity);
      });
      if (isWithin) return { ok: true, worst, worstLossUnits: lossUnits, singlePath: this.#singlePath };
    }
    return proveExactly(this.#snapshot, entries, { ...this.#requirement, destination }, this.#options);
  }

  /** False: refused, or not plain. */
  #isAccepted(entries: readonly string[], destination: number): boolean {
    if (destination < 0 || destination === this.#headend || entries.length === 0) return false;
    if (srhEntries(this.#mode, entries.length) > this.#mostEntries) return false;
    this.#destination = destination;
    this.#at = this.#headend;
    this.#singlePath = true;
    this.#leastMtu = Infinity;
    this.#sums.fill(0);
    this.#walk++;
    if (!this.#isOpen(this.#headend) || !this.#leaveHost()) return false;
    for (const [i, entry] of entries.entries()) {
      for (let address = this.#routes.ofEntry(entry); ; address = address.next) {
        if (address === null) return false;
        const isLast = i === entries.length - 1 && address.next === null;
        if (!this.#follow(address) || !this.#process(address, isLast)) return false;
        if (address.next === null) break;
      }
    }
    if (this.#at !== destination) return false;
    return !(this.#leastMtu - headerBytes(this.#mode, entries.length) < MINIMUM_INNER_MTU_BYTES);
  }

  #leaveHost(): boolean {
    if (!this.#snapshot.isHost(this.#headend)) return true;
    const arcs = forwardingOf(this.#snapshot).headendArcs(this.#headend);
    return arcs.length === 1 && this.#cross(arcs[0] as number);
  }

  /** What the owner does with the packet. */
  #process({ behavior, arc }: OwnedAddress, isLast: boolean): boolean {
    if (behavior !== 'End' && behavior !== 'End.X') return isLast;
    if (this.#snapshot.isHost(this.#at)) return false;
    if (behavior === 'End') return true;
    return !isLast && arc >= 0 && this.#snapshot.isUsable(arc) && this.#cross(arc);
  }

  /** Takes the packet to the owner of the address. */
  #follow(address: OwnedAddress): boolean {
    for (let steps = 0; this.#at !== address.owner; steps++) {
      if (steps > this.#snapshot.nodeCount) return false;
      const arcs = this.#routes.from(this.#at, address);
      if (typeof arcs !== 'number') return arcs.length > 0 && this.#branch(address);
      if (!this.#cross(arcs)) return false;
    }
    return true;
  }

  /** Over one link, whole. */
  #cross(arc: number): boolean {
    const to = this.#snapshot.data.arcTo[arc] as number;
    if (!this.#mayCross(arc) || !this.#isOpen(to)) return false;
    const { bandwidthBps } = this.#requirement.constraints;
    if (bandwidthBps !== undefined) {
      // What crosses a link twice takes twice as much of it.
      const available = (this.#options.unreservedBps ?? this.#snapshot.data.reservableBps)[arc] as number;
      if (!(bandwidthBps <= available) || this.#crossedIn[arc] === this.#walk) return false;
      this.#crossedIn[arc] = this.#walk;
    }
    const values = this.#values;
    const sums = this.#sums;
    for (let i = 0; i < HOPS; i++) sums[i] = (sums[i] as number) + ((values[i] as Float64Array)[arc] as number);
    sums[HOPS] = (sums[HOPS] as number) + 1;
    this.#at = to;
    return true;
  }

  /** Over every branch from here to the owner. */
  #branch(address: OwnedAddress): boolean {
    const { owner } = address;
    // Shares of a demand are for the whole proof.
    if (this.#requirement.constraints.bandwidthBps !== undefined) return false;
    this.#singlePath = false;
    this.#segment++;
    this.#visitedIn[owner] = this.#segment;
    this.#branchSums.fill(0, SUMS * owner, SUMS * (owner + 1));
    if (!this.#sumFrom(this.#at, address, 0)) return false;
    for (let i = 0; i < SUMS; i++) {
      this.#sums[i] = (this.#sums[i] as number) + (this.#branchSums[SUMS * this.#at + i] as number);
    }
    this.#at = owner;
    return true;
  }

  /** The worst of each sum from a node to the owner; false where a branch does not get there, or may not go there. */
  #sumFrom(node: number, address: OwnedAddress, depth: number): boolean {
    if (this.#visitedIn[node] === this.#segment) return this.#isOnStack[node] === 0;
    if (depth > MOST_DEPTH) return false;
    this.#visitedIn[node] = this.#segment;
    this.#isOnStack[node] = 1;
    const isReached = this.#sumOver(node, this.#routes.from(node, address), address, depth);
    this.#isOnStack[node] = 0;
    return isReached;
  }

  #sumOver(node: number, next: readonly number[] | number, address: OwnedAddress, depth: number): boolean {
    const arcs = typeof next === 'number' ? [next] : next;
    const sums = this.#branchSums;
    sums.fill(-Infinity, SUMS * node, SUMS * (node + 1));
    for (const arc of arcs) {
      const to = this.#snapshot.data.arcTo[arc] as number;
      if (!this.#mayCross(arc) || !this.#isOpen(to) || !this.#sumFrom(to, address, depth + 1)) return false;
      for (let i = 0; i < SUMS; i++) {
        const value = i === HOPS ? 1 : ((this.#values[i] as Float64Array)[arc] as number);
        const at = SUMS * node + i;
        sums[at] = Math.max(sums[at] as number, value + (sums[SUMS * to + i] as number));
      }
    }
    return arcs.length > 0;
  }

  #mayCross(arc: number): boolean {
    const mtu = this.#snapshot.data.mtuBytes[arc] as number;
    if (mtu < this.#leastMtu) this.#leastMtu = mtu;
    return this.#places.arcs[arc] === OPEN;
  }

  #isOpen(node: number): boolean {
    const place = this.#places.nodes[node];
    return place === OPEN || (place === OPEN_AT_ENDS && (node === this.#headend || node === this.#destination));
  }
}

const HOPS = SUMS - 1;

/** Nodes on one branch of a segment; longer ones are left to the whole proof. */
const MOST_DEPTH = 1_000;
