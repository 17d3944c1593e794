import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ended } from './shell.js';

/** A small program in a pod that prints one JSON value per line and ends when its standard input does. */
export class Peer {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #end: Promise<string>;
  #stderr = '';

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    this.#end = ended(child);
    this.#lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    child.stdin.on('error', () => undefined);
  }

  /** The next value it prints. Rejects when it ends without one. */
  async message(): Promise<unknown> {
    const line = await this.#lines.next();
    if (line.done === true) throw new Error(`${this.#child.spawnargs.join(' ')}: ${await this.#end}\n${this.#stderr}`);
    return JSON.parse(line.value);
  }

  /** Asks it to end, and waits until it has. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    await this.#end;
  }

  /** Asks it to end; what it still says can be read. */
  endInput(): void {
    this.#child.stdin.end();
  }
}
