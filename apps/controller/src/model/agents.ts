import type { NodeId } from '@waymark/topology';
import type { Page, PageRequest } from './ports.js';
import type { Actor } from './topology.js';

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
  /** null: it is connected. */
  readonly goneSince: string | null;
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
  /** It will not come back: withdraws what it said of its node. Throws not-found, and agent-connected for one that is there. */
  remove(node: NodeId, actor: Actor): Promise<void>;
  dataPlane(node: NodeId): Promise<DataPlaneView>;
}

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

export const noRefusals: Readonly<Record<AgentRefusal, number>> = {
  ...{ connection: 0, handshake: 0, nameless: 0, ended: 0, revoked: 0, trespass: 0 },
};

/** Of this controller. */
export interface AgentSessionCounts {
  readonly sessions: number;
  /** Since the process started. */
  readonly welcomed: number;
  readonly refused: Readonly<Record<AgentRefusal, number>>;
  readonly snapshots: SnapshotCounts;
}
