/**
 * The seams between the rooms of the controller: api → services → compute → storage. Each interface has one
 * implementation; they stand here so that api and services can be read (and built) without each other.
 * All methods that take bad input throw a Problem; all writes are one transaction each.
 */
import type {
  DisjointAnswer,
  DisjointRequest,
  FailureKind,
  Hypothetical,
  LinkId,
  NodeId,
  Overlay,
  PathAnswer,
  PathConstraints,
  PathRequest,
  Proof,
  Ted,
} from '@waymark/topology';
import type {
  Actor,
  ChangeEntry,
  ClusterHost,
  ClusterHostsResult,
  EntityChange,
  ImportResult,
  LinkConstraints,
  LinkSettings,
  LinkView,
  NodeConstraints,
  NodeView,
  OperatorSettings,
  PlannedSidsConfirmation,
  SourceBatch,
  SourceBatchResult,
  SourceView,
  TopologyHead,
} from './topology.js';
import type {
  DryRunResult,
  Liveness,
  MeshIntent,
  MeshView,
  PolicyDetours,
  SrPolicyIntent,
  SrPolicyView,
} from './sr-policy.js';
import type { EventType, WaymarkEvent } from './events.js';
import type { FailureImpact, FailureSweepRequest, PolicyAtRisk } from './failure-sweep.js';
import type { ControllersView } from './controllers.js';
import type { JobChange, JobCounts, JobView } from './jobs.js';
import type { ClusterHostsView } from './kubernetes.js';
import type { BatchItem, PathBatch } from './path-batch.js';
import type { AccessService, ApiKeyRequest, ApiKeyView, IssuedApiKey } from './access.js';
import type { AuditEntry } from './audit.js';
import type {
  ApiKeyFilter,
  AuditFilter,
  ChangeFilter,
  LinkConstraintFilter,
  LinkFilter,
  MeshFilter,
  NodeFilter,
  PolicyFilter,
  SourceFilter,
} from './filters.js';
import type { ServiceClassService } from './service-class.js';

/** Keyset pagination: `after` is the last key of the page before. */
export interface PageRequest {
  readonly limit: number;
  readonly after?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Key to pass as `after`; null on the last page. */
  readonly next: string | null;
}

export type TopologyFormat = 'native' | 'graphml' | 'repetita';

export interface TopologyService {
  head(): Promise<TopologyHead>;
  /**
   * Effective TED: the newest (cached, shared, frozen; what did not change stays the same object from one to the next) or
   * rebuilt for a past TED revision.
   */
  ted(tedRevision?: number): Promise<Ted>;
  /** The TED as it was at a revision of anything: revisions of policies count in it, in TED revisions they do not. */
  tedAtRevision(revision: number): Promise<Ted>;
  /** Every new revision, whoever wrote it; several close together as the newest. Returns the end of the subscription. */
  onRevision(listener: (numbers: { readonly revision: number; readonly tedRevision: number }) => void): () => void;
  importTopology(input: {
    readonly text: string;
    readonly format: TopologyFormat;
    readonly source: string;
    readonly actor: Actor;
    readonly dryRun?: boolean;
  }): Promise<ImportResult>;
  /** Native format, as of a revision of anything. Discovered layer only, unless `operatorSettings`. */
  exportTopology(input: {
    readonly revision?: number;
    readonly operatorSettings?: boolean;
    readonly syntax: 'json' | 'yaml';
  }): Promise<string>;

  nodes(filter: NodeFilter, page: PageRequest): Promise<Page<NodeView>>;
  node(id: NodeId): Promise<NodeView>;
  links(filter: LinkFilter, page: PageRequest): Promise<Page<LinkView>>;
  link(id: string): Promise<LinkView>;

  linkConstraints(id: string): Promise<LinkSettings>;
  allLinkConstraints(filter: LinkConstraintFilter, page: PageRequest): Promise<Page<LinkSettings>>;
  /** `replace`: what is not named is cleared. `ifVersion` mismatching throws precondition-failed. */
  setLinkConstraints(input: {
    readonly changes: readonly {
      readonly link: string;
      readonly constraints: LinkConstraints;
      readonly ifVersion?: number;
    }[];
    readonly mode: 'replace' | 'patch';
    readonly actor: Actor;
  }): Promise<{ readonly revision: number; readonly settings: readonly LinkSettings[] }>;
  nodeConstraints(id: NodeId): Promise<OperatorSettings<NodeConstraints>>;
  setNodeConstraints(input: {
    readonly node: NodeId;
    readonly constraints: NodeConstraints;
    readonly mode: 'replace' | 'patch';
    readonly ifVersion?: number;
    readonly actor: Actor;
  }): Promise<OperatorSettings<NodeConstraints>>;
  /** Planned SIDs and locators of these nodes get the origin `operator`: the routers really have them. */
  confirmPlannedSids(nodes: readonly NodeId[] | 'all', actor: Actor): Promise<PlannedSidsConfirmation>;

