import type { BaseLogger } from 'pino';
import type {
  ActualState,
  Capabilities,
  ClassSource,
  DataPlane,
  Family,
  LocalSid,
  Reading,
  SteeredPrefix,
  Step,
  StepFailure,
  TunnelAction,
} from './port.js';
import { describeAction } from './segment-lists.js';
import { sourceText, steeredText } from './steered-prefix.js';

export interface DryRunOptions {
  readonly log: Pick<BaseLogger, 'info'>;
  readonly encapMode: 'full' | 'reduced';
  /** 0 = no limit */
  readonly msdHEncaps: number;
  /** Takes every step as one line of JSON, in order. */
  readonly record?: (line: string) => void;
  /** Lets a test break a step: the reason, or null. */
  readonly fail?: (step: Step) => string | null;
}

/**
 * Forwards nothing: keeps in memory what a data plane with binding SIDs (as VPP's) would hold, and says each step in a
 * log line.
 */
export class DryRunDataPlane implements DataPlane {
  readonly capabilities: Capabilities;
  readonly #options: DryRunOptions;
  readonly #tunnels = new Map<string, { readonly family: Family; readonly action: TunnelAction }>();
  /** By the text of the prefix. */
  readonly #steering = new Map<string, { readonly steered: SteeredPrefix; readonly bsid: string }>();
  /** Colors by address. */
  readonly #classSources = new Map<string, number>();
  readonly #localSids = new Map<string, LocalSid>();

  constructor(options: DryRunOptions) {
    this.#options = options;
    const { encapMode, msdHEncaps } = options;
    this.capabilities = { name: 'dry-run', real: false, msdHEncaps, encapMode, bindingSids: true, probePrefix: null };
  }

  prepare(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  read(): Promise<ActualState> {
    const prefixes = new Map<string, SteeredPrefix[]>();
    for (const { steered, bsid } of this.#steering.values()) {
      prefixes.set(bsid, [...(prefixes.get(bsid) ?? []), steered]);
    }
    const classSources = [...this.#classSources].map(([address, color]): ClassSource => ({ address, color }));
    const tunnels = [...this.#tunnels].map(([bsid, { family, action }]) => ({
      family,
      bsid,
      action,
      steeredPrefixes: prefixes.get(bsid) ?? [],
    }));
    return Promise.resolve({
      tunnels,
      localSids: [...this.#localSids.values()],
      probeRoutes: [],
      classSources,
      strays: [],
      obstacles: new Map(),
      classObstacles: new Map(),
    });
  }

  objection(): null {
    return null;
  }

  objectionToClass(): null {
    return null;
  }

  apply(steps: readonly Step[]): Promise<readonly StepFailure[]> {
    const failures: StepFailure[] = [];
    for (const step of steps) {
      const reason = this.#options.fail?.(step) ?? this.#refusal(step);
      if (reason === null) this.#run(step);
      else failures.push({ step, reason });
    }
    return Promise.resolve(failures);
  }

  close(): void {
    // Nothing is open.
  }

  dismantle(): Promise<void> {
    return Promise.resolve();
  }

  readCounters(): Promise<Reading> {
    return Promise.resolve({ version: 'dry run', interfaces: [], localSids: [], notices: [] });
  }

  watch(): () => void {
    return () => undefined;
  }

  /** As in VPP, where it would corrupt the steering: a tunnel cannot go while prefixes are steered into it. */
  #refusal(step: Step): string | null {
    if (step.kind !== 'remove-tunnel') return null;
    const steered = [...this.#steering].find(([, { bsid }]) => bsid === step.bsid);
    return steered === undefined ? null : `${steered[0]} is steered into it`;
  }

  #run(step: Step): void {
    this.#options.record?.(JSON.stringify(step));
    this.#options.log.info(`would ${describe(step)}`);
    switch (step.kind) {
      case 'put-tunnel':
        this.#tunnels.set(step.tunnel.bsid, { family: step.tunnel.family, action: step.tunnel.action });
        for (const { prefix, color } of step.steer) {
          const steered = { prefix, color };
          this.#steering.set(steeredText(steered), { steered, bsid: step.tunnel.bsid });
        }
        return;
      case 'unsteer':
        this.#steering.delete(steeredText(step));
        return;
      case 'remove-tunnel':
        this.#tunnels.delete(step.bsid);
        return;
      case 'put-local-sid':
        this.#localSids.set(step.localSid.sid, step.localSid);
        return;
      case 'remove-local-sid':
        this.#localSids.delete(step.localSid.sid);
        return;
      case 'put-class-source':
        this.#classSources.set(step.source.address, step.source.color);
        return;
      case 'remove-class-source':
        this.#classSources.delete(step.source.address);
        return;
      case 'remove-stray':
      case 'put-probe-route':
      case 'remove-probe-route':
        throw new Error(`a dry-run data plane does not ${step.kind}`);
    }
  }
}

function describe(step: Step): string {
  switch (step.kind) {
    case 'put-tunnel': {
      const prefixes = step.steer.map(steeredText).join(', ') || 'no further prefix';
      return `set ${step.policyId} ${step.tunnel.family} (BSID ${step.tunnel.bsid}) to ${describeAction(step.tunnel.action)} and steer ${prefixes} into it`;
    }
    case 'unsteer':
      return `stop steering ${steeredText(step)}`;
    case 'remove-tunnel':
      return `remove the tunnel with BSID ${step.bsid}`;
    case 'put-local-sid':
      return `own ${step.localSid.sid} as ${step.localSid.behavior}`;
    case 'remove-local-sid':
      return `give up ${step.localSid.sid} (${step.localSid.behavior})`;
    case 'put-class-source':
      return `put ${sourceText(step.source)}`;
    case 'remove-class-source':
      return `take ${sourceText(step.source)} out of it`;
    case 'remove-stray':
      return `remove ${step.stray.description}`;
    case 'put-probe-route':
    case 'remove-probe-route':
      return `${step.kind} ${step.route.address}`;
  }
}
