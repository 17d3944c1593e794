import type { LinkId, NodeId, TedLink, TedNode } from '@waymark/topology';

export type Layer = 'discovered' | 'measured' | 'operator';

/** Who changed something: shown in the change log. */
export interface Actor {
  readonly name: string;
  /** How a request was recognised (Identity), and its id; undefined for what comes from elsewhere than the API. */
  readonly credential?: string;
  readonly requestId?: string;
  /** The object of a cluster on whose behalf it acts: kubernetes:<cluster>/<kind>/<name>. Only it may change what is its. */
  readonly owner?: string;
}

/** Where an effective value came from, per attribute name. */
export interface Provenance {
  readonly layer: Layer;
  readonly source: string;
  readonly revision: number;
}

/** What one layer of one source says of an entity; only the attributes it sets. */
export interface LayerView<Attributes> {
  readonly layer: Layer;
  readonly source: string;
  readonly revision: number;
  readonly attributes: Partial<Attributes>;
}

export interface NodeView {
  readonly effective: TedNode;
  readonly provenance: Readonly<Partial<Record<keyof TedNode, Provenance>>>;
  readonly layers: readonly LayerView<TedNode>[];
}

export interface LinkView {
  readonly effective: TedLink;
  readonly provenance: Readonly<Partial<Record<keyof TedLink, Provenance>>>;
  readonly layers: readonly LayerView<TedLink>[];
}

/** What SR policies hold of a link's reservable bandwidth, in bit/s. */
export interface LinkReservation {
  readonly bookedBps: number;
  /** null: the reservable bandwidth is unknown. */
  readonly unreservedBps: number | null;
  /** At the setup priorities 0 to 7 (RFC 5305 section 3.6); the last is `unreservedBps`. */
  readonly unreservedBpsByPriority: readonly number[] | null;
}

/** What an operator may lay over a link. null clears an attribute, undefined leaves it. */
export interface LinkConstraints {
  readonly adminState?: TedLink['adminState'] | null;
  readonly teMetric?: number | null;
  readonly delayUs?: number | null;
  readonly delayVariationUs?: number | null;
  readonly lossPpm?: number | null;
  readonly bandwidthBps?: number | null;
  readonly reservableBandwidthBps?: number | null;
  readonly affinities?: readonly string[] | null;
  readonly srlgs?: readonly number[] | null;
}

/** What an operator may lay over a node. */
export interface NodeConstraints {
  readonly adminState?: TedNode['adminState'] | null;
  readonly msdHEncaps?: number | null;
  readonly msdSegmentsLeft?: number | null;
  readonly msdEndPop?: number | null;
  readonly msdEndD?: number | null;
}

/** Operator settings of one entity. `version` is its ETag: the revision that wrote it, 0 when nothing is set. */
export interface OperatorSettings<Constraints> {
  readonly id: string;
  readonly version: number;
  readonly constraints: Constraints;
}

export interface LinkSettings extends OperatorSettings<LinkConstraints> {
  /** The object of a cluster that they belong to; null: they are the operators' own. */
  readonly owner: string | null;
}

export interface TopologyHead {
  readonly instance: string;
  readonly revision: number;
  readonly tedRevision: number;
  readonly computedThrough: number;
  readonly nodes: number;
  readonly routers: number;
  readonly hosts: number;
  /** Directed. */
  readonly links: number;
}

export interface EntityCounts {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

export interface ImportResult {
  readonly revision: number;
  readonly changed: boolean;
  readonly nodes: EntityCounts;
  readonly links: EntityCounts;
  /** SIDs and locators that the SID plan filled in. */
  readonly planned: { readonly locators: number; readonly sids: number };
}

export interface PlannedSidsConfirmation {
  readonly revision: number;
  /** How many were still only planned. */
  readonly confirmed: { readonly locators: number; readonly sids: number };
}

export interface ChangeEntry {
  readonly revision: number;
  readonly tedRevision: number;
  readonly at: string;
  readonly actor: string;
  readonly kind: string;
  readonly summary: string;
}

export interface EntityChange {
  readonly entity: 'node' | 'link' | 'locator' | 'sid';
  readonly id: string;
  readonly layer: Layer;
  readonly source: string;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
}

/** One statement of an outside source about the network. */
export type SourceEvent =
  | { readonly kind: 'link-state'; readonly link: LinkId; readonly state: 'up' | 'down' }
  | { readonly kind: 'node-state'; readonly node: NodeId; readonly state: 'up' | 'down' }
  | { readonly kind: 'link-igp-metric'; readonly link: LinkId; readonly igpMetric: number }
  | {
      readonly kind: 'link-measurement';
      readonly link: LinkId;
      readonly delayUs?: number | null;
      readonly delayMinUs?: number | null;
      readonly delayMaxUs?: number | null;
      readonly delayVariationUs?: number | null;
      readonly lossPpm?: number | null;
      readonly bandwidthBps?: number | null;
    }
  | {
      readonly kind: 'service-sids';
      readonly node: NodeId;
      readonly sids: readonly { readonly sid: string; readonly behavior: 'End.DT4' | 'End.DT6' | 'End.DT46' }[];
    };

export interface SourceBatch {
  /** Last sequence + 1; a repeated one is accepted and changes nothing, a gap is refused. */
  readonly sequence: number;
  /** The batch states everything the source knows: links and nodes it does not name are down for this source. */
  readonly full: boolean;
  readonly events: readonly SourceEvent[];
}

export interface SourceView {
  readonly id: string;
  readonly kind: 'file' | 'events' | 'agent' | 'kubernetes';
  readonly lastSequence: number | null;
  readonly held: { readonly since: string; readonly reason: string } | null;
  readonly updatedAt: string;
}

/** What a cluster says of one of its hosts. */
export interface ClusterHost {
  readonly id: NodeId;
  readonly name: string;
  readonly site: string | null;
  /** RFC 5952. */
  readonly address: string | null;
  /** Canonical, sorted. */
  readonly podPrefixes: readonly string[];
  /** Routers; empty when another source says where the host is attached. */
  readonly attachedTo: readonly NodeId[];
  /** Of the links to these and from them, in microseconds; not given: unknown. */
  readonly attachmentDelayUs?: number;
}

export type ClusterHostsResult =
  | { readonly outcome: 'applied'; readonly revision: number }
  | { readonly outcome: 'held'; readonly revision: number; readonly reason: string };

export interface SourceBatchResult {
  readonly outcome: 'applied' | 'duplicate' | 'held';
  readonly sequence: number;
  readonly revision: number;
}

/** A source that collapsed and is not believed; the topology is what it said before. */
export interface HeldSource {
  readonly id: string;
  /** The revision with which it was held. */
  readonly heldRevision: number;
}

export interface TopologyElements {
  readonly links: readonly LinkId[];
  readonly nodes: readonly NodeId[];
}
