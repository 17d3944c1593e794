import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, startSystem } from '../started-system.js';

const main = join(root, 'apps/controller/dist/main.js');

/** Lines that are not of the log. */
function printedLines(output: string): string {
  const lines = output.split('\n').filter((line) => line !== '' && !line.startsWith('{"level"'));
  return lines.join('\n');
}

describe('the system', () => {
  it('prints what the README says, and stops cleanly at Ctrl-C', async () => {
    const system = await startSystem({ WAYMARK_LOG_LEVEL: 'info' });
    const printed = printedLines(system.process.output).replaceAll(system.url, 'http://127.0.0.1:8080');
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(`\`\`\`\n${printed}\n\`\`\`\n`);
    await system.settled();
    expect(await system.stop('SIGINT')).toBe('exit 0');
    expect(system.process.output).not.toContain('"level":60');
  }, 240_000);

  it('says in one sentence which setting to change when its port is taken', async () => {
    const taken = createServer();
    await new Promise<void>((listening) => taken.listen(0, '127.0.0.1', listening));
    const { port } = taken.address() as AddressInfo;
    const start = startSystem({ WAYMARK_HTTP_PORT: String(port) });
    await expect(start).rejects.toThrow(
      `127.0.0.1:${String(port)} is in use by another program: stop it, or set WAYMARK_HTTP_PORT to another port`,
    );
    await expect(start).rejects.not.toThrow('    at ');
    taken.close();
  }, 240_000);

  it('does not start where anybody could reach it and nobody has a key', async () => {
    const start = startSystem({ WAYMARK_HTTP_HOST: '0.0.0.0' });
    await expect(start).rejects.toThrow('set WAYMARK_ADMIN_KEY_FILE to a file with a key');
    await expect(start).rejects.not.toThrow('    at ');
  }, 240_000);

  it.each([
    [{ WAYMARK_OIDC_ISSUER: 'http://sso.example' }, 'WAYMARK_OIDC_ISSUER must be an https URL'],
    [{ WAYMARK_HTTP_PORT: '99999' }, 'WAYMARK_HTTP_PORT must be <= 65535'],
    [{ DATABASE_URL: 'postgres://127.0.0.1:1/none' }, 'the database of DATABASE_URL does not answer'],
    [
      { DATABASE_URL: 'postgres://127.0.0.1:1/none?sslmode=verify-full&sslrootcert=/nowhere/ca.crt' },
      "the database of DATABASE_URL cannot be used: ENOENT: no such file or directory, open '/nowhere/ca.crt'",
    ],
  ])('ends with a sentence for %j', (settings, sentence) => {
    expectSentence(settings, sentence);
  });

  it('ends with a sentence when its database takes connections and says nothing', async () => {
    const silent = createServer();
    await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
    const { port } = silent.address() as AddressInfo;
    const settings = { DATABASE_URL: `postgres://127.0.0.1:${String(port)}/none` };
    expectSentence(settings, 'the database of DATABASE_URL does not answer');
    silent.close();
  }, 120_000);
});

function expectSentence(settings: NodeJS.ProcessEnv, sentence: string): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main], {
    env: { ...process.env, ...settings },
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stdout + stderr).toContain(sentence);
  expect(stdout + stderr).not.toMatch(/\bat .*:\d+:\d+/);
}

describe('an old Node', () => {
  it.each([
    ['18.19.0', 1],
    ['20.20.1', 1],
    ['20.20.2', 0],
    ['22.0.0', 0],
  ])('%s: exit %i', (version, expected) => {
    const script = `
      Object.defineProperty(process.versions, 'node', { value: '${version}' });
      const { requireNode } = await import('./scripts/prepare.mjs');
      requireNode();
    `;
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(status).toBe(expected);
    expect(stderr).toBe(expected === 0 ? '' : `Waymark needs Node 20.20.2 or newer; this is ${version}.\n`);
  });
});
