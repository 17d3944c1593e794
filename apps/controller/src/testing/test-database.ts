import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { inject } from 'vitest';
import { createDatabase, createSession, type Database } from '../storage/database.js';
import type { TestServer } from './global-setup.js';

export interface TestDatabase {
  readonly url: string;
  readonly db: Database;
  /** Closes `db`, ends every other session and removes the database. */
  drop(): Promise<void>;
}

/** A fresh, migrated database of the test run's PostgreSQL. WAYMARK_TEST_DATABASE_URL or DATABASE_URL names another server. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { adminUrl, template } = await testServer();
  const name = `${template}_${randomBytes(6).toString('hex')}`;
  await administer(adminUrl, `create database ${name} template ${template}`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  const db = createDatabase(url.href);
  return {
    url: url.href,
    db,
    drop: async () => {
      await db.destroy();
      await administer(adminUrl, `drop database if exists ${name} with (force)`);
    },
  };
}

async function testServer(): Promise<TestServer> {
  const socket = connect(inject('testDatabaseBroker'), '127.0.0.1');
  const answer = JSON.parse(await text(socket)) as TestServer | { readonly error: string };
  if ('error' in answer) throw new Error(answer.error);
  return answer;
}

async function administer(url: string, statement: string): Promise<void> {
  const session = createSession(url);
  session.on('error', () => undefined);
  await session.connect();
  try {
    await session.query(statement);
  } finally {
    await session.end();
  }
}
