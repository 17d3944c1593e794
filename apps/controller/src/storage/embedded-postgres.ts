import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { access, chmod, chown, mkdir, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { StartFault } from '../model/start-fault.js';
import { postgresBinaries } from './postgres-binaries.js';
import { canTraverse, createPrivateFolder, unprivilegedAccount, type Account } from './unprivileged-account.js';

/*
 * A real PostgreSQL server as a child process, for those who bring none:
 *
 *   <folder>/cluster              the data directory
 *   <folder>/password             of its only role
 *   <folder>/postgres-<version>   the binaries, when they cannot run from where npm put them
 */

const run = promisify(execFile);

const USER = 'waymark';
const DATABASE = 'waymark';
/** Where the data goes when the account PostgreSQL must run under cannot walk to the folder that was asked for. */
const SYSTEM_FOLDER = '/var/lib/waymark';
const START_TIMEOUT_MS = 60_000;
/** How long a server whose launcher was killed may take to notice and end. */
const PREDECESSOR_TIMEOUT_MS = 5_000;
/** After that a fast shutdown becomes an immediate one, from which the next start recovers. */
const STOP_TIMEOUT_MS = 30_000;
/** Another process may take the port between finding it free and using it. */
const PORT_ATTEMPTS = 3;

export interface EmbeddedPostgres {
  /** Connection string of the database `waymark`; loopback only, with a generated password. */
  readonly url: string;
  /** Where the data really lies; differs from what was asked for when that is out of reach for the account. */
  readonly folder: string;
  /** Resolves when the server has ended, by whatever cause. */
  readonly exited: Promise<void>;
  /** Fast shutdown: sessions are ended, data is flushed. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** False: lose data on a crash and be faster (tests). Default true. */
  readonly durable?: boolean;
}

/**
 * Starts the embedded PostgreSQL on `dataFolder`, creating its cluster first when there is none. The server ends with
 * this process, even when this process is killed. Throws when another process uses the folder.
 */
export async function startEmbeddedPostgres(
  dataFolder: string,
  options: EmbeddedPostgresOptions = {},
): Promise<EmbeddedPostgres> {
  const durable = options.durable ?? true;
  const account = await unprivilegedAccount();
  const folder = await reachableFolder(resolve(dataFolder), account);
  await createPrivateFolder(folder, account);
  const binaries = await postgresBinaries(folder, account);
  const cluster = join(folder, 'cluster');
  const password = await readFile(join(folder, 'password'), 'utf8').catch(() => undefined);
  if (password === undefined || !(await isPresent(join(cluster, 'PG_VERSION')))) {
    await createCluster(binaries, folder, account, durable);
  }
  await waitForPredecessor(cluster);
  const server = await launch(binaries, folder, account, durable);
  try {
    await createDatabaseIfMissing(server.url('postgres'));
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { url: server.url(DATABASE), folder, exited: server.exited, stop: server.stop };
}

async function reachableFolder(folder: string, account: Account | undefined): Promise<string> {
  await mkdir(dirname(folder), { recursive: true });
  if (account === undefined || (await canTraverse(folder, account))) return folder;
  await mkdir(SYSTEM_FOLDER, { recursive: true });
  await chmod(SYSTEM_FOLDER, 0o755);
  return join(SYSTEM_FOLDER, createHash('sha256').update(folder).digest('hex').slice(0, 16));
}

async function isPresent(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** initdb under another name, then rename: a cluster whose creation was interrupted is never used. */
async function createCluster(
  binaries: string,
  folder: string,
  account: Account | undefined,
  durable: boolean,
): Promise<void> {
  const partial = join(folder, 'cluster.partial');
  const passwordFile = join(folder, 'password');
  if (await isPresent(join(folder, 'cluster'))) {
    throw new Error(`${folder} holds a cluster without its password file; restore the file or move the folder away`);
  }
  await rm(partial, { recursive: true, force: true });
  await writeFile(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600 });
  if (account !== undefined) await chown(passwordFile, account.uid, account.gid);
  await run(
    join(binaries, 'bin', 'initdb'),
    [
      ...['-D', partial, '-U', USER, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
      ...['--encoding=UTF8', '--locale=C', '--no-instructions'],
      ...(durable ? [] : ['--no-sync']),
    ],
    { ...account, cwd: folder },
  );
  await rename(partial, join(folder, 'cluster'));
}

/**
 * A server whose launcher was killed ends by itself; wait for that. What remains of a machine that crashed is a
 * postmaster.pid whose process is gone, or is somebody else's by now: PostgreSQL only sees the number, so it is removed.
 */
async function waitForPredecessor(cluster: string): Promise<void> {
  const pidFile = join(cluster, 'postmaster.pid');
  const deadline = Date.now() + PREDECESSOR_TIMEOUT_MS;
  for (;;) {
    const pid = Number.parseInt(await readFile(pidFile, 'utf8').catch(() => ''), 10);
    if (Number.isNaN(pid)) return;
    if (!(await servesCluster(pid, cluster))) {
      await rm(pidFile, { force: true });
      return;
    }
    if (Date.now() > deadline) {
      throw new StartFault(
        `the data folder ${cluster} is in use by another process (PostgreSQL with process id ${String(pid)}); ` +
          'stop that one, or choose another folder',
      );
    }
    await sleep(50);
  }
}

async function servesCluster(pid: number, cluster: string): Promise<boolean> {
  // A PostgreSQL server's working directory is its data directory. Where /proc is missing, being alive must do.
  if (process.platform === 'linux') {
    return readlink(`/proc/${String(pid)}/cwd`).then(
      (folder) => folder === cluster,
      () => false,
    );
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

interface Server {
  readonly exited: Promise<void>;
  readonly url: (database: string) => string;
  readonly stop: () => Promise<void>;
}

async function launch(
  binaries: string,
  folder: string,
  account: Account | undefined,
  durable: boolean,
): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await launchOnce(binaries, folder, account, durable);
    } catch (error) {
      const portTaken = error instanceof Error && error.message.includes('Address already in use');
      if (!portTaken || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function launchOnce(
  binaries: string,
  folder: string,
  account: Account | undefined,
  durable: boolean,
): Promise<Server> {
  const password = await readFile(join(folder, 'password'), 'utf8');
  const port = await freePort();
  const child = spawnServer(
    [
      join(binaries, 'bin', 'postgres'),
      ...['-D', join(folder, 'cluster'), '-p', String(port)],
      ...['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
      ...['-c', 'max_connections=200', '-c', 'shared_buffers=64MB', '-c', 'max_wal_size=512MB'],
      ...(durable ? [] : ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off']),
    ],
    account,
  );
  let output = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    output = (output + chunk).slice(-8_192);
  });
  const state = { running: true };
  const exited = new Promise<void>((done) => {
    const ended = (): void => {
      state.running = false;
      child.stdin?.destroy();
      done();
    };
    child.once('exit', ended);
    child.once('error', (error) => {
      output += error.message;
      ended();
    });
  });
  const server: Server = {
    exited,
    url: (database) => `postgres://${USER}:${password}@127.0.0.1:${String(port)}/${database}`,
    stop: async () => {
      if (state.running) child.kill('SIGINT');
      const impatience = setTimeout(() => child.kill('SIGQUIT'), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(impatience);
    },
  };
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await accepts(server.url('postgres')))) {
    if (!state.running) throw new Error(`the embedded PostgreSQL did not start: ${output.trim()}`);
    if (Date.now() > deadline) {
      await server.stop();
      throw new Error(`the embedded PostgreSQL did not accept connections: ${output.trim()}`);
    }
    await sleep(20);
  }
  return server;
}

/**
 * A killed launcher cannot stop its server. So a shell that becomes PostgreSQL leaves a watcher behind which asks it to
 * end (SIGINT, fast shutdown) when this process's end of the pipe closes, however that happens. The session of its own
 * keeps a terminal's Ctrl-C for the controller, which stops PostgreSQL last.
 */
function spawnServer(command: readonly string[], account: Account | undefined): ChildProcess {
  const [program = '', ...parameters] = command;
  if (process.platform === 'win32') return spawn(program, parameters, { stdio: ['ignore', 'ignore', 'pipe'] });
  const script = 'exec 3<&0; (cat <&3 >/dev/null 2>&1; kill -INT $$) >/dev/null 2>&1 & exec "$@" 3<&- </dev/null';
  return spawn('/bin/sh', ['-c', script, 'sh', ...command], {
    ...account,
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(0, '127.0.0.1', listening);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

async function accepts(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function createDatabaseIfMissing(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}
