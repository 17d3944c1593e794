import type { MetricType, PathConstraints } from '../model/path-request.js';
import { ArcFlag, NodeFlag } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { weightOf } from './metric-values.js';

/** Why a usable arc may not be in a path. Each can be dropped alone, to see whether it is the one to blame. */
export type Restriction = 'admin' | 'exclude' | 'srlg' | 'affinity' | 'bandwidth' | 'unknown-value';

export interface EligibilityInput {
  readonly snapshot: Snapshot;
  readonly source: number;
  readonly destination: number;
  readonly metric: MetricType;
  readonly constraints: PathConstraints;
  readonly unreservedBps: Float64Array;
  /** Arcs at hosts that this request may use: the headend's own, and those that deliver. */
  readonly headendArcs: readonly number[];
  readonly deliveryArcs: readonly number[];
}

/** One request's restrictions, compiled to numbers. */
export class Eligibility {
  readonly #input: EligibilityInput;
  readonly #excludedNodes: ReadonlySet<number>;
  readonly #excludedArcs: ReadonlySet<number>;
  readonly #excludedSrlgs: ReadonlySet<number>;
  readonly #affinities: { readonly any: Uint32Array; readonly all: Uint32Array; readonly none: Uint32Array } | null;
  readonly #impossibleAffinity: boolean;
  /** Optimised or bounded. */
  readonly #metrics: readonly MetricType[];
  /** Per metric that is optimised or bounded, and that some link has no usable value of: the values. */
  readonly #needed: readonly Float64Array[];
  readonly #hasAdminState: boolean;
  readonly #bandwidthBps: number;