  changes(filter: ChangeFilter, page: PageRequest): Promise<Page<ChangeEntry>>;
  /** `entities` holds the first thousand of `entityCount`. */
  change(
    revision: number,
  ): Promise<ChangeEntry & { readonly entityCount: number; readonly entities: readonly EntityChange[] }>;

  sources(filter: SourceFilter, page: PageRequest): Promise<Page<SourceView>>;
  source(id: string): Promise<SourceView>;
  /** Everything that a cluster says of its hosts; what it does not name any more is withdrawn. */
  applyClusterHosts(cluster: string, hosts: readonly ClusterHost[], actor: Actor): Promise<ClusterHostsResult>;
  /** What it said last, as far as it was believed. */
  clusterHosts(cluster: string): Promise<readonly ClusterHost[]>;
  applySourceBatch(id: string, batch: SourceBatch, actor: Actor): Promise<SourceBatchResult>;
  /** Believe (`apply`) or discard the batch at which a collapsing source was held. */
  releaseSource(id: string, decision: 'apply' | 'discard', actor: Actor): Promise<SourceView>;
}

/** An answer, and on what overlay it holds where there is one. */
export type UnderOverlay<Answer> = Answer & { readonly hypothetical?: Hypothetical };

export interface PathComputationService {
  /** `signal`, here and below: nobody waits for the answer any more. */
  compute(
    request: PathRequest,
    revision?: number,
    overlay?: Overlay,
    signal?: AbortSignal,
  ): Promise<UnderOverlay<PathAnswer>>;
  computeDisjoint(
    request: DisjointRequest,
    revision?: number,
    overlay?: Overlay,
    signal?: AbortSignal,
  ): Promise<UnderOverlay<DisjointAnswer>>;
  prove(
    input: {
      readonly headend: NodeId;
      readonly destination: NodeId;
      readonly sids: readonly string[];
      readonly constraints?: PathConstraints;
      readonly setupPriority?: number;
      readonly revision?: number;
      readonly overlay?: Overlay;
    },
    signal?: AbortSignal,
  ): Promise<UnderOverlay<Proof>>;
}

/** Many paths at once, as jobs of this process. */
export interface PathBatchService {
  /** The same batch again under the same id is the one that there is; another one throws already-exists. */
  create(batch: PathBatch): Promise<JobView>;
  batch(id: string): JobView;
  /** How it is now, then whenever it has moved on, until it is over or deleted. Throws Problem not-found at once. */
  follow(id: string, signal: AbortSignal): AsyncIterable<JobChange>;
  answers(id: string, page: PageRequest): Page<BatchItem>;
  /** Cancels it if it is not over, and forgets it. */
  delete(id: string): void;
}

/** A change that a dry-run can be asked about. */
export type ProposedChange =
  | { readonly kind: 'link-constraints'; readonly link: string; readonly constraints: LinkConstraints }
  | { readonly kind: 'node-constraints'; readonly node: NodeId; readonly constraints: NodeConstraints }
  | { readonly kind: 'link-state'; readonly link: string; readonly state: 'up' | 'down' }
  | { readonly kind: 'node-state'; readonly node: NodeId; readonly state: 'up' | 'down' }
  | { readonly kind: 'policy-put'; readonly policy: SrPolicyIntent }
  | { readonly kind: 'policy-delete'; readonly policyId: string }
  | { readonly kind: 'policy-unpin'; readonly policyId: string }
  | { readonly kind: 'policy-roll-back'; readonly policyId: string }
  | { readonly kind: 'mesh-put'; readonly mesh: MeshIntent }
  | { readonly kind: 'mesh-delete'; readonly meshId: string };

