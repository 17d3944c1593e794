import { expect } from 'vitest';
import { DryRunDataPlane } from '../dataplane/dry-run.js';
import { DataPlaneError, type Step } from '../dataplane/port.js';
import { silentLog } from './reconciled-agent.js';

/** A dry run whose every call can be watched, held up or broken. */
export class WatchedPlane extends DryRunDataPlane {
  readonly applied: (readonly Step[])[] = [];
  reads = 0;
  fault: string | null = null;
  failing: (step: Step) => string | null = () => null;
  gate: Promise<void> = Promise.resolve();
  laying = () => Promise.resolve();
  busy = 0;
  wake: () => void = () => undefined;

  constructor() {
    super({ log: silentLog, encapMode: 'full', msdHEncaps: 0, fail: (step) => this.failing(step) });
  }

  override async prepare() {
    await this.laying();
    return super.prepare();
  }

  override async read() {
    this.reads += 1;
    if (this.fault !== null) throw new DataPlaneError(this.fault);
    return super.read();
  }

  override async apply(steps: readonly Step[]) {
    this.busy += 1;
    expect(this.busy).toBe(1);
    this.applied.push(steps);
    await this.gate;
    this.busy -= 1;
    return super.apply(steps);
  }

  override watch(wake?: () => void): () => void {
    this.wake = wake ?? this.wake;
    return () => (this.wake = () => undefined);
  }
}
