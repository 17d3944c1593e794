import type { PathMetrics } from './path-answer.js';
import type { PathConstraints } from './path-request.js';
import type { LinkId, NodeId } from './ted.js';

/** What a segment list is held against. */
export interface ProofRequirement {
  readonly headend: NodeId;
  readonly destination: NodeId;
  /** Without: loop-free delivery to the destination only (fallbacks, explicit lists without constraints). */
  readonly constraints?: PathConstraints;
  /**
   * Links, and nodes between the endpoints, that the operator drained or took down count as violations; so does an
   * endpoint that is down. `down-only` lets drained ones pass. Default true when constraints are given.
   */
  readonly honourAdminState?: boolean | 'down-only';
  /** Overrides the headend's MSD when smaller. */
  readonly maxSegments?: number;
}

export type ViolationKind =
  | 'unknown-sid'
  | 'container-misread'
  | 'not-routed'
  | 'link-down'
  | 'loop'
  | 'not-delivered'
  | 'host-transit'
  | 'msd-exceeded'
  | 'metric-bound-exceeded'
  | 'insufficient-bandwidth'
  | 'affinity-excluded'
  | 'srlg-excluded'
  | 'resource-excluded'
  | 'include-missed'
  | 'admin-state'
  | 'mtu-exceeded';

export interface Violation {
  readonly kind: ViolationKind;
  /** One sentence, naming entry, C-SID, node and link. */
  readonly message: string;
  /** Entry of the segment list, from 0. */
  readonly segmentIndex: number | null;
  readonly node: NodeId | null;
  readonly link: LinkId | null;
}

export interface Proof {
  readonly revision: number;
  readonly ok: boolean;
  /** The first, walking from the headend; null when ok. */
  readonly violation: Violation | null;
  /** Over all branches walked up to the violation. */
  readonly worst: PathMetrics;
  readonly best: PathMetrics;
  readonly singlePath: boolean;
  /** Share of the traffic per directed link under even ECMP splits, sorted by link id. */
  readonly load: readonly { readonly linkId: LinkId; readonly share: number }[];
}
