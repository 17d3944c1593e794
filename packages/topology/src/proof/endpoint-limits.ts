import { srhEntries } from '../model/encapsulation.js';
import { BEHAVIORS, NodeFlag, SidFlavorFlag } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';

/** A packet that arrives at one of a node's own SIDs. */
export interface Arrival {
  readonly node: number;
  readonly sid: number;
  /** The destination address as it arrives. */
  readonly text: string;
  /** Entry of the list that the address comes from. */
  readonly segment: number;
  /** More C-SIDs of that entry follow. */
  readonly hasMore: boolean;
  readonly hasSrh: boolean;
}

/** The SRH of one list on its way, and which endpoints can process it (RFC 9352 section 4). */
export class EndpointLimits {
  readonly #snapshot: Snapshot;
  readonly #entries: number;
  readonly #inSrh: number;

  constructor(snapshot: Snapshot, headend: number, entries: number) {
    const isReduced = ((snapshot.data.nodeFlags[headend] as number) & NodeFlag.ReducedEncap) !== 0;
    this.#snapshot = snapshot;
    this.#entries = entries;
    this.#inSrh = srhEntries(isReduced ? 'reduced' : 'full', entries);
  }

  /** Does the headend push an SRH at all? */
  get hasSrh(): boolean {
    return this.#inSrh > 0;
  }

  /** PSP: the node that makes Segments Left zero removes the SRH (RFC 8986 section 4.16.1). */
  removesEarly({ sid, segment, hasMore, hasSrh }: Arrival): boolean {
    return hasSrh && !hasMore && segment === this.#entries - 2 && this.#has(sid, 'PSP');
  }

  /** Which limit of the node the packet exceeds, in words; null when it can be processed. */
  objection(arrival: Arrival): string | null {
    const { node, sid, text, segment, hasMore, hasSrh } = arrival;
    if (!hasSrh) return null;
    const { nodeMsdSegmentsLeft, nodeMsdEndPop, nodeMsdEndD, sidBehavior } = this.#snapshot.data;
    const where = this.#snapshot.nodeIdOf(node);
    const left = this.#entries - 1 - segment;
    if (exceeds(left, nodeMsdSegmentsLeft[node])) {
      return `${where} would process ${text} with Segments Left ${left}; its maximum is ${String(nodeMsdSegmentsLeft[node])}`;
    }
    const isLast = left === 0 && !hasMore;
    const pops = this.removesEarly(arrival) || (isLast && this.#has(sid, 'USP'));
    if (pops && exceeds(this.#inSrh, nodeMsdEndPop[node])) {
      const flavor = isLast ? 'USP' : 'PSP';
      return `${where} would remove ${this.#inSrh} SRH entries at ${text} (${flavor}); its maximum End Pop is ${String(nodeMsdEndPop[node])}`;
    }
    const isService = BEHAVIORS[sidBehavior[sid] as number]?.startsWith('End.DT') === true;
    const decapsulates = isLast && (isService || this.#has(sid, 'USD'));
    if (decapsulates && exceeds(this.#inSrh, nodeMsdEndD[node])) {
      return `${where} would decapsulate ${this.#inSrh} SRH entries at ${text}; its maximum End D is ${String(nodeMsdEndD[node])}`;
    }
    return null;
  }

  #has(sid: number, flavor: keyof typeof SidFlavorFlag): boolean {
    return ((this.#snapshot.data.sidFlavors[sid] as number) & SidFlavorFlag[flavor]) !== 0;
  }
}

/** -1: no limit is known. */
function exceeds(value: number, limit: number | undefined): boolean {
  return limit !== undefined && limit >= 0 && value > limit;
}
