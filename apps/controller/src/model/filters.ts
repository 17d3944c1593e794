import type { NodeId } from '@waymark/topology';
import type { Role } from './access.js';
import type { AuditedEntity } from './audit.js';
import type { LinkConstraints, SourceView } from './topology.js';

/* What lists can be filtered by; several members must all match. */

export interface NodeFilter {
  readonly kind?: 'router' | 'host';
  readonly site?: string;
  readonly adminState?: string;
  readonly operationalState?: string;
}

export interface LinkFilter {
  readonly node?: NodeId;
  readonly from?: NodeId;
  readonly to?: NodeId;
  readonly affinity?: string;
  readonly srlg?: number;
  readonly adminState?: string;
  readonly operationalState?: string;
}

export interface LinkConstraintFilter {
  readonly node?: NodeId;
  readonly from?: NodeId;
  readonly to?: NodeId;
  /** Admin state as the operator set it. */
  readonly adminState?: string;
  /** Only settings that set this attribute. */
  readonly sets?: keyof LinkConstraints;
}

export interface ChangeFilter {
  readonly kind?: string;
  readonly actor?: string;
  /** Committed at this time or later. */
  readonly since?: Date;
  /** Committed before this time. */
  readonly until?: Date;
  /** Changes of this node itself: its attributes, locators or SIDs. */
  readonly node?: NodeId;
  readonly link?: string;
}

export interface SourceFilter {
  readonly kind?: SourceView['kind'];
  readonly held?: boolean;
}

export interface PolicyFilter {
  readonly headend?: NodeId;
  readonly endpoint?: NodeId;
  readonly color?: number;
  readonly mesh?: string;
  readonly status?: string;
  readonly install?: string;
  readonly pinned?: boolean;
  /** A PolicyLiveness, as the headend last told. */
  readonly liveness?: string;
  /** Policies whose current lists use this directed link or node. */
  readonly usesLink?: string;
  readonly usesNode?: NodeId;
}

export interface MeshFilter {
  readonly color?: number;
  /** Meshes with a policy from or to this host. */
  readonly node?: NodeId;
  /** Meshes with at least one policy in this status. */
  readonly status?: string;
}

export interface ApiKeyFilter {
  readonly role?: Role;
}

export interface AuditFilter {
  readonly entity?: AuditedEntity;
  readonly entityId?: string;
  readonly actor?: string;
  readonly kind?: string;
  readonly requestId?: string;
  readonly revision?: number;
  /** Written at this time or later. */
  readonly since?: Date;
  /** Written before this time. */
  readonly until?: Date;
}
