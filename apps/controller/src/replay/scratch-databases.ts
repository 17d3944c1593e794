import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSession } from '../storage/database.js';
import { startEmbeddedPostgres } from '../storage/embedded-postgres.js';

export interface ScratchDatabases {
  /** URL of an empty database. */
  create(): Promise<string>;
  stop(): Promise<void>;
}

/** A server of its own, in a folder that goes with it. */
export async function startScratchDatabases(): Promise<ScratchDatabases> {
  const folder = await mkdtemp(join(tmpdir(), 'waymark-replay-'));
  // PostgreSQL runs under another account where this one is root.
  await chmod(folder, 0o755);
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const server = await startEmbeddedPostgres(join(folder, 'postgres'));
    let count = 0;
    return {
      create: async () => {
        count += 1;
        const session = createSession(server.url);
        session.on('error', () => undefined);
        await session.connect();
        try {
          await session.query(`create database replay_${count}`);
        } finally {
          await session.end();
        }
        const url = new URL(server.url);
        url.pathname = `/replay_${count}`;
        return url.href;
      },
      stop: async () => {
        await server.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
