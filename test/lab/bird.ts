import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ended } from './shell.js';
import type { Namespaces } from './namespaces.js';

/** One router's routing daemon, in the router's namespace. */
export class Bird {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #end: Promise<string>;
  readonly controlSocket: string;
  #log = '';

  private constructor(child: ChildProcessWithoutNullStreams, controlSocket: string) {
    this.#child = child;
    this.#end = ended(child);
    this.controlSocket = controlSocket;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.#log += text));
    }
  }

  /** Resolves when the daemon takes commands. */
  static async start(namespaces: Namespaces, router: string, config: string, folder: string): Promise<Bird> {
    const path = join(folder, `${router}.conf`);
    const controlSocket = join(folder, `${router}.ctl`);
    await writeFile(path, config);
    const argv = ['bird', '-f', '-c', path, '-s', controlSocket, '-P', join(folder, `${router}.pid`)];
    const bird = new Bird(namespaces.spawn(router, argv), controlSocket);
    await bird.#ready(router);
    return bird;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#end;
  }

  async #ready(router: string): Promise<void> {
    for (let attempt = 0; attempt < 250; attempt++) {
      if (this.#child.exitCode !== null) break;
      try {
        const control = await BirdControl.connect(this.controlSocket);
        control.close();
        return;
      } catch {
        await sleep(20);
      }
    }
    throw new Error(`BIRD of ${router} did not start:\n${this.#log}`);
  }
}

/**
 * BIRD's control protocol over its Unix socket: lines of `<4-digit code><space or -><text>`, where a continuation of the
 * same code starts with a space, and codes 0xxx, 8xxx and 9xxx end the answer.
 */
export class BirdControl {
  readonly #socket: Socket;
  #received = '';
  #waiting: { readonly resolve: (answer: string) => void; readonly reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8').on('data', (text: string) => {
      this.#received += text;
      this.#deliver();
    });
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('BIRD closed its control socket')));
  }

  static connect(path: string): Promise<BirdControl> {
    return new Promise((resolve, reject) => {
      const control = new BirdControl(connect(path));
      control.#waiting = { resolve: () => resolve(control), reject };
    });
  }

  /** The text of the answer, codes taken off. One command at a time. */
  ask(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#waiting !== undefined) throw new Error('BIRD is still answering the command before');
      if (this.#socket.destroyed) throw new Error('the control socket is closed');
      this.#waiting = { resolve, reject };
      this.#socket.write(`${command}\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #deliver(): void {
    const end = /^(?:[089]\d{3}) .*\n/m.exec(this.#received);
    if (end === null) return;
    const answer = this.#received.slice(0, end.index + end[0].length);
    this.#received = this.#received.slice(answer.length);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (/^[89]/.test(end[0])) waiting?.reject(new Error(`BIRD refused: ${end[0].trim()}`));
    else waiting?.resolve(answer.replaceAll(/^(?:\d{4}[ -]| )/gm, ''));
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}
