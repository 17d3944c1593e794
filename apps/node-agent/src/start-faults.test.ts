import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const NODE = { WAYMARK_NODE_ID: 'h1', WAYMARK_STATUS_PORT: '0', WAYMARK_LOG_LEVEL: 'error' };
const NO_FILES = {
  WAYMARK_GRPC_CA_FILE: '/nowhere/ca.crt',
  WAYMARK_GRPC_CERT_FILE: '/nowhere/tls.crt',
  WAYMARK_GRPC_KEY_FILE: '/nowhere/tls.key',
};

describe('an agent that cannot start', () => {
  it.each([
    [
      'a controller elsewhere, and no certificates',
      { WAYMARK_CONTROLLER: '192.0.2.1:50051' },
      /^WAYMARK_CONTROLLER leads beyond this machine \(192\.0\.2\.1\).*WAYMARK_GRPC_INSECURE=true.*\(docs\/node-agent\.md/,
    ],
    [
      'certificates that are not there',
      NO_FILES,
      /^\/nowhere\/ca\.crt cannot be read: ENOENT.* \(see WAYMARK_GRPC_CA_FILE, WAYMARK_GRPC_CERT_FILE and/,
    ],
  ])('says why in one sentence: %s', async (_, settings, sentence) => {
    const agent = spawn(process.execPath, [MAIN], { env: { ...process.env, ...NODE, ...settings } });
    const [said, [code]] = await Promise.all([text(agent.stderr), once(agent, 'exit') as Promise<[number]>]);
    expect(said).toMatch(sentence);
    expect(said.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(1);
  });
});
