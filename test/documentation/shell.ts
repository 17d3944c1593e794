import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomUUID } from 'node:crypto';

/** One bash for all commands of a document: variables and functions stay, as they do for a reader at a terminal. */
export class Shell {
  readonly #bash: ChildProcessWithoutNullStreams;
  #output = '';

  constructor(folder: string) {
    this.#bash = spawn('bash', ['--norc', '--noprofile'], { cwd: folder });
    this.#bash.stdout.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    this.#bash.stderr.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    this.#bash.stdin.write('exec 2>&1\n');
  }

  /** What the command prints, without the line ends at the end. */
  async run(command: string): Promise<string> {
    const mark = randomUUID();
    this.#output = '';
    this.#bash.stdin.write(`${command}\nprintf '\\n%s\\n' ${mark}\n`);
    const end = `\n${mark}\n`;
    while (!this.#output.endsWith(end)) {
      if (this.#bash.exitCode !== null) throw new Error(`the shell has ended:\n${this.#output}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return this.#output.slice(0, -end.length).replace(/\n+$/, '');
  }

  stop(): void {
    this.#bash.kill();
  }
}
