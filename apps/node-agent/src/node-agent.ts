import { readFileSync } from 'node:fs';
import type { Bus } from '@waymark/agent-protocol';
import type { Logger } from 'pino';
import { CounterReader } from './counters/counter-reader.js';
import type { DataPlaneView } from './counters/data-plane-view.js';
import { parseAddress } from './dataplane/address.js';
import type { DataPlane, LocalSid } from './dataplane/port.js';
import { PathLiveness, type LivenessStatus } from './liveness/path-liveness.js';
import { PROBE_DEFAULTS, type ProbeTiming } from './liveness/probe-engine.js';
import { PolicyReconciler, type ReconcilerCounts } from './reconcile/policy-reconciler.js';
import { AgentSession, type SessionStatus } from './session/agent-session.js';
import { anyController, type ControllerTrust } from './session/controller-trust.js';
import type { DataPlaneHealth, PolicyOutcome } from './session/ports.js';

export interface NodeAgentOptions {
  readonly nodeId: string;
  /** `host:port` of each controller; any of them will do. */
  readonly controllers: readonly string[];
  /** null: deltas are not heard, and the agent converges by its heartbeats. The agent does not close the bus. */
  readonly bus: Bus | null;
  readonly dataPlane: DataPlane;
  /** Local SIDs that this agent is to own. */
  readonly localSids: readonly LocalSid[];
  /** Where the accepted desired state is kept; one directory per agent. */
  readonly stateDirectory: string;
  readonly rereadIntervalMs: number;
  /** How often counters are read and told to the controller; 30 s when left out. */
  readonly countersIntervalMs?: number;
  /** How segment lists are probed, where the data plane has a prefix for it; PROBE_DEFAULTS when left out. */
  readonly probeTiming?: ProbeTiming;
  readonly log: Logger;
  /** Sessions in the clear when left out. */
  readonly trust?: ControllerTrust;
}

export interface NodeAgentStatus {
  readonly nodeId: string;
  readonly dataPlane: string;
  readonly session: SessionStatus;
  readonly health: DataPlaneHealth;
  readonly reconciler: ReconcilerCounts;
  /** How the data plane fares; null: not read yet. */
  readonly counters: DataPlaneView | null;
  /** null: segment lists are not probed. */
  readonly liveness: LivenessStatus | null;
  /** The policies that are not in the data plane as wanted, and why. */
  readonly failed: readonly Pick<PolicyOutcome, 'policyId' | 'reason'>[];
}

/** Wake-ups of the data plane are gathered for this long: a routing daemon changes many routes at once. */
const WAKE_DELAY_MS = 200;

const COUNTERS_INTERVAL_MS = 30_000;

const VERSION = versionIn(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/**
 * The agent of one headend: the session learns what the controller wants, the reconciler makes the data plane so. A
 * stopped agent leaves the data plane as it is.
 */
export class NodeAgent {
  readonly #options: NodeAgentOptions;
  readonly #reconciler: PolicyReconciler;
  readonly #counters: CounterReader;
  readonly #session: AgentSession;
  readonly #liveness: PathLiveness | null;

  constructor(options: NodeAgentOptions) {
    const { nodeId, controllers, bus, dataPlane, localSids, stateDirectory, rereadIntervalMs, log } = options;
    const { probePrefix } = dataPlane.capabilities;
    this.#options = options;
    this.#liveness =
      probePrefix === null
        ? null
        : new PathLiveness({ probePrefix, timing: options.probeTiming ?? PROBE_DEFAULTS, log });
    this.#reconciler = new PolicyReconciler({
      dataPlane,
      localSids,
      rereadIntervalMs,
      wakeDelayMs: WAKE_DELAY_MS,
      liveness: this.#liveness,
      log,
    });
    this.#counters = new CounterReader({
      dataPlane,
      intervalMs: options.countersIntervalMs ?? COUNTERS_INTERVAL_MS,
      log,
    });
    this.#liveness?.onChange(() => void this.#reconciler.reconcile());
    this.#session = new AgentSession({
      nodeId,
      identity: () => {
        const { name, msdHEncaps, encapMode } = dataPlane.capabilities;
        return { agentVersion: VERSION, dataplane: name, msdHEncaps, encapMode, ownedSids: ownedSids(localSids) };
      },
      controllers,
      trust: options.trust ?? anyController(),
      bus,
      stateDirectory,
      reconciler: this.#reconciler,
      health: () => this.#reconciler.health,
      reports: this.#counters,
      liveness: this.#liveness,
      log,
    });
  }

  /** Resolves when the stored state has been read; rejects when it cannot be. The connection comes later. */
  async start(): Promise<void> {
    const { bus, log, dataPlane } = this.#options;
    log.info({ version: VERSION, dataPlane: dataPlane.capabilities.name }, 'node agent starting');
    if (bus === null) log.info('no Redis is configured: changes arrive with the heartbeats to the controller');
    this.#liveness?.start();
    this.#reconciler.start();
    // Some data planes tell what they can do only once they were reached; the first hello had better say it.
    await this.#reconciler.reconcile();
    this.#counters.start();
    await this.#session.start();
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#liveness?.stop();
    await this.#session.stop();
    await Promise.all([this.#reconciler.stop(), this.#counters.stop()]);
    this.#options.dataPlane.close();
  }

  status(): NodeAgentStatus {
    return {
      nodeId: this.#options.nodeId,
      dataPlane: this.#options.dataPlane.capabilities.name,
      session: this.#session.status(),
      health: this.#reconciler.health,
      reconciler: this.#reconciler.counts,
      counters: this.#counters.view,
      liveness: this.#liveness?.status() ?? null,
      failed: this.#reconciler.outcomes
        .filter(({ outcome }) => outcome === 'failed')
        .map(({ policyId, reason }) => ({ policyId, reason })),
    };
  }
}

/** For a controller, VPP's uN is End with the NEXT-C-SID flavor. */
function ownedSids(localSids: readonly LocalSid[]) {
  return localSids.map(({ sid, behavior }) => ({
    sid: parseAddress(sid),
    behavior: behavior === 'uN' ? 'End' : behavior,
  }));
}

function versionIn(packageJson: string): string {
  const parsed: unknown = JSON.parse(packageJson);
  const { version } = parsed as { readonly version: string };
  return version;
}
