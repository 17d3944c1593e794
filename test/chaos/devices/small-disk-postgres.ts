import { existsSync } from 'node:fs';
import { mkdtemp, open, readdir, readlink, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '../../../apps/controller/src/storage/embedded-postgres.js';
import { run } from '../../lab/shell.js';
import type { Random } from './random.js';
import { TcpProxy } from './tcp-proxy.js';

/** With root, what it needs of the machine. */
export const SMALL_DISK_PROGRAMS = ['mount', 'umount'] as const;

const PREFIX = 'waymark-small-disk-';
/** A cluster, its binaries where they must be copied, and the write-ahead log between two checkpoints. */
const DISK_MIB = 400;
const BLOCKS = [1 << 20, 1 << 12] as const;
/** How soon a server that ended by itself is started again. */
const RESTART_MS = 500;

/**
 * A durable PostgreSQL server on a disk of its own that is small (a tmpfs), behind a proxy: one URL for its life. As under
 * a supervisor it is started again when it ends by itself, which is what it does when its write-ahead log finds no room.
 */
export class SmallDiskPostgres {
  /** Of its database `waymark`, through the proxy. */
  readonly url: string;
  /** All connections to it. */
  readonly proxy: TcpProxy;
  readonly #folder: string;
  #server: EmbeddedPostgres | undefined;
  /** What brings it (back) up, until it is up. */
  #starting: Promise<void> = Promise.resolve();
  #wanted = true;

  private constructor(folder: string, server: EmbeddedPostgres, proxy: TcpProxy) {
    this.#folder = folder;
    this.proxy = proxy;
    const url = new URL(server.url);
    url.port = String(proxy.port);
    this.url = url.href;
    this.#supervise(server);
  }

  /** Needs root. */
  static async start(random: Random): Promise<SmallDiskPostgres> {
    await removeLeftovers();
    const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${String(process.pid)}-`));
    await run(['mount', '-t', 'tmpfs', '-o', `size=${String(DISK_MIB)}m,mode=755`, 'tmpfs', folder]);
    try {
      const server = await startEmbeddedPostgres(folder);
      await keepLogShort(server.url);
      const proxy = await TcpProxy.start({ target: targetOf(server), random });
      return new SmallDiskPostgres(folder, server, proxy);
    } catch (error) {
      await removeDisk(folder);
      throw error;
    }
  }

  /** Leaves no room on the disk: PostgreSQL answers "No space left on device", or ends, as soon as it needs some. */
  async fill(): Promise<void> {
    const ballast = await open(this.#ballast, 'a');
    try {
      for (const size of BLOCKS) {
        const block = Buffer.alloc(size);
        while (await appended(ballast, block));
      }
    } finally {
      await ballast.close();
    }
  }

  /** Makes room again. */
  async empty(): Promise<void> {
    await rm(this.#ballast, { force: true });
  }

  /** kill -9 of the whole server, which stays dead. */
  async kill(): Promise<void> {
    this.#wanted = false;
    await this.#starting;
    const server = this.#server;
    if (server === undefined) return;
    await this.#signal('SIGKILL');
    await server.exited;
  }

  /** On the same data, after a kill. Resolves when it takes connections. */
  async restart(): Promise<void> {
    this.#wanted = true;
    this.#starting = this.#startAgain();
    await this.#starting;
  }

  /** All its processes stop in their tracks: connections stay open and nothing answers. */
  async freeze(): Promise<void> {
    await this.#signal('SIGSTOP');
  }

  async thaw(): Promise<void> {
    await this.#signal('SIGCONT');
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    await this.empty();
    await this.thaw();
    await this.#starting;
    await this.#server?.stop();
    await this.proxy.close();
    await removeDisk(this.#folder);
  }

  get #ballast(): string {
    return join(this.#folder, 'ballast');
  }

  #supervise(server: EmbeddedPostgres): void {
    this.#server = server;
    void server.exited.then(() => {
      this.#server = undefined;
      if (this.#wanted) this.#starting = sleep(RESTART_MS).then(() => this.#startAgain());
    });
  }

  /** Until it runs, or shall not any more. On a full disk it cannot even recover. */
  async #startAgain(): Promise<void> {
    while (this.#wanted) {
      try {
        const server = await startEmbeddedPostgres(this.#folder);
        this.proxy.retarget(targetOf(server));
        this.#supervise(server);
        return;
      } catch (error) {
        if (!String(error).includes('the embedded PostgreSQL did not')) throw error;
        await sleep(RESTART_MS);
      }
    }
  }

  async #signal(signal: NodeJS.Signals): Promise<void> {
    for (const pid of await processesOn(join(this.#folder, 'cluster'))) {
      try {
        process.kill(pid, signal);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }
}

function targetOf(server: EmbeddedPostgres): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(server.url);
  return { host: hostname, port: Number(port) };
}

/** The log alone would fill the disk in a long run: by default the server keeps more of it than the disk holds. */
async function keepLogShort(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("alter system set min_wal_size = '32MB'");
    await client.query("alter system set checkpoint_timeout = '30s'");
    await client.query('select pg_reload_conf()');
  } finally {
    await client.end();
  }
}

/** False: there was no room for all of it. */
async function appended(file: FileHandle, block: Buffer): Promise<boolean> {
  try {
    return (await file.write(block)).bytesWritten === block.length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}

/** The server and its children: all have the data directory as their working directory. */
async function processesOn(cluster: string): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const folders = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => undefined)));
  return pids.filter((_, index) => folders[index] === cluster).map(Number);
}

async function removeDisk(folder: string): Promise<void> {
  await run(['umount', '--lazy', folder]);
  await rm(folder, { recursive: true });
}

/** Disks of runs that were killed; their servers ended with them. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (owner === undefined || existsSync(`/proc/${owner}`)) continue;
    // Another run, started just now, may remove the same.
    await run(['umount', '--lazy', join(tmpdir(), name)]).catch(() => undefined);
    await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}
