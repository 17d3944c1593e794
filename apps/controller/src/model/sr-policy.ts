import type {
  AddressFamily,
  Detour,
  Disjointness,
  Hypothetical,
  LinkId,
  MetricType,
  NodeId,
  OptionalOutcome,
  PathConstraints,
  PathMetrics,
  Segment,
  SegmentList,
  Shared,
  StandbyRequest,
  UnachievedStandby,
} from '@waymark/topology';

/** Hand-written transport SIDs; the service SID of each family is appended. */
export interface ExplicitPath {
  readonly kind: 'explicit';
  readonly segmentLists: readonly { readonly weight: number; readonly sids: readonly string[] }[];
  /** Held against these when given; otherwise proved for loop-free delivery only. */
  readonly constraints?: PathConstraints;
}

export interface DynamicPath {
  readonly kind: 'dynamic';
  readonly metric: MetricType;
  readonly constraints: PathConstraints;
  readonly maxSegments?: number;
  /** Weighted lists that may carry `bandwidthBps` together where no single one can; by default 1. */
  readonly maxLists?: number;
  /** Constraints that need not be kept, as JSON pointers into this path, the most important first (PathRequest.optional). */
  readonly optional?: readonly string[];
  /** While this path is active: a list for the headend to use while none of its own delivers. */
  readonly standby?: StandbyRequest;
}

export interface CandidatePathIntent {
  readonly discriminator: number;
  /** Higher wins (RFC 9256 section 2.7). */
  readonly preference: number;
  readonly name?: string;
  readonly path: ExplicitPath | DynamicPath;
}

/** When no candidate path is valid: discard the traffic, or send it along the IGP's shortest path. */
export type Fallback = 'drop' | 'shortest-path';

/** Priorities go from 0, the highest, to this (RFC 3209 section 4.7.3). */
export const LOWEST_PRIORITY = 7;

/** What a mesh gives each of its policies, and what an operator gives a single one. */
export interface PolicyTemplate {
  readonly candidatePaths: readonly CandidatePathIntent[];
  readonly fallback: Fallback;
  /** With what right bandwidth is taken: also such as is held at a numerically greater priority. By default the lowest. */
  readonly setupPriority?: number;
  /** With what right it is held; not numerically greater than the setup priority, which is the default. */
  readonly holdPriority?: number;
}

/** The priorities of a policy, defaults filled in. */
export function prioritiesOf({ setupPriority, holdPriority }: PriorityTerms): {
  readonly setupPriority: number;
  readonly holdPriority: number;
} {
  const setup = setupPriority ?? LOWEST_PRIORITY;
  return { setupPriority: setup, holdPriority: holdPriority ?? setup };
}

interface PriorityTerms {
  readonly setupPriority?: number | null;
  readonly holdPriority?: number | null;
}

export interface SrPolicyIntent extends PolicyTemplate {
  readonly headend: NodeId;
  /** 1 to 4294967295 */
  readonly color: number;
  readonly endpoint: NodeId;
  readonly name?: string;
  /** Explicit steering; without it the endpoint's pod prefixes that nobody else has claimed. */
  readonly steeredPrefixes?: readonly string[];
}

/** Key of a policy (RFC 9256 section 2.1) in one word. */
export function policyIdOf({
  headend,
  color,
  endpoint,
}: Pick<SrPolicyIntent, 'headend' | 'color' | 'endpoint'>): string {
  return `${headend}:${color}:${endpoint}`;
}

export type InstallState = 'pending' | 'installed' | 'simulated' | 'failed' | 'none';

export interface CandidatePathState {
  readonly discriminator: number;
  readonly preference: number;
  readonly valid: boolean;
  readonly active: boolean;
  /** Why it is not valid: a no-path reason or a violation, with its sentence. */
  readonly reason: string | null;
  readonly message: string | null;
  /** What becomes of its optional constraints, in their order; empty when it is not valid. */
  readonly optional: readonly OptionalOutcome[];
}

/** One transport list in use, with what it does. */
export interface PolicyList {
  readonly weight: number;
  readonly nodes: readonly NodeId[];
  readonly links: readonly LinkId[];
  readonly metrics: PathMetrics;
  readonly transport: readonly Segment[];
  /** Finished lists, one per family. */
  readonly segmentLists: readonly SegmentList[];
  /** Share of the policy's traffic per directed link; what a booking reserves. */
  readonly load: readonly { readonly linkId: LinkId; readonly share: number }[];
}

/** What the probes of the headend through one finished list found. `unknown`: nothing yet, or nothing lately. */
export type Liveness = 'up' | 'down' | 'unknown';

/** - `degraded`: some of the active lists are down, others carry the traffic.
 * - `standby`: the headend uses the standby, because none of the active lists delivers.
 * - `down`: no active list delivers, and the standby is not in use. */
export type PolicyLiveness = 'up' | 'degraded' | 'standby' | 'down' | 'unknown';

/** One finished list, as the probes of the headend through it found it. */
export interface ListLiveness {
  readonly family: AddressFamily;
  readonly state: Liveness;
  /** The agent is silent: the numbers are the last that it told, and what is true now is unknown. */
  readonly stale: boolean;
  /** When the state changed last; null: unknown. */
  readonly since: string | null;
  /** Does the headend send steered packets through it? null: unknown. */
  readonly inUse: boolean | null;
  readonly probesSent: number;
  readonly probesLost: number;
  /** null: no probe came back. */
  readonly roundTripUs: { readonly min: number; readonly average: number; readonly max: number } | null;
  readonly reportedAt: string;
}

