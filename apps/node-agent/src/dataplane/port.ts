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

/** One family of one SR policy, as it should be. Prefixes are canonical text (`10.0.1.0/24`). */
export interface Tunnel {
  readonly family: Family;
  readonly bsid: string;
  readonly alternateBsid: string;
  readonly action: TunnelAction;
  readonly steeredPrefixes: readonly string[];
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
  readonly steeredPrefixes: readonly string[];
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
  readonly strays: readonly Stray[];
  /** Prefixes that something not ours holds, and what it is. We neither replace nor shadow it. */
  readonly obstacles: ReadonlyMap<string, string>;
}

/** `replaces`: something of ours is there, to be replaced without a gap. Otherwise nothing of that prefix may exist. */
export interface SteeredPrefix {
  readonly prefix: string;
  readonly replaces: boolean;
}

export type Step =
  /** Makes the tunnel what it should be and steers the prefixes that are not yet right into it. */
  | {
      readonly kind: 'put-tunnel';
      readonly policyId: string;
      readonly tunnel: Tunnel;
      readonly steer: readonly SteeredPrefix[];
    }
  | { readonly kind: 'put-local-sid'; readonly localSid: LocalSid; readonly replaces: boolean }
  | { readonly kind: 'unsteer'; readonly family: Family; readonly prefix: string }
  | { readonly kind: 'remove-tunnel'; readonly bsid: string }
  | { readonly kind: 'remove-local-sid'; readonly localSid: LocalSid }
  | { readonly kind: 'put-probe-route'; readonly route: ProbeRoute; readonly replaces: boolean }
  | { readonly kind: 'remove-probe-route'; readonly route: ProbeRoute }
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
