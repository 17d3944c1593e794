import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from './config.js';
import { startController } from './controller.js';
import { StartFault } from './model/start-fault.js';
import { writeAdminKey } from './testing/admin-key.js';
import { createTestDatabase, type TestDatabase } from './testing/test-database.js';

describe('a controller whose database goes away while it starts', () => {
  let database: TestDatabase;
  let folder: string;
  let proxy: Server;
  let connections = 0;

  beforeEach(async () => {
    database = await createTestDatabase();
    folder = mkdtempSync(join(tmpdir(), 'waymark-lost-'));
  });

  afterEach(async () => {
    proxy.close();
    await database.drop();
    rmSync(folder, { recursive: true });
  });

  /** The database, which lets so many connections through and then resets each. */
  async function through(least: number): Promise<string> {
    const url = new URL(database.url);
    const target = { port: Number(url.port), host: url.hostname };
    connections = 0;
    proxy = createServer((client) => {
      connections += 1;
      client.on('error', () => undefined);
      if (connections > least) {
        client.resetAndDestroy();
        return;
      }
      const server = connect(target).on('error', () => undefined);
      client.pipe(server).pipe(client);
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    url.host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    return url.href;
  }

  // None: nothing was there from the beginning. One: the migration was still made.
  it.each([0, 1])(
    'says so in a sentence, after %i connections',
    async (least) => {
      const config = readConfig({
        ...{ DATABASE_URL: await through(least), ...writeAdminKey(folder).settings, WAYMARK_WORKERS: '1' },
        ...{ WAYMARK_HTTP_PORT: '0', WAYMARK_GRPC_PORT: '0', WAYMARK_DATA_DIR: folder, WAYMARK_DEMO: 'off' },
      });
      const starting = startController(config, pino({ level: 'silent' }));
      const fault: unknown = await starting.then(
        (started) => started.stop(),
        (error: unknown) => error,
      );
      expect(fault).toBeInstanceOf(StartFault);
      expect((fault as Error).message).toMatch(/^the database of DATABASE_URL does not answer: /);
      expect(connections).toBeGreaterThan(least);
    },
    120_000,
  );
});