/** A list with what the headend says of it: one entry per family, none when it does not probe. */
export interface ProbedList extends PolicyList {
  readonly liveness: readonly ListLiveness[];
}

/** What became of the standby that the active candidate path asks for. */
export interface DisjointStandby {
  /** False: the standby, if there is one, is that of the next valid candidate path. */
  readonly isFound: boolean;
  /** The level of disjointness that holds, in its shortest form; empty when links are shared, and when none was found. */
  readonly achieved: readonly Disjointness[];
  /** Stronger levels that were asked for, the strongest first. */
  readonly unachieved: readonly UnachievedStandby[];
  /** With the lists in use; null when none was found. */
  readonly shared: Shared | null;
  /** Why none was found; null when one was. */
  readonly message: string | null;
}

export interface PolicyState {
  readonly status: 'up' | 'fallback' | 'down';
  /** Discriminator of the active candidate path. */
  readonly activeCandidatePath: number | null;
  readonly compliance: 'constraints-met' | 'constraints-not-met' | 'unconstrained' | null;
  /** `liveness`: of its lists, where the headend holds them as active or as standby. */
  readonly candidatePaths: readonly (CandidatePathState & { readonly liveness: Liveness })[];
  readonly lists: readonly ProbedList[];
  /** For the headend to use by itself while none of the lists delivers: what the active candidate path asked for, or lists of the next valid one. */
  readonly standby: { readonly candidatePath: number; readonly lists: readonly ProbedList[] } | null;
  /** null: the active candidate path asks for none. */
  readonly disjointStandby: DisjointStandby | null;
  readonly liveness: PolicyLiveness;
  readonly bindingSids: readonly { readonly family: AddressFamily; readonly sid: string }[];
  readonly steering: readonly { readonly prefix: string; readonly heldBy: string | null }[];
  /** Of pods whose service class is its color. */
  readonly classPrefixes: readonly string[];
  /** Headend generation that carries this; null before the first publication. */
  readonly generation: number | null;
  readonly install: InstallState;
  readonly installReason: string | null;
  /** The event and what followed from it, in one sentence. */
  readonly cause: string;
  /** What led to the last change. */
  readonly event: {
    readonly kind: string;
    readonly revision: number;
    readonly by: string;
    readonly at: string;
    readonly summary: string;
  };
  readonly changedAt: string;
  /** From the commit of the event to the stored ack; null while pending, and when nothing had to be installed. */
  readonly eventToInstalledMs: number | null;
}

/** The repairs that routers are expected to make for one list in use (RFC 9855). */
export interface ListDetours {
  readonly weight: number;
  /** In front of the service SID. */
  readonly sids: readonly string[];
  /** null: it does not deliver. */
  readonly detours: readonly Detour[] | null;
  /** Why it does not deliver; null when it does. */
  readonly message: string | null;
}

export interface PolicyDetours {
  readonly policyId: string;
  /** Of the TED. */
  readonly revision: number;
  readonly lists: readonly ListDetours[];
}

export interface SrPolicyView {
  /** <headend>:<color>:<endpoint> */
  readonly id: string;
  /** Revision of the intent: its ETag. */
  readonly version: number;
  readonly intent: SrPolicyIntent;
  readonly mesh: string | null;
  /** The object of a Kubernetes cluster that it belongs to; null: it was made through the REST API, or by its mesh. */
  readonly owner: string | null;
  readonly pinned: boolean;
  readonly canRollBack: boolean;
  /** null until the leader has computed it for the first time. */
  readonly state: PolicyState | null;
}

export interface MeshIntent {
  readonly id: string;
  readonly color: number;
  /** Hosts by id, by site, or all. */
  readonly selector: { readonly all?: true; readonly nodes?: readonly NodeId[]; readonly sites?: readonly string[] };
  readonly template: PolicyTemplate;
  readonly overrides: readonly {
    readonly headend: NodeId;
    readonly endpoint: NodeId;
    /** Replaces what it names of the template; `exclude` makes no policy for this pair. */
    readonly override: Partial<PolicyTemplate> & { readonly exclude?: true };
  }[];
}

export interface MeshView {
  readonly id: string;
  readonly version: number;
  readonly intent: MeshIntent;
  /** As of a policy. */
  readonly owner: string | null;
  readonly policies: {
    readonly total: number;
    readonly up: number;
    readonly fallback: number;
    readonly down: number;
    readonly installed: number;
  };
}

/** What a change would do to one policy. */
export interface PolicyMove {
  readonly policyId: string;
  readonly change: 'created' | 'moved' | 'fallback' | 'down' | 'restored' | 'removed' | 'unchanged-blocked';
  readonly before: readonly { readonly weight: number; readonly links: readonly LinkId[] }[];
  readonly after: readonly { readonly weight: number; readonly links: readonly LinkId[] }[];
  readonly metricsBefore: PathMetrics | null;
  readonly metricsAfter: PathMetrics | null;
  readonly message: string;
}

export interface DryRunResult {
  readonly revision: number;
  readonly policiesExamined: number;
  readonly moves: readonly PolicyMove[];
  /** Only with an overlay. */
  readonly hypothetical?: Hypothetical;
}
