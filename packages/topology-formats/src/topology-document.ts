import type { SidFlavor, TedLink, TedNode } from '@waymark/topology';

/** What a file says of a node. An attribute that is absent is one the file does not speak of; admin state is the operator's. */
export type DocumentNode = Pick<TedNode, 'id' | 'kind'> & Partial<Omit<TedNode, 'id' | 'kind' | 'adminState'>>;

/** What a file says of one direction of a link. */
export type DocumentLink = Pick<TedLink, 'id' | 'from' | 'to' | 'reverseId'> &
  Partial<Omit<TedLink, 'id' | 'from' | 'to' | 'reverseId' | 'adminState' | 'advertised'>>;

/** How SRv6 data that a file does not declare is made up. See docs/topology-format.md, "SID plan". */
export interface SidPlan {
  /** Prefix all planned locators are cut from; its length is the locator block length (RFC 8986 section 3.1). */
  readonly block: string;
  /** Bits that number the nodes. A locator has the length of block and node bits together. */
  readonly nodeBits: number;
  /** Bits that number the functions of one node. */
  readonly functionBits: number;
  /** Flavors of planned End and End.X SIDs. NEXT-C-SID moves the numbers to where RFC 9800 expects them. */
  readonly flavors: readonly SidFlavor[];
  /** Service SIDs planned for hosts. */
  readonly services: readonly ServiceBehavior[];
}

export type ServiceBehavior = 'End.DT4' | 'End.DT6' | 'End.DT46';

/** A topology file, whatever its format. All references resolve and all ids are unique. */
export interface TopologyDocument {
  /** In the order of the file. */
  readonly nodes: readonly DocumentNode[];
  /** Directed: each arc names its reverse. */
  readonly links: readonly DocumentLink[];
  /** null: the file does not say; the default plan applies. */
  readonly sidPlan: SidPlan | null;
}

/** `native` is JSON when the text begins with a brace, otherwise YAML. */
export type TopologyFormat = 'native' | 'graphml' | 'repetita';
