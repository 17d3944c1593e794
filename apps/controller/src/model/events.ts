import type { AddressFamily } from '@waymark/topology';

/** Everything that GET /v1/events can carry, by type. `revision` orders events; ids are those of the REST resources. */
export interface WaymarkEvents {
  /** The topology changed. */
  'topology.changed': {
    readonly revision: number;
    readonly tedRevision: number;
    readonly kind: string;
    readonly summary: string;
  };
  /** Intent of a policy was created, changed or deleted; those of a mesh are told by mesh.intent. */
  'policy.intent': {
    readonly revision: number;
    readonly policyId: string;
    readonly action: 'created' | 'changed' | 'deleted';
  };
  'mesh.intent': {
    readonly revision: number;
    readonly meshId: string;
    readonly action: 'created' | 'changed' | 'deleted';
  };
  /** The leader adopted something else for a policy. */
  'policy.state': {
    readonly revision: number;
    readonly policyId: string;
    readonly status: 'up' | 'fallback' | 'down';
    /** null: nothing to install. */
    readonly generation: number | null;
    readonly cause: string;
  };
  /** An agent's outcome for a policy was stored. */
  'policy.install': {
    readonly revision: number;
    readonly policyId: string;
    readonly outcome: string;
    readonly reason: string | null;
  };
  /** Probes through a list of a policy began to be lost, or to arrive again; or what they do became unknown. */
  'policy.liveness': {
    readonly policyId: string;
    readonly family: AddressFamily;
    readonly state: 'up' | 'down' | 'unknown';
    readonly standby: boolean;
    readonly segments: readonly string[];
    readonly probesSent: number;
    readonly probesLost: number;
  };
  /** A headend took the standby of a policy, because no active list delivers, or left it again. */
  'policy.standby': { readonly policyId: string; readonly family: AddressFamily; readonly onStandby: boolean };
  'agent.state': { readonly node: string; readonly state: 'connected' | 'unknown'; readonly dataplane: string };
  'source.held': { readonly source: string; readonly reason: string };
  'source.released': { readonly source: string };
  'leader.elected': { readonly epoch: number; readonly holder: string };
}

export type EventType = keyof WaymarkEvents;

export interface WaymarkEvent<T extends EventType = EventType> {
  readonly type: T;
  readonly at: string;
  readonly data: WaymarkEvents[T];
}
