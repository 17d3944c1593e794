/** A process that is stopped (SIGSTOP) for a part of each period, as on a machine that has too little for it. */
export class SlowProcess {
  readonly #pid: number;
  #timer: NodeJS.Timeout;

  /** It runs for `runMs`, stands still for `pauseMs`, and so on. */
  constructor(pid: number, { runMs, pauseMs }: { readonly runMs: number; readonly pauseMs: number }) {
    this.#pid = pid;
    const pause = (): void => {
      if (this.#signal('SIGSTOP')) this.#timer = setTimeout(go, pauseMs);
    };
    const go = (): void => {
      if (this.#signal('SIGCONT')) this.#timer = setTimeout(pause, runMs);
    };
    this.#timer = setTimeout(pause, runMs);
  }

  /** From now on it runs as ever. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#signal('SIGCONT');
  }

  /** False: it is gone, which ends its slowness too. */
  #signal(signal: 'SIGSTOP' | 'SIGCONT'): boolean {
    try {
      process.kill(this.#pid, signal);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
      throw error;
    }
  }
}
