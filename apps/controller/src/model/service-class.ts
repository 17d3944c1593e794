import type { NodeId } from '@waymark/topology';
import type { Page, PageRequest } from './ports.js';
import type { InstallState } from './sr-policy.js';

/** An address of a pod whose traffic is steered by policies of a color. */
export interface ClassMember {
  readonly headend: NodeId;
  /** IPv6 as in RFC 5952: no two members of a headend have the same. */
  readonly address: string;
  readonly color: number;
  readonly namespace: string;
  readonly pod: string;
}

/** What is different about the members that a cluster has. */
export interface MemberChanges {
  readonly put: readonly ClassMember[];
  readonly removed: readonly Pick<ClassMember, 'headend' | 'address'>[];
}

/** The pods of one service class on one headend. */
export interface ServiceClassView {
  readonly headend: NodeId;
  readonly color: number;
  readonly sources: readonly (Omit<ClassMember, 'headend' | 'color'> & { readonly cluster: string })[];
  /** Of the headend, that wrote it last; null: it is yet to be written. */
  readonly generation: number | null;
  readonly install: InstallState;
  readonly installReason: string | null;
}

export interface ServiceClassFilter {
  readonly headend?: string;
  readonly color?: number;
}

/** Members of service classes, which clusters state. What headends are to hold follows from them. */
export interface ServiceClassService {
  serviceClasses(filter: ServiceClassFilter, page: PageRequest): Promise<Page<ServiceClassView>>;
  members(cluster: string): Promise<readonly ClassMember[]>;
  /** Only by the leader of this epoch; rejects, having changed nothing, when another one leads. */
  changeMembers(epoch: number, cluster: string, changes: MemberChanges): Promise<void>;
  /** Withdraws, as the leader of this epoch, the members of all clusters but these. */
  withdrawOtherClusters(epoch: number, clusters: readonly string[]): Promise<void>;
}
