/**
 * The traffic-engineering database (TED) as path computation sees it: effective values of one revision, no layers.
 * Units are in the names; addresses and SIDs are RFC 5952 text; null means unknown.
 */

export type NodeId = string;
export type LinkId = string;

/** Discovered state of an adjacency or node: what routers themselves use. */
export type OperationalState = 'up' | 'down';

/**
 * The operator's will. It restricts search and proof, never the SPF by which routers expand a node segment.
 * - `drained`: nothing new goes here; what is here stays until it can move without breaking.
 * - `down`: nothing may be here.
 */
export type AdminState = 'up' | 'drained' | 'down';

/** Which routers have a route to a locator's prefix: all of its IGP domain, or only the owner's attachment routers. */
export type RoutedScope = 'igp' | 'attachment';

/** Where a SID or locator is known from. A planned one never reaches a real data plane. */
export type SidOrigin = 'discovered' | 'agent' | 'operator' | 'planned';

/** RFC 8986 section 3.1; the sum is at most 128. */
export interface SidStructure {
  readonly blockBits: number;
  readonly nodeBits: number;
  readonly functionBits: number;
  readonly argumentBits: number;
}

export interface Locator {
  readonly prefix: string;
  /** 0 = SPF by IGP metric, 128 to 255 = flexible algorithm (RFC 9350). */
  readonly algorithm: number;
  /** Metric at which the owner advertises the prefix. */
  readonly metric: number;
  readonly anycast: boolean;
  readonly scope: RoutedScope;
  readonly structure: SidStructure;
  readonly origin: SidOrigin;
}

export type EndpointBehavior = 'End' | 'End.X' | 'End.DT4' | 'End.DT6' | 'End.DT46';
export type SidFlavor = 'PSP' | 'USP' | 'USD' | 'NEXT-C-SID';

export interface Sid {
  readonly sid: string;
  readonly behavior: EndpointBehavior;
  readonly flavors: readonly SidFlavor[];
  readonly algorithm: number;
  /** End.X only: has the owner a local repair for this adjacency (RFC 8402 B-flag)? */
  readonly protected: boolean;
  /** End.X only: the directed link the behavior sends to; the owner is that link's `from`. */
  readonly linkId: LinkId | null;
  /** null = opaque (allocated by an IPAM): takes a whole SRH entry. */
  readonly structure: SidStructure | null;
  readonly origin: SidOrigin;
}

/**
 * How a headend encapsulates. `full` = H.Encaps (SRH entries = SIDs), `reduced` = H.Encaps.Red (one entry fewer, no SRH
 * for a single SID).
 */
export type EncapMode = 'full' | 'reduced';

/** What a flexible algorithm adds up (RFC 9350 section 5.1, metric types 0, 1 and 2). */
export type FlexMetricType = 'igp' | 'min-delay' | 'te';

/** Flexible Algorithm Definition (FAD, RFC 9350 section 5); an empty list is no rule. Of its flags none is known. */
export interface FlexAlgorithmDefinition {
  readonly metricType: FlexMetricType;
  /** 0 to 255; the highest of a domain is in force, and of several that of the router with the highest id. */
  readonly priority: number;
  readonly excludeAny: readonly string[];
  readonly includeAny: readonly string[];
  readonly includeAll: readonly string[];
  readonly excludeSrlgs: readonly number[];
}

/** A flexible algorithm in which a node takes part. */
export interface FlexAlgorithm {
  /** 128 to 255. */
  readonly algorithm: number;
  /** null: the node uses what others define. */
  readonly definition: FlexAlgorithmDefinition | null;
}

export interface TedNode {
  readonly id: NodeId;
  /** Hosts are never transit. */
  readonly kind: 'router' | 'host';
  readonly name: string;
  readonly site: string | null;
  readonly latitude: number | null;
  readonly longitude: number | null;
  /** Dotted quad, as OSPF and IS-IS TE print it. */
  readonly routerId: string | null;
  readonly igpDomain: string;
  /** The one canonical IPv6 address: endpoint of SR policies and encapsulation source. */
  readonly address: string | null;
  readonly encapMode: EncapMode;
  /** MSD type H.Encaps (44, RFC 9352): SRH entries this headend can push; minimum over all layers. null = unknown. */
  readonly msdHEncaps: number | null;
  /**
   * What the node can process as an endpoint (RFC 9352 section 4), minimum over all layers. null = no limit is known.
   * - `msdSegmentsLeft` (type 41): Segments Left of an SRH that arrives with one of the node's SIDs as destination;
   * - `msdEndPop` (42): SRH entries that PSP and USP can remove;
   * - `msdEndD` (45): SRH entries of a packet that the node decapsulates.
   */
  readonly msdSegmentsLeft: number | null;
  readonly msdEndPop: number | null;
  readonly msdEndD: number | null;
  readonly podPrefixes: readonly string[];
  readonly adminState: AdminState;
  readonly operationalState: OperationalState;
  /** Flexible algorithms (RFC 9350) in which the node takes part, by number. */
  readonly flexAlgorithms: readonly FlexAlgorithm[];
  readonly locators: readonly Locator[];
  /** All SIDs the node owns: End, End.X of its links, and service SIDs. */
  readonly sids: readonly Sid[];
}

/**
 * Link attributes by which flexible algorithms choose, as routers advertise them. What is known of a link stands for its
 * application-specific attributes for Flex-Algorithm (RFC 9350 section 12).
 */
export interface AdvertisedAttributes {
  readonly teMetric: number | null;
  readonly delayMinUs: number | null;
  readonly affinities: readonly string[];
  readonly srlgs: readonly number[];
}

export interface TedLink {
  readonly id: LinkId;
  readonly from: NodeId;
  readonly to: NodeId;
  /** The opposite arc of the same adjacency; routers use a link only when both are up (two-way check). */
  readonly reverseId: LinkId;
  readonly igpArea: string | null;
  /** Addresses of the `from` interface, IPv4 and IPv6. */
  readonly interfaceAddresses: readonly string[];
  readonly igpMetric: number;
  /** null: equal to the IGP metric (RFC 5305). */
  readonly teMetric: number | null;
  /** Average unidirectional delay; this is what the metric type `delay` sums. */
  readonly delayUs: number | null;
  readonly delayMinUs: number | null;
  readonly delayMaxUs: number | null;
  readonly delayVariationUs: number | null;
  readonly lossPpm: number | null;
  readonly bandwidthBps: number | null;
  /** null: equal to bandwidthBps. */
  readonly reservableBandwidthBps: number | null;
  readonly affinities: readonly string[];
  readonly srlgs: readonly number[];
  /** What routers go by where an operator or a measurement says otherwise; null: the same as the values above. */
  readonly advertised: AdvertisedAttributes | null;
  readonly mtuBytes: number | null;
  readonly adminState: AdminState;
  readonly operationalState: OperationalState;
}

export interface Ted {
  /** TED revision these values belong to. */
  readonly revision: number;
  /** Sorted by id. */
  readonly nodes: readonly TedNode[];
  /** Sorted by id. */
  readonly links: readonly TedLink[];
}