/** Since the process started, but for those under way and waiting. */
export interface SnapshotCounts {
  readonly underWay: number;
  readonly waiting: number;
  /** Sent whole, and those whose agent held it already. */
  readonly sent: number;
  readonly unchanged: number;
  /** Policies in those that were sent. */
  readonly policies: number;
  /** Told to come back. */
  readonly refused: number;
}

/**
 * Why an agent was refused: `connection`: there are too many. `handshake`: by TLS itself. The others by the certificate that a
 * call came with: one of no node (`nameless`), that has `ended` or was `revoked`, or is that of another node (`trespass`).
 */
export type AgentRefusal = 'connection' | 'handshake' | 'nameless' | 'ended' | 'revoked' | 'trespass';

/** Of this controller. */
export interface AgentSessionCounts {
  readonly sessions: number;
  /** Since the process started. */
  readonly welcomed: number;
  readonly refused: Readonly<Record<AgentRefusal, number>>;
  readonly snapshots: SnapshotCounts;
}

/** What headends found by probing, in numbers. */
export interface LivenessCounts {
  readonly active: Readonly<Record<Liveness, number>>;
  readonly standby: Readonly<Record<Liveness, number>>;
  /** Headends with at least one policy on its standby, and all such policies. */
  readonly headendsOnStandby: number;
  readonly policiesOnStandby: number;
}

export interface PolicyService {
  policies(filter: PolicyFilter, page: PageRequest): Promise<Page<SrPolicyView>>;
  policy(id: string): Promise<SrPolicyView>;
  /** What is predicted for its lists in use on the newest TED. Changes nothing. */
  detours(id: string, failures: readonly FailureKind[], signal?: AbortSignal): Promise<PolicyDetours>;
  /** The same intent again changes nothing and gives the policy as it is; another one under the same key throws already-exists. */
  createPolicy(intent: SrPolicyIntent, actor: Actor): Promise<SrPolicyView>;
  replacePolicy(id: string, intent: SrPolicyIntent, ifVersion: number, actor: Actor): Promise<SrPolicyView>;
  deletePolicy(id: string, ifVersion: number, actor: Actor): Promise<void>;
  /** Keep exactly the current lists as long as they deliver. */
  pin(id: string, ifVersion: number, actor: Actor): Promise<SrPolicyView>;
  unpin(id: string, ifVersion: number, actor: Actor): Promise<SrPolicyView>;
  /** Return to the lists before the last change, and pin them. */
  rollBack(id: string, ifVersion: number, actor: Actor): Promise<SrPolicyView>;

  meshes(filter: MeshFilter, page: PageRequest): Promise<Page<MeshView>>;
  mesh(id: string): Promise<MeshView>;
  /** As createPolicy. */
  createMesh(intent: MeshIntent, actor: Actor): Promise<MeshView>;
  replaceMesh(id: string, intent: MeshIntent, ifVersion: number, actor: Actor): Promise<MeshView>;
  deleteMesh(id: string, ifVersion: number, actor: Actor): Promise<void>;

  /**
   * How many policies of a color that were deleted are still on a headend that has an agent; with `policyId`, of that one.
   * A silent agent may never tell.
   */
  beingWithdrawn(of: { readonly color: number; readonly policyId?: string }): Promise<number>;

  /** Booked by all policies together, in bit/s, by link and hold priority; links without bookings are left out. */
  booked(links: readonly LinkId[]): Promise<ReadonlyMap<LinkId, readonly number[]>>;

  /** What probes find, over all headends: finished lists by state. */
  livenessCounts(): Promise<LivenessCounts>;

  /** What these changes, made together, would move. Changes nothing. */
  dryRun(changes: readonly ProposedChange[], overlay?: Overlay, signal?: AbortSignal): Promise<DryRunResult>;
}

export interface AgentView {
  readonly node: NodeId;
  readonly state: 'connected' | 'unknown';
  readonly agentVersion: string;
  readonly protocolVersion: number;
  /** Features that the agent is too old for. */
  readonly lacks: readonly string[];
  readonly dataplane: string;
  readonly controller: string;
  readonly lastSeen: string;
  readonly bus: string;
  readonly dataplaneError: string | null;
  readonly driftRepairs: number;
  readonly desired: { readonly epoch: number; readonly generation: number };
  readonly accepted: { readonly epoch: number; readonly generation: number };
  /** Accepted the newest generation and its read-back hash equals the desired hash. */
  readonly inSync: boolean;
  readonly policies: {
    readonly total: number;
    readonly installed: number;
    readonly simulated: number;
    readonly pending: number;
    readonly failed: number;
  };
}

