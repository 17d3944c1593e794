import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSession } from './database.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.js';

describe('the embedded PostgreSQL', () => {
  let folder: string;
  let server: EmbeddedPostgres | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waymark-embedded-'));
  });

  afterEach(async () => {
    await server?.stop();
    if (server !== undefined) await rm(server.folder, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
    server = undefined;
  });

  it('keeps data across a stop and a start', async () => {
    server = await startEmbeddedPostgres(folder, { durable: false });
    await query(server.url, "create table note as select 'kept'::text as text");
    await server.stop();
    server = await startEmbeddedPostgres(folder, { durable: false });
    expect(await query(server.url, 'select text from note')).toEqual([{ text: 'kept' }]);
  });

  it('demands its password', async () => {
    server = await startEmbeddedPostgres(folder, { durable: false });
    const url = new URL(server.url);
    url.password = 'guess';
    await expect(query(url.href, 'select 1')).rejects.toThrow(/password/);
  });

  it('refuses a folder that another server uses, and says which', async () => {
    server = await startEmbeddedPostgres(folder, { durable: false });
    const pid = (await readFile(join(server.folder, 'cluster', 'postmaster.pid'), 'utf8')).split('\n')[0];
    await expect(startEmbeddedPostgres(folder)).rejects.toThrow(
      new RegExp(`in use by another process .*${String(pid)}`),
    );
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('starts over the postmaster.pid that a crashed machine left, even when its number is in use again', async () => {
    server = await startEmbeddedPostgres(folder, { durable: false });
    await server.stop();
    // The number belongs to a process of the same account now: what PostgreSQL itself would refuse to start over.
    const owner = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const stranger = spawn('sleep', ['60'], { stdio: 'ignore', ...owner });
    try {
      await writeFile(join(server.folder, 'cluster', 'postmaster.pid'), `${String(stranger.pid)}\n`);
      server = await startEmbeddedPostgres(folder, { durable: false });
      expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    } finally {
      stranger.kill();
    }
  });

  it('ends by itself when the process that started it is killed, and starts again', async () => {
    server = await startEmbeddedPostgres(folder, { durable: false });
    await server.stop();
    const launcher = new URL('../../dist/storage/embedded-postgres.js', import.meta.url).href;
    const script = `const { startEmbeddedPostgres } = await import('${launcher}');
      await startEmbeddedPostgres('${folder}', { durable: false });
      console.log('started');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    server = await startEmbeddedPostgres(folder, { durable: false });
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('replaces a cluster whose creation was interrupted', async () => {
    await mkdir(join(folder, 'cluster.partial', 'base'), { recursive: true });
    server = await startEmbeddedPostgres(folder, { durable: false });
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it.runIf(process.getuid?.() === 0)('goes where its account can walk when the folder is out of reach', async () => {
    await chmod(folder, 0o700);
    const hidden = join(folder, 'hidden', 'postgres');
    server = await startEmbeddedPostgres(hidden, { durable: false });
    expect(server.folder).toMatch(/^\/var\/lib\/waymark\//);
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});

async function query(url: string, statement: string): Promise<unknown[]> {
  const session = createSession(url);
  session.on('error', () => undefined);
  await session.connect();
  try {
    return (await session.query<object>(statement)).rows;
  } finally {
    await session.end();
  }
}
