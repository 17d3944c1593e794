import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stateHashOf, type Bus } from '@waymark/agent-protocol';
import {
  AgentSession,
  anyController,
  type ControllerTrust,
  type DesiredState,
  type Reconciler,
  type ReconcileReport,
} from '@waymark/node-agent';
import { pino, type Logger } from 'pino';

type SessionOptions = ConstructorParameters<typeof AgentSession>[0];

/** A reconciler whose data plane takes everything at once, and which remembers what it was given. */
export class InstantReconciler implements Reconciler {
  readonly history: DesiredState[] = [];
  readonly #listeners: ((report: ReconcileReport) => void)[] = [];

  get desired(): DesiredState | undefined {
    return this.history.at(-1);
  }

  setDesired(state: DesiredState, changed: ReadonlySet<string> | 'all'): void {
    this.history.push(state);
    const { epoch, generation, policies } = state;
    const named = changed === 'all' ? policies.keys() : changed;
    const outcomes = Array.from(named, (policyId) => {
      const policy = policies.get(policyId);
      return policy === undefined
        ? { policyId, generation, outcome: 'removed' as const, reason: '' }
        : { policyId, generation: policy.generation, outcome: 'simulated' as const, reason: '' };
    });
    const readBackHash = stateHashOf(Array.from(policies, ([policyId, { body }]) => ({ policyId, body })));
    setImmediate(() => this.report({ epoch, generation, outcomes, readBackHash }));
  }

  onReport(listener: (report: ReconcileReport) => void): void {
    this.#listeners.push(listener);
  }

  report(report: ReconcileReport): void {
    for (const listener of this.#listeners) listener(report);
  }
}

export interface SessionAgent {
  readonly session: AgentSession;
  readonly reconciler: InstantReconciler;
  readonly stateDirectory: string;
  /** Ends the session; the state directory stays. */
  stop(): Promise<void>;
  /** Ends the session and removes the state directory. */
  dispose(): Promise<void>;
}

export interface SessionAgentOptions {
  readonly node: string;
  /** `host:port` of each controller. */
  readonly controllers: readonly string[];
  readonly bus: Bus | null;
  /** Of an agent that ran before; else a new one. */
  readonly stateDirectory?: string;
  readonly log?: Logger;
  /** SIDs that it keeps itself; none when left out. */
  readonly ownedSids?: ReturnType<SessionOptions['identity']>['ownedSids'];
  /** Sessions in the clear when left out. */
  readonly trust?: ControllerTrust;
}

/** An agent with a real session and without a data plane. */
export async function startSessionAgent(options: SessionAgentOptions): Promise<SessionAgent> {
  const stateDirectory = options.stateDirectory ?? (await mkdtemp(join(tmpdir(), 'waymark-agent-')));
  const reconciler = new InstantReconciler();
  const session = new AgentSession({
    nodeId: options.node,
    identity: () => ({
      agentVersion: 'test',
      dataplane: 'dry-run',
      msdHEncaps: 5,
      encapMode: 'reduced',
      ownedSids: options.ownedSids ?? [],
    }),
    controllers: options.controllers,
    trust: options.trust ?? anyController(),
    bus: options.bus,
    stateDirectory,
    reconciler,
    health: () => ({ error: null, driftRepairs: 0 }),
    log: options.log ?? pino({ level: 'silent' }),
  });
  await session.start();
  return {
    session,
    reconciler,
    stateDirectory,
    stop: () => session.stop(),
    dispose: async () => {
      await session.stop();
      await rm(stateDirectory, { recursive: true, force: true });
    },
  };
}
