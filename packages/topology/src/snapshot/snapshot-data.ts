import type { EndpointBehavior, FlexMetricType, SidFlavor, SidOrigin } from '../model/ted.js';

type Bytes = Uint8Array<SharedArrayBuffer>;
type Integers = Uint32Array<SharedArrayBuffer>;
type SignedIntegers = Int32Array<SharedArrayBuffer>;
type Reals = Float64Array<SharedArrayBuffer>;

/** Bits of `nodeFlags`. */
export const NodeFlag = { Host: 1, Up: 2, Drained: 4, Down: 8, ReducedEncap: 16 } as const;

/**
 * Bits of `arcFlags`. `Usable`: both directions of the link and both nodes are operationally up. `Igp`: usable, and
 * between two routers of one IGP domain; these arcs and no others carry the routers' SPF. `Drained` and `Down` are the
 * operator's will for the link itself. `Up`: the operational state of this direction alone, from which the first two follow.
 */
export const ArcFlag = { Usable: 1, Igp: 2, Drained: 4, Down: 8, Up: 16 } as const;

/** Bits of `locatorFlags`. */
export const LocatorFlag = { IgpScope: 1, Anycast: 2 } as const;

/** Bits of `sidFlavors` (RFC 8986 section 4.16, RFC 9800 section 4.1). */
export const SidFlavorFlag = { PSP: 1, USP: 2, USD: 4, 'NEXT-C-SID': 8 } as const satisfies Record<SidFlavor, number>;

export const BEHAVIORS = ['End', 'End.X', 'End.DT4', 'End.DT6', 'End.DT46'] as const satisfies EndpointBehavior[];
export const FLEX_METRICS = ['igp', 'min-delay', 'te'] as const satisfies FlexMetricType[];
export const ORIGINS = ['discovered', 'agent', 'operator', 'planned'] as const satisfies SidOrigin[];

/**
 * One revision of the TED as compressed sparse rows. Nodes are numbered in the order of their ids; arcs (directed links)
 * in the order of (from, link id), so that comparing numbers compares ids. Unknown numbers are NaN.
 * Everything lives in shared memory: posting it to a worker copies nothing.
 */
export interface SnapshotData {
  readonly revision: number;
  readonly nodeCount: number;
  readonly arcCount: number;
  readonly locatorCount: number;
  readonly sidCount: number;
  readonly affinityCount: number;
  readonly siteCount: number;

  readonly nodeIds: Bytes;
  readonly nodeFlags: Bytes;
  /** Nodes of one IGP domain have the same number. */
  readonly nodeDomain: Integers;
  /** SRH entries the node can push (MSD type 44); -1 unknown. */
  readonly nodeMsd: SignedIntegers;
  /** What the node can process as an endpoint (MSD types 41, 42, 45); -1: no limit is known. */
  readonly nodeMsdSegmentsLeft: SignedIntegers;
  readonly nodeMsdEndPop: SignedIntegers;
  readonly nodeMsdEndD: SignedIntegers;
  /** Index into `siteNames`, which are sorted; -1 where the node has no site. */
  readonly nodeSite: SignedIntegers;
  readonly siteNames: Bytes;
  /** Arcs leaving node i: outStart[i] up to, not including, outStart[i + 1]. */
  readonly outStart: Integers;
  /** Arcs entering node i: inArcs[inStart[i]] up to, not including, inArcs[inStart[i + 1]]; ascending. */
  readonly inStart: Integers;
  readonly inArcs: Integers;

  readonly linkIds: Bytes;
  readonly arcFrom: Integers;
  readonly arcTo: Integers;
  /** The opposite arc of the same link; -1 when the TED has none. */
  readonly arcReverse: SignedIntegers;
  readonly arcFlags: Bytes;
  readonly igpMetric: Reals;
  readonly teMetric: Reals;
  readonly delayUs: Reals;
  readonly delayVariationUs: Reals;
  readonly lossPpm: Reals;
  readonly reservableBps: Reals;
  readonly mtuBytes: Reals;
  /** `affinityWords` 32-bit words per arc; bit b of the set is the b-th name of `affinityNames`. */
  readonly affinityWords: number;
  readonly affinities: Integers;
  readonly affinityNames: Bytes;
  readonly srlgStart: Integers;
  readonly srlgs: Integers;

  /** Flexible algorithms in which node i takes part: flexStart[i] up to, not including, flexStart[i + 1]; ascending. */
  readonly flexStart: Integers;
  readonly flexAlgorithm: Bytes;
  /** The definition in force in the node's IGP domain; -1 for none. */
  readonly flexDefinition: SignedIntegers;
  /** Per definition that a router advertises, up or not: the router, the algorithm; those that prevail over others first. */
  readonly definitionNode: Integers;
  readonly definitionAlgorithm: Bytes;
  /** Index into FLEX_METRICS, per definition. */
  readonly definitionMetric: Bytes;
  /** Per definition three sets of `affinityWords` words: exclude-any, include-any, include-all. */
  readonly definitionAffinities: Integers;
  readonly definitionSrlgStart: Integers;
  readonly definitionSrlgs: Integers;
  /** By arc, what routers advertise for flexible algorithms; empty where no node takes part in any. NaN: not advertised. */
  readonly advertisedTeMetric: Reals;
  readonly advertisedDelayMinUs: Reals;
  readonly advertisedAffinities: Integers;
  readonly advertisedSrlgStart: Integers;
  readonly advertisedSrlgs: Integers;

  readonly locatorPrefixes: Bytes;
  readonly locatorNode: Integers;
  readonly locatorFlags: Bytes;
  readonly locatorAlgorithm: Bytes;
  readonly locatorMetric: Reals;

  /** SIDs of node i: sidStart[i] up to, not including, sidStart[i + 1]; in the order of their text. */
  readonly sidStart: Integers;
  readonly sidTexts: Bytes;
  readonly sidNode: Integers;
  readonly sidBehavior: Bytes;
  readonly sidOrigin: Bytes;
  readonly sidFlavors: Bytes;
  /** End.X: 1 where the owner has a local repair for the adjacency (RFC 8402 B-flag). */
  readonly sidProtected: Bytes;
  /** Bits of the locator block; 0 of an opaque SID. */
  readonly sidBlockBits: Bytes;
  /** Bits of node and function together, behind the block; 0 of an opaque SID. */
  readonly sidLocalBits: Bytes;
  /** End.X: the arc it crosses; -1 for every other behavior, or when the link is not in the TED. */
  readonly sidArc: SignedIntegers;
}