  constructor(input: EligibilityInput) {
    const { snapshot, metric, constraints } = input;
    this.#input = input;
    const { exclude, affinities } = constraints;
    this.#excludedNodes = new Set([
      ...(exclude?.nodes ?? []).map((id) => snapshot.nodeIndexOf(id)),
      ...nodesAt(snapshot, exclude?.sites ?? []).filter((node) => node !== input.source && node !== input.destination),
    ]);
    this.#excludedArcs = new Set(exclude?.links?.map((id) => snapshot.arcOf(id)));
    this.#excludedSrlgs = new Set(exclude?.srlgs);
    const { includeAny = [], includeAll = [], excludeAny = [] } = affinities ?? {};
    const hasNames = includeAny.length + includeAll.length + excludeAny.length > 0;
    this.#affinities = hasNames
      ? { any: bits(snapshot, includeAny), all: bits(snapshot, includeAll), none: bits(snapshot, excludeAny) }
      : null;
    const isUnknown = (name: string) => snapshot.affinityOf(name) < 0;
    this.#impossibleAffinity = includeAll.some(isUnknown) || (includeAny.length > 0 && includeAny.every(isUnknown));
    this.#metrics = [...new Set([metric, ...(constraints.bounds ?? []).map((bound) => bound.metric)])];
    this.#needed = this.#metrics.map((needed) => weightOf(snapshot, needed)).filter(hasUnusable);
    this.#hasAdminState = facts(snapshot).hasAdminState;
    this.#bandwidthBps = constraints.bandwidthBps ?? 0;
  }

  /** 1 for every arc a path may take. Restrictions in `without` are not applied. A new array each time. */
  mask(without: ReadonlySet<Restriction> = NONE): Uint8Array {
    const { headendArcs, deliveryArcs, unreservedBps } = this.#input;
    const mask = without.size === 0 ? this.#maskOfAnyBandwidth() : this.#transit(without);
    if (without.size === 0 && this.#bandwidthBps > 0) {
      const wanted = this.#bandwidthBps;
      // Negated, because unknown bandwidth (NaN) is not enough.
      for (let arc = 0; arc < mask.length; arc++) if (!((unreservedBps[arc] as number) >= wanted)) mask[arc] = 0;
    }
    // A host's split over its links is not ours to choose: one of them that is forbidden forbids them all.
    if (headendArcs.every((arc) => this.restrictionOf(arc, without) === null)) {
      for (const arc of headendArcs) mask[arc] = 1;
    }
    for (const arc of deliveryArcs) if (this.restrictionOf(arc, without) === null) mask[arc] = 1;
    return mask;
  }

  /**
   * Links between routers with every restriction but bandwidth: the same for all requests of the same constraints, where
   * endpoints make no difference. What is left on links changes while the snapshot stays, so bandwidth is never remembered.
   */
  #maskOfAnyBandwidth(): Uint8Array {
    const { snapshot, source, destination, constraints } = this.#input;
    const { affinities, exclude } = constraints;
    const endpoints = this.#hasAdminState || (exclude?.sites ?? []).length > 0 ? [source, destination] : [];
    const needed = this.#needed.length > 0 ? this.#metrics : [];
    const { masks } = facts(snapshot);
    const key = JSON.stringify([affinities, exclude, needed, endpoints]);
    const known = masks.get(key) ?? this.#transit(BANDWIDTH);
    masks.delete(key);
    masks.set(key, known);
    const oldest = masks.keys().next();
    if (masks.size > MASKS_KEPT && oldest.done !== true) masks.delete(oldest.value);
    return known.slice();
  }

  /** Links between routers, without the restrictions given. */
  #transit(without: ReadonlySet<Restriction>): Uint8Array {
    const { snapshot } = this.#input;
    const { arcFlags, arcFrom, arcTo, nodeFlags } = snapshot.data;
    const mask = new Uint8Array(snapshot.arcCount);
    const isPlain = this.restrictionsInUse().every((restriction) => without.has(restriction));
    for (let arc = 0; arc < mask.length; arc++) {
      if (((arcFlags[arc] as number) & ArcFlag.Usable) === 0) continue;
      const ends = (nodeFlags[arcFrom[arc] as number] as number) | (nodeFlags[arcTo[arc] as number] as number);
      if ((ends & NodeFlag.Host) !== 0) continue;
      if (isPlain || this.restrictionOf(arc, without) === null) mask[arc] = 1;
    }
    return mask;
  }

  /** Restrictions that this request, on this network, can have at all; in the order in which they are blamed. */
  restrictionsInUse(): Restriction[] {
    const { snapshot, constraints } = this.#input;
    const inUse: Restriction[] = [];
    if (this.#excludedNodes.size + this.#excludedArcs.size > 0) inUse.push('exclude');
    if (this.#excludedSrlgs.size > 0) inUse.push('srlg');
    if (this.#affinities !== null) inUse.push('affinity');
    if (constraints.bandwidthBps !== undefined) inUse.push('bandwidth');
    if (this.#needed.length > 0) inUse.push('unknown-value');
    if (facts(snapshot).hasAdminState) inUse.push('admin');
    return inUse;
  }

  /** The first restriction that forbids an arc; null when none does. Says nothing about whether it is usable. */
  restrictionOf(arc: number, without: ReadonlySet<Restriction> = NONE): Restriction | null {
    const { snapshot, unreservedBps } = this.#input;
    const { arcFrom, arcTo } = snapshot.data;
    if (this.#isExcluded(arc, arcFrom[arc] as number, arcTo[arc] as number) && !without.has('exclude'))
      return 'exclude';
    if (this.#excludedSrlgs.size > 0 && this.#isInExcludedSrlg(arc) && !without.has('srlg')) return 'srlg';
    if (this.#affinities !== null && !this.#matchesAffinities(arc) && !without.has('affinity')) return 'affinity';
    const fits = this.#bandwidthBps === 0 || (unreservedBps[arc] as number) >= this.#bandwidthBps;
    if (!fits && !without.has('bandwidth')) return 'bandwidth';
    if (this.#needed.length > 0 && !without.has('unknown-value')) {
      if (this.#needed.some((values) => !isUsable(values[arc] as number))) return 'unknown-value';
    }
    if (this.#hasAdminState && this.#isAdminClosed(arc) && !without.has('admin')) return 'admin';
    return null;
  }

  #isExcluded(arc: number, from: number, to: number): boolean {
    return this.#excludedArcs.has(arc) || this.#excludedNodes.has(from) || this.#excludedNodes.has(to);
  }

  #isInExcludedSrlg(arc: number): boolean {
    const { srlgStart, srlgs } = this.#input.snapshot.data;
    for (let i = srlgStart[arc] as number; i < (srlgStart[arc + 1] as number); i++) {
      if (this.#excludedSrlgs.has(srlgs[i] as number)) return true;
    }
    return false;
  }

  #matchesAffinities(arc: number): boolean {
    if (this.#impossibleAffinity) return false;
    const { affinityWords, affinities } = this.#input.snapshot.data;
    const wanted = this.#affinities;
    if (wanted === null) return true;
    let hasAny = wanted.any.length === 0;
    for (let word = 0; word < affinityWords; word++) {
      const has = affinities[arc * affinityWords + word] as number;
      const all = wanted.all[word] ?? 0;
      if ((has & all) >>> 0 !== all || (has & (wanted.none[word] ?? 0)) !== 0) return false;
      if ((has & (wanted.any[word] ?? 0)) !== 0) hasAny = true;
    }
    return hasAny;
  }

  #isAdminClosed(arc: number): boolean {
    const { snapshot } = this.#input;
    const flags = snapshot.data.arcFlags[arc] as number;
    return (
      (flags & (ArcFlag.Drained | ArcFlag.Down)) !== 0 ||
      this.#isClosedNode(arc, 'arcFrom') ||
      this.#isClosedNode(arc, 'arcTo')
    );
  }

  /** Draining a node is about what passes it; only `down` closes it as an endpoint. */
  #isClosedNode(arc: number, end: 'arcFrom' | 'arcTo'): boolean {
    const { snapshot, source, destination } = this.#input;
    const node = snapshot.data[end][arc] as number;
    const flags = snapshot.data.nodeFlags[node] as number;
    if ((flags & NodeFlag.Down) !== 0) return true;
    return (flags & NodeFlag.Drained) !== 0 && node !== source && node !== destination;
  }
}

const NONE: ReadonlySet<Restriction> = new Set();
const BANDWIDTH: ReadonlySet<Restriction> = new Set(['bandwidth']);

/** Per snapshot, a byte per link each. */
const MASKS_KEPT = 32;

/** Bit words of affinity names; empty when there are no names. Names that no link carries have no bit. */
function bits(snapshot: Snapshot, names: readonly string[]): Uint32Array {
  if (names.length === 0) return new Uint32Array(0);
  const words = new Uint32Array(Math.max(1, snapshot.data.affinityWords));
  for (const name of names) {
    const bit = snapshot.affinityOf(name);
    if (bit >= 0) words[bit >>> 5] = (words[bit >>> 5] as number) | (1 << (bit & 31));
  }
  return words;
}

/** A metric that is to be kept small must be known; a link that loses everything has no loss that could be. */
function isUsable(value: number): boolean {
  return value < Infinity;
}

/** Remembered per array of values, each of which belongs to one snapshot. */
const unusableIn = new WeakMap<Float64Array, boolean>();

function hasUnusable(values: Float64Array): boolean {
  const known = unusableIn.get(values) ?? !values.every(isUsable);
  unusableIn.set(values, known);
  return known;
}

/** Nodes at one of these sites. */
function nodesAt(snapshot: Snapshot, sites: readonly string[]): number[] {
  if (sites.length === 0) return [];
  const wanted = new Set(sites.map((site) => snapshot.siteNames.indexOf(site)).filter((site) => site >= 0));
  return [...snapshot.data.nodeSite.keys()].filter((node) => wanted.has(snapshot.data.nodeSite[node] as number));
}

interface Facts {
  readonly hasAdminState: boolean;
  /** Of the constraints met last, by what determines them. */
  readonly masks: Map<string, Uint8Array>;
}

/** What spares a request on a plain network from looking at every arc for what none of them has. */
const factsOf = new WeakMap<Snapshot, Facts>();

function facts(snapshot: Snapshot): Facts {
  const known = factsOf.get(snapshot);
  if (known !== undefined) return known;
  const { arcFlags, nodeFlags } = snapshot.data;
  const found: Facts = {
    hasAdminState:
      arcFlags.some((flags) => (flags & (ArcFlag.Drained | ArcFlag.Down)) !== 0) ||
      nodeFlags.some((flags) => (flags & (NodeFlag.Drained | NodeFlag.Down)) !== 0),
    masks: new Map(),
  };
  factsOf.set(snapshot, found);
  return found;
}
