import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { RawClient } from './testing/raw-client.js';
import { addPolicy, BSID_A } from './testing/sr-requests.js';

const MAIN = new URL('../dist/main.js', import.meta.url).pathname;

function socketPath(): string {
  const directory = mkdtempSync(join(tmpdir(), 'vpp-stand-in-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'api.sock');
}

function run(...options: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.once('close', (code) => resolve(code)));

async function serving(...options: readonly string[]): Promise<{ child: ChildProcess; client: RawClient }> {
  const socket = socketPath();
  const child = run('--socket', socket, ...options);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  const client = new RawClient(socket);
  await client.handshake();
  return { child, client };
}

test('runs alone until it is told to stop', async () => {
  const { child, client } = await serving('--seed', '7', '--table', 'ipv4:5', '--table', 'ipv6:6');
  const tables = await client.dump('ip_table_dump_51077d14');
  expect(tables.map((details) => details.readUInt32BE(6))).toEqual([0, 5, 0, 6]);
  child.kill('SIGTERM');
  await client.closed();
  expect(await exitOf(child)).toBe(0);
});

test('ends with a crash, and says on what', async () => {
  const { child, client } = await serving();
  const said = new Promise((resolve) => child.stderr?.once('data', (text) => resolve(String(text))));
  await addPolicy(client, BSID_A, 1).catch(() => undefined);
  expect(await said).toBe('crashed on sr_policy_add: empty-segment-list\n');
  expect(await exitOf(child)).toBe(1);
});

test.each([
  { options: [] },
  { options: ['--socket', 'x', '--table', 'ipx:5'] },
  { options: ['--socket', 'x', '--seed', 'red'] },
])('refuses $options with its usage', async ({ options }) => {
  const child = run(...options);
  let said = '';
  child.stderr?.on('data', (text) => (said += String(text)));
  expect(await exitOf(child)).toBe(1);
  expect(said).toContain('vpp-stand-in --socket PATH');
});
