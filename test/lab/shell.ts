import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';

/** Debian keeps ip, nft and bird where an unprivileged PATH does not look. */
export const SYSTEM_ENVIRONMENT: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
};

export class CommandError extends Error {
  constructor(argv: readonly string[], status: string, stderr: string) {
    super(`${argv.join(' ')}: ${status}\n${stderr.trim()}`);
    this.name = 'CommandError';
  }
}

/** Runs one program to its end and returns what it printed. Throws CommandError when it fails. */
export async function run(argv: readonly string[], stdin = ''): Promise<string> {
  const [program = '', ...rest] = argv;
  const child = spawn(program, rest, { env: SYSTEM_ENVIRONMENT, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // A program that fails at once closes its input before all is written; its exit status says why.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  const status = await ended(child);
  if (status !== 'exit 0') throw new CommandError(argv, status, stderr === '' ? stdout : stderr);
  return stdout;
}

/**
 * Starts a server. The kernel ends it with this process, even when this process is killed and can stop nothing itself
 * (`setpriv` replaces itself by the program, so its pid is the child's).
 */
export function spawnBound(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): ChildProcessWithoutNullStreams {
  return spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...argv], { env: { ...SYSTEM_ENVIRONMENT, ...environment } });
}

/** Resolves when the process is gone and its output is read: `exit <code>`, or the signal that ended it. */
export function ended(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code === null ? (signal ?? 'unknown') : `exit ${code}`));
  });
}
