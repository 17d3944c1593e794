export {
  DataPlaneError,
  type ActualState,
  type ActualTunnel,
  type Capabilities,
  type DataPlane,
  type EdgeDrops,
  type Family,
  type InterfaceCounters,
  type LocalSid,
  type LocalSidCounters,
  type Reading,
  type SegmentList,
  type Step,
  type StepFailure,
  type Stray,
  type Tunnel,
  type TunnelAction,
} from './dataplane/port.js';
export { DryRunDataPlane, type DryRunOptions } from './dataplane/dry-run.js';
export { LinuxDataPlane } from './dataplane/linux/linux-data-plane.js';
export { LINUX_DEFAULTS, type LinuxSettings } from './dataplane/linux/settings.js';
export { systemShell, type Shell } from './dataplane/linux/shell.js';
export {
  PolicyReconciler,
  type PolicyReconcilerOptions,
  type ReconcilerCounts,
} from './reconcile/policy-reconciler.js';
export type { DataPlaneView, InterfaceView } from './counters/data-plane-view.js';
export type {
  DataPlaneHealth,
  DataPlaneReports,
  DesiredState,
  PolicyOutcome,
  Reconciler,
  ReconcileReport,
} from './session/ports.js';
export {
  AgentSession,
  type AgentIdentity,
  type AgentSessionOptions,
  type SessionStatus,
} from './session/agent-session.js';
export { NodeAgent, type NodeAgentOptions, type NodeAgentStatus } from './node-agent.js';
export { anyController, certifiedControllers, type ControllerTrust } from './session/controller-trust.js';
