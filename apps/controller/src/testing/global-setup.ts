import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../storage/embedded-postgres.js';
import { migrate } from '../storage/migrate.js';

/*
 * One PostgreSQL per test run, started when the first test file asks for a database: a run without such tests pays
 * nothing. Test files connect to `testDatabaseBroker` and are answered with one line of JSON.
 */

declare module 'vitest' {
  interface ProvidedContext {
    readonly testDatabaseBroker: number;
  }
}

export interface TestServer {
  /** Any database of the server, to create others from. */
  readonly adminUrl: string;
  /** Migrated, and nobody connects to it. */
  readonly template: string;
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let started: Promise<TestServer & { stop(): Promise<void> }> | undefined;
  const broker = createServer((socket) => {
    socket.on('error', () => undefined);
    started ??= startTestServer();
    started.then(
      ({ adminUrl, template }) => socket.end(JSON.stringify({ adminUrl, template })),
      (error: unknown) => socket.end(JSON.stringify({ error: String(error) })),
    );
  });
  await new Promise<void>((listening) => broker.listen(0, '127.0.0.1', listening));
  project.provide('testDatabaseBroker', (broker.address() as AddressInfo).port);
  return async () => {
    broker.close();
    const server = await started?.catch(() => undefined);
    await server?.stop();
  };
}

async function startTestServer(): Promise<TestServer & { stop(): Promise<void> }> {
  const template = `waymark_test_${randomBytes(6).toString('hex')}`;
  const external = process.env['WAYMARK_TEST_DATABASE_URL'] ?? process.env['DATABASE_URL'];
  if (external !== undefined) {
    await createTemplate(external, template);
    return { adminUrl: external, template, stop: () => dropDatabases(external, template) };
  }
  const folder = await mkdtemp(join(tmpdir(), 'waymark-test-'));
  const server = await startEmbeddedPostgres(folder, { durable: false });
  await createTemplate(server.url, template);
  return {
    adminUrl: server.url,
    template,
    stop: async () => {
      await server.stop();
      await rm(server.folder, { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function createTemplate(adminUrl: string, template: string): Promise<void> {
  await administer(adminUrl, (client) => client.query(`create database ${template}`));
  const url = new URL(adminUrl);
  url.pathname = `/${template}`;
  await migrate(url.href);
}

/** The databases of test files that were killed carry the template's name as their beginning. */
async function dropDatabases(adminUrl: string, template: string): Promise<void> {
  await administer(adminUrl, async (client) => {
    const left = await client.query<{ datname: string }>(
      'select datname from pg_database where starts_with(datname, $1)',
      [template],
    );
    for (const { datname } of left.rows) await client.query(`drop database if exists ${datname} with (force)`);
  });
}

async function administer(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
