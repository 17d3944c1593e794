/**
 * The parts that matter here of objects of clusters. Everything may be missing: they come from outside.
 * Calico's are of crd.projectcalico.org/v1.
 */

export interface ObjectMeta {
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface KubernetesNode {
  readonly metadata?: ObjectMeta;
  readonly spec?: { readonly podCIDR?: string; readonly podCIDRs?: readonly string[] };
  readonly status?: {
    readonly addresses?: readonly { readonly type?: string; readonly address?: string }[];
    readonly conditions?: readonly { readonly type?: string; readonly status?: string }[];
  };
}

/** Which node serves a block of pod addresses. */
export interface BlockAffinity {
  readonly metadata?: ObjectMeta;
  readonly spec?: {
    readonly cidr?: string;
    readonly node?: string;
    readonly state?: string;
    /** `true` while it is going; Calico writes a text. */
    readonly deleted?: string | boolean;
    /** `host`, or `virtual` for blocks of no node. */
    readonly type?: string;
  };
}

export interface IpPool {
  readonly metadata?: ObjectMeta;
  readonly spec?: { readonly cidr?: string; readonly allowedUses?: readonly string[] };
}

/** What is allocated of a block. */
export interface IpamBlock {
  readonly metadata?: ObjectMeta;
  readonly spec?: {
    readonly cidr?: string;
    /** `host:<node>`, or `virtual:<name>` */
    readonly affinity?: string | null;
    /** By ordinal of the address in the block: index into `attributes`, or null. */
    readonly allocations?: readonly (number | null)[];
    readonly attributes?: readonly { readonly secondary?: Readonly<Record<string, string>> | null }[];
  };
}

/** What one API server lists. */
export interface ClusterObjects {
  readonly nodes: readonly KubernetesNode[];
  /** null: the cluster has no Calico, and pods have the podCIDRs of their nodes. */
  readonly calico: {
    readonly blockAffinities: readonly BlockAffinity[];
    readonly ipPools: readonly IpPool[];
    readonly ipamBlocks: readonly IpamBlock[];
  } | null;
}
