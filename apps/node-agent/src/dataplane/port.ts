/**
 * The data plane as the reconciler sees it: what is there that is ours, and typed steps that change it. A driver knows
 * one kind of data plane (dry-run, the Linux kernel) and decides nothing; what should be there is the reconciler's.
 */

export type Family = 'ipv4' | 'ipv6';

/** SIDs in travel order, RFC 5952 text, the service SID last. */
export interface SegmentList {
  readonly weight: number;
  readonly sids: readonly string[];
}

/** What meets a packet that is steered into a tunnel. Segment lists are in the form of `canonicalLists`. */
export type TunnelAction =
  { readonly kind: 'encapsulate'; readonly segmentLists: readonly SegmentList[] } | { readonly kind: 'drop' };

/**
 * What goes into a tunnel: everybody's packets to the prefix (`color` null), or only those that come from the sources of
 * the service class of that color. In a class, the most specific prefix of the class decides; a packet that none of them
 * holds is steered as everybody's are. So is one to a prefix that a more specific route of someone else holds.
 */
export interface SteeredPrefix {
  /** Canonical text (`10.0.1.0/24`). */
  readonly prefix: string;
  readonly color: number | null;
}

/** One family of one SR policy, as it should be. */
export interface Tunnel {
  readonly family: Family;
  readonly bsid: string;
  readonly alternateBsid: string;
  readonly action: TunnelAction;
  readonly steeredPrefixes: readonly SteeredPrefix[];
}

/**
 * A tunnel that was found. Where the data plane has no binding SIDs, what forwards alike is one tunnel without one; where
 * it has, one into which both families are steered shows as two.
 */
export interface ActualTunnel {
  /** null: nothing is steered into it, so it is not known. */
  readonly family: Family | null;
  readonly bsid: string | null;
  /** `other`: it carries our mark, but we would never have written it so. */
  readonly action: TunnelAction | { readonly kind: 'other'; readonly detail: string };
  readonly steeredPrefixes: readonly SteeredPrefix[];
}

/** Packets from `address`, a pod of this node in canonical text, are of the service class of the color. */
export interface ClassSource {
  readonly address: string;
  readonly color: number;
}

/** `behavior` is a name of RFC 8986, or, of a local SID that was found in a form that is not ours, a description. */
export interface LocalSid {
  readonly sid: string;
  readonly behavior: string;
  /** Of End.X, where packets leave: `fe80::1%eth0`. */
  readonly via?: string;
}

/**
 * Packets that this node itself sends to `address` travel exactly these SIDs, the last of which decapsulates, and are
 * then routed back to this node: how a liveness probe takes a segment list that steered packets may or may not take.
 */
export interface ProbeRoute {
  /** Inside Capabilities.probePrefix. */
  readonly address: string;
  readonly sids: readonly string[];
}

/** Something that carries our mark where we do not write (any more): another table, another metric. */
export interface Stray {
  readonly family: Family;
  readonly id: string;
  readonly description: string;
}

export interface ActualState {
  readonly tunnels: readonly ActualTunnel[];
  readonly localSids: readonly LocalSid[];
  readonly probeRoutes: readonly ProbeRoute[];
  /** An address once, with the color by which its packets go first. */
  readonly classSources: readonly ClassSource[];
  readonly strays: readonly Stray[];
  /** Prefixes that something not ours holds for everybody, and what it is. We neither replace nor shadow it. */
  readonly obstacles: ReadonlyMap<string, string>;
  /** Colors whose place something not ours holds, and what it is: nothing of that class may be written. */
  readonly classObstacles: ReadonlyMap<number, string>;
}

/** `replaces`: something of ours is there, to be replaced without a gap. Otherwise nothing of that prefix may exist. */
export interface PrefixToSteer extends SteeredPrefix {
  readonly replaces: boolean;
}

