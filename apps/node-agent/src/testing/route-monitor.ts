import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { NetworkNamespace } from './network-namespace.js';

/** Addresses for documentation (RFC 5737); a route to one marks a moment in what the kernel tells. */
const MARKS = '192.0.2.';

/** Everything that the kernel says of route changes in a namespace, whoever made them. */
export class RouteMonitor {
  readonly #namespace: NetworkNamespace;
  readonly #process: ChildProcessByStdio<null, Readable, null>;
  #text = '';
  #marks = 0;
  #onChange: () => void = () => undefined;

  private constructor(namespace: NetworkNamespace) {
    this.#namespace = namespace;
    this.#process = spawn('ip', ['netns', 'exec', namespace.name, 'ip', 'monitor', 'route'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text;
      if (this.#changes(text).length > 0) this.#onChange();
    });
  }

  /** Resolves once changes are heard. */
  static async start(namespace: NetworkNamespace): Promise<RouteMonitor> {
    const monitor = new RouteMonitor(namespace);
    await monitor.changesUntilNow();
    return monitor;
  }

  /** What changed since the last call, a line a change. */
  async changesUntilNow(): Promise<readonly string[]> {
    this.#marks += 1;
    const mark = `${MARKS}${this.#marks}`;
    // The monitor says nothing when it is ready, so the mark is set until it is heard.
    while (!new RegExp(`^Deleted blackhole ${mark}\\s`, 'm').test(this.#text)) {
      await this.#namespace.ip(`route add blackhole ${mark}`);
      await this.#namespace.ip(`route del blackhole ${mark}`);
      await pause(20);
    }
    const lines = this.#changes(this.#text);
    this.#text = '';
    return lines;
  }

  /** Calls back at the next change. */
  nextChange(): Promise<void> {
    return new Promise((resolve) => (this.#onChange = resolve));
  }

  async stop(): Promise<void> {
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    await exited;
  }

  #changes(text: string): string[] {
    return text.split('\n').filter((line) => line.trim() !== '' && !line.includes(MARKS));
  }
}