export interface InterfaceView {
  readonly name: string;
  readonly up: boolean;
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly drops: number;
  readonly rxBps: number;
  readonly txBps: number;
}

export interface LocalSidView {
  readonly sid: string;
  readonly behavior: string;
  readonly goodPackets: number;
  readonly goodBytes: number;
  readonly badPackets: number;
  readonly badBytes: number;
}

/** What an agent last told of its data plane. */
export interface DataPlaneReport {
  /** When it was stored, and when the agent read it by its own clock. */
  readonly reportedAt: string;
  readonly readAt: string;
  /** null: it does not answer. */
  readonly version: string | null;
  readonly reachable: boolean;
  readonly interfaces: readonly InterfaceView[];
  readonly localSids: readonly LocalSidView[];
  readonly notices: readonly string[];
}

export interface DataPlaneView {
  readonly node: NodeId;
  /** null: its agent has not reported on it yet. */
  readonly report: DataPlaneReport | null;
}

export interface AgentService {
  agents(filter: { readonly state?: string; readonly dataplane?: string }, page: PageRequest): Promise<Page<AgentView>>;
  agent(node: NodeId): Promise<AgentView>;
  dataPlane(node: NodeId): Promise<DataPlaneView>;
}

/**
 * The events that this controller knows of: those that it finds in the database by itself, and those that transactions of
 * any controller announce (announceEvents).
 */
export interface EventBus {
  emit<T extends EventType>(event: WaymarkEvent<T>): void;
  /** Events may have been missed until now; `reason` tells readers why. */
  gap(reason: string): void;
  /** Returns the function that ends the subscription. */
  subscribe(listener: (event: WaymarkEvent) => void, onGap?: (reason: string) => void): () => void;
}

/** Sweeps over single failures; all but `start` throw Problem not-found. */
export interface FailureSweepService {
  start(request: FailureSweepRequest): Promise<JobView>;
  sweep(id: string): JobView;
  failures(id: string, page: PageRequest): Page<FailureImpact>;
  atRisk(id: string, page: PageRequest): Promise<Page<PolicyAtRisk>>;
  delete(id: string): void;
}

/** Keys by name. Whoever calls this has been found to be an admin. */
export interface ApiKeyService {
  keys(filter: ApiKeyFilter, page: PageRequest): Promise<Page<ApiKeyView>>;
  key(name: string): Promise<ApiKeyView>;
  /** Throws already-exists also for the same request again: what was made before cannot be shown again. */
  create(request: ApiKeyRequest, actor: Actor): Promise<IssuedApiKey>;
  /** `expiresAt` null: never; undefined: as before. */
  rotate(
    name: string,
    change: { readonly graceSeconds?: number; readonly expiresAt?: Date | null },
    actor: Actor,
  ): Promise<IssuedApiKey>;
  delete(name: string, actor: Actor): Promise<void>;
}

/** Who changed what, newest first. */
export interface AuditService {
  entries(filter: AuditFilter, page: PageRequest): Promise<Page<AuditEntry>>;
}

/** The controllers of the installation. */
export interface ControllerService {
  controllers(): Promise<ControllersView>;
  /** This one leads, as far as it knows: also while the database is out of reach. */
  readonly leads: boolean;
}

export interface Health {
  readonly live: boolean;
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly detail: string }>>;
}

/** What the HTTP API stands on. */
export interface Services {
  readonly topology: TopologyService;
  readonly paths: PathComputationService;
  readonly pathBatches: PathBatchService;
  readonly policies: PolicyService;
  readonly serviceClasses: ServiceClassService;
  readonly agents: AgentService;
  /** Agents' sessions on this controller. */
  readonly sessions: { counts(): AgentSessionCounts };
  readonly sweeps: FailureSweepService;
  /** Kubernetes clusters that are sources, in the order of the configuration. */
  readonly clusters: () => readonly ClusterHostsView[];
  /** Long computations of all kinds. */
  readonly jobs: { counts(): JobCounts };
  readonly events: EventBus;
  readonly access: AccessService;
  readonly apiKeys: ApiKeyService;
  readonly audit: AuditService;
  readonly controllers: ControllerService;
  readonly health: () => Promise<Health>;
}