export type Step =
  /** Makes the tunnel what it should be and steers the prefixes that are not yet right into it. */
  | {
      readonly kind: 'put-tunnel';
      readonly policyId: string;
      readonly tunnel: Tunnel;
      readonly steer: readonly PrefixToSteer[];
    }
  | { readonly kind: 'put-local-sid'; readonly localSid: LocalSid; readonly replaces: boolean }
  | ({ readonly kind: 'unsteer'; readonly family: Family } & SteeredPrefix)
  | { readonly kind: 'remove-tunnel'; readonly bsid: string }
  | { readonly kind: 'remove-local-sid'; readonly localSid: LocalSid }
  | { readonly kind: 'put-probe-route'; readonly route: ProbeRoute; readonly replaces: boolean }
  | { readonly kind: 'remove-probe-route'; readonly route: ProbeRoute }
  /** `replaces`: the color of the class that the address leaves, without a moment in which it is in neither. */
  | {
      readonly kind: 'put-class-source';
      readonly classId: string;
      readonly source: ClassSource;
      readonly replaces: number | null;
    }
  | { readonly kind: 'remove-class-source'; readonly source: ClassSource }
  | { readonly kind: 'remove-stray'; readonly stray: Stray };

export interface StepFailure {
  readonly step: Step;
  readonly reason: string;
}

export interface Capabilities {
  /** dry-run, linux, vpp */
  readonly name: string;
  /** False: nothing is forwarded, so planned SIDs do no harm and outcomes are `simulated`. */
  readonly real: boolean;
  /** SRH entries that can be pushed (RFC 9352 type 44); 0 = no limit of its own. */
  readonly msdHEncaps: number;
  /** Full: n SIDs take n SRH entries. Reduced: n - 1, and none for a single SID. */
  readonly encapMode: 'full' | 'reduced';
  /** A tunnel exists by its binding SID, with or without steered prefixes. */
  readonly bindingSids: boolean;
  /** IPv6 prefix (at most /96) that is routed to this node and whose addresses probe routes take; null: no probing. */
  readonly probePrefix: string | null;
}

/** Totals since the data plane started, unless it says otherwise. */
export interface InterfaceCounters {
  readonly name: string;
  readonly up: boolean;
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly drops: number;
}

/** What reached a local SID. `bad`: it could not be processed. */
export interface LocalSidCounters extends LocalSid {
  readonly goodPackets: number;
  readonly goodBytes: number;
  readonly badPackets: number;
  readonly badBytes: number;
}

/** What the edge of the SR domain dropped, since it was laid; RFC 8754 §5.1. */
export interface EdgeDrops {
  readonly reason: string;
  readonly packets: number;
  readonly bytes: number;
}

/** How the data plane fares, beyond what is installed in it. */
export interface Reading {
  /** As it says itself. */
  readonly version: string;
  readonly interfaces: readonly InterfaceCounters[];
  /** null: not read this time; some data planes pay for it. */
  readonly localSids: readonly LocalSidCounters[] | null;
  /** What an operator should know although nothing failed, a sentence each. */
  readonly notices: readonly string[];
  /** Left out: this data plane has no edge. */
  readonly edgeDrops?: readonly EdgeDrops[];
}

export interface DataPlane {
  readonly capabilities: Capabilities;
  /**
   * Makes what tunnels stand on (device, encapsulation source) where it is missing and checks the rest; writes nothing
   * when all is there. Throws DataPlaneError when tunnels would not work; returns what else does not, a sentence each.
   */
  prepare(): Promise<readonly string[]>;
  /** What is really there. Throws DataPlaneError when that cannot be told. */
  read(): Promise<ActualState>;
  /** Why this data plane can never hold the tunnel, or null. */
  objection(tunnel: Tunnel): string | null;
  /** Why this data plane can never hold a service class of the color, its prefixes and sources, or null. */
  objectionToClass(color: number): string | null;
  /** Runs the steps in order; one that fails does not stop the others. Throws DataPlaneError when none could be run. */
  apply(steps: readonly Step[]): Promise<readonly StepFailure[]>;
  /** Lets go of it; it keeps what it has. */
  close(): void;
  /** Removes what `prepare` made. Only on an operator's request, after everything else of ours is gone. */
  dismantle(): Promise<void>;
  /** Counters and the like. Throws DataPlaneError when the data plane does not answer. */
  readCounters(): Promise<Reading>;
  /** Calls `wake` when something changed; may call too often, never has to be relied on. Returns how to stop. */
  watch(wake: () => void): () => void;
}

/** The data plane as a whole does not work; the message says why and what to do. */
export class DataPlaneError extends Error {
  override readonly name = 'DataPlaneError';
}
