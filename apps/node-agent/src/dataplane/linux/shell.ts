import { spawn } from 'node:child_process';
import { DataPlaneError } from '../port.js';

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs programs where the kernel tables to manage are. Throws DataPlaneError when a program cannot be started. */
export interface Shell {
  run(program: string, args: readonly string[], stdin?: string): Promise<CommandResult>;
  /** Starts a program that runs until it is stopped; `onLine` gets what it prints. */
  follow(program: string, args: readonly string[], onLine: () => void, onExit: () => void): () => void;
}

/** System directories that an unprivileged shell's PATH leaves out. */
const PATH = [process.env['PATH'], '/usr/sbin', '/sbin'].filter((part) => part !== undefined).join(':');

/** @param netns a named network namespace to work in; the process's own when left out */
export function systemShell(netns?: string): Shell {
  const place = (program: string, args: readonly string[]): [string, string[]] =>
    netns === undefined ? [program, [...args]] : ['ip', ['netns', 'exec', netns, program, ...args]];
  return {
    run: (program, args, stdin = '') => run(...place(program, args), stdin),
    follow: (program, args, onLine, onExit) => follow(...place(program, args), onLine, onExit),
  };
}

/** A program that hangs is ended after this time, and its command counts as failed. */
const TIMEOUT_MS = 30_000;

function run(program: string, args: readonly string[], stdin: string): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, PATH, LC_ALL: 'C' }, timeout: TIMEOUT_MS });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    // A program that ends before it has read its input closes the pipe; its exit code says why.
    child.stdin.on('error', () => undefined);
    child.on('error', (error) => {
      reject(new DataPlaneError(`${program} cannot be run: ${error.message}`));
    });
    child.on('close', (code) => {
      resolve({ code, stdout, stderr });
    });
    child.stdin.end(stdin);
  });
}

function follow(program: string, args: readonly string[], onLine: () => void, onExit: () => void): () => void {
  const child = spawn(program, args, {
    env: { ...process.env, PATH, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child.stdout.on('data', onLine);
  child.on('error', onExit);
  child.on('exit', onExit);
  return () => {
    child.removeListener('exit', onExit);
    child.kill('SIGTERM');
  };
}
